//! Which words two passages share.

use std::ops::Range;

use imara_diff::InternedInput;

use super::{Kept, align, push};

/// The words of a text: letters, digits and `_` together, every other visible character alone.
///
/// Characters of scripts written without spaces stand alone too, or one edit would make a whole Chinese sentence new.
pub(crate) fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut in_word = false;
    for (start, c) in text.char_indices().filter(|(_, c)| !c.is_ascii_whitespace()) {
        let end = start + c.len_utf8();
        let joins = (c.is_alphanumeric() || c == '_') && !is_unspaced(c);
        match words.last_mut() {
            Some(word) if joins && in_word && word.end == start => word.end = end,
            _ => words.push(start..end),
        }
        in_word = joins;
    }
    words
}

/// Thai to Khmer, and the scripts of East Asia.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The words two passages share, in order, with the white space around them, in bytes of the whole texts.
pub(super) fn shared(old: &str, from: Range<usize>, new: &str, to: Range<usize>) -> Vec<Kept> {
    let (old_passage, new_passage) = (&old[from.clone()], &new[to.clone()]);
    let (old_words, new_words) = (words(old_passage), words(new_passage));
    let mut input: InternedInput<&str> = InternedInput::default();
    input.update_before(old_words.iter().map(|word| &old_passage[word.clone()]));
    input.update_after(new_words.iter().map(|word| &new_passage[word.clone()]));
    let mut runs = Vec::new();
    let (mut old_free, mut new_free) = (0, 0);
    for block in align::blocks(&input) {
        for (old_word, new_word) in old_words[block.old..].iter().zip(&new_words[block.new..]).take(block.len) {
            let before = spaces(
                old_passage[old_free..old_word.start].bytes().rev(),
                new_passage[new_free..new_word.start].bytes().rev(),
            );
            let after = spaces(old_passage[old_word.end..].bytes(), new_passage[new_word.end..].bytes());
            let (old_start, new_start) = (old_word.start - before, new_word.start - before);
            (old_free, new_free) = (old_word.end + after, new_word.end + after);
            push(&mut runs, Kept { old: from.start + old_start, new: to.start + new_start, len: old_free - old_start });
        }
    }
    runs
}

/// How many white space bytes both sides start with.
fn spaces(old: impl Iterator<Item = u8>, new: impl Iterator<Item = u8>) -> usize {
    old.zip(new).take_while(|(a, b)| a == b && a.is_ascii_whitespace()).count()
}
