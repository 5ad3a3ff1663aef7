//! What changed between two texts: lines first, then words inside the changed lines.
//!
//! Two readers: [`Mapping`] carries positions from the old text to the new one (anchors), and [`Diff::hunks`] is what a
//! diff view shows. Lines are compared with the histogram algorithm; only the lines that differ are compared word by
//! word, because a word diff of whole documents is slow and matches words that have nothing to do with each other.

use std::ops::Range;

use imara_diff::{Algorithm, Diff as Edits, InternedInput};

/// A stretch of text found byte for byte in both texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Where it starts in the old text, in bytes.
    pub old: usize,
    /// Where it starts in the new text, in bytes.
    pub new: usize,
    /// Its length in bytes.
    pub len: usize,
}

/// Lines that were replaced, added or removed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The bytes of the lines removed from the old text; empty for an addition.
    pub old: Range<usize>,
    /// The bytes of the lines added to the new text; empty for a removal.
    pub new: Range<usize>,
    /// The words both sides share, in order, in bytes of the whole texts.
    pub kept: Vec<Kept>,
}

/// The difference between two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    hunks: Vec<Hunk>,
    old_len: usize,
    new_len: usize,
}

impl Diff {
    /// Compares two texts. Deterministic; roughly linear in their size, whatever they contain.
    pub fn between(old: &str, new: &str) -> Self {
        let input = InternedInput::new(old, new);
        let mut edits = Edits::compute(Algorithm::Histogram, &input);
        edits.postprocess_lines(&input);
        let (old_lines, new_lines) = (line_starts(old), line_starts(new));
        let mut hunks: Vec<Hunk> = Vec::new();
        for lines in edits.hunks() {
            let bytes = |starts: &[usize], lines: &Range<u32>| starts[lines.start as usize]..starts[lines.end as usize];
            let (from, to) = (bytes(&old_lines, &lines.before), bytes(&new_lines, &lines.after));
            match hunks.last_mut() {
                // Paragraphs that were joined, split or wrapped anew share nothing but the blank lines between them.
                Some(last) if old[last.old.end..from.start].trim_ascii().is_empty() => {
                    last.old.end = from.end;
                    last.new.end = to.end;
                }
                _ => hunks.push(Hunk { old: from, new: to, kept: Vec::new() }),
            }
        }
        for hunk in &mut hunks {
            hunk.kept = shared_words(old, hunk.old.clone(), new, hunk.new.clone());
        }
        Self { hunks, old_len: old.len(), new_len: new.len() }
    }

    /// The changed lines, in order; what lies between two hunks is the same on both sides.
    pub fn hunks(&self) -> &[Hunk] {
        &self.hunks
    }
}

/// Where each byte of an old text is in a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// In order, touching neither on both sides at once.
    kept: Vec<Kept>,
}

impl Mapping {
    /// Compares two texts, see [`Diff::between`].
    pub fn between(old: &str, new: &str) -> Self {
        let diff = Diff::between(old, new);
        let mut kept = Runs::default();
        let (mut old_at, mut new_at) = (0, 0);
        for hunk in &diff.hunks {
            kept.push(Kept { old: old_at, new: new_at, len: hunk.old.start - old_at });
            hunk.kept.iter().for_each(|&run| kept.push(run));
            (old_at, new_at) = (hunk.old.end, hunk.new.end);
        }
        kept.push(Kept { old: old_at, new: new_at, len: diff.old_len - old_at });
        debug_assert_eq!(diff.new_len - new_at, diff.old_len - old_at);
        Self { kept: kept.0 }
    }

    /// What is left of a range of the old text, in order.
    pub fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = Kept> + '_ {
        let first = self.kept.partition_point(|run| run.old + run.len <= range.start);
        self.kept[first..].iter().take_while(move |run| run.old < range.end).map(move |run| {
            let start = run.old.max(range.start);
            let end = (run.old + run.len).min(range.end);
            Kept { old: start, new: run.new + (start - run.old), len: end - start }
        })
    }

    /// How many bytes of `old` are kept at all.
    pub fn kept_bytes(&self) -> usize {
        self.kept.iter().map(|run| run.len).sum()
    }
}

/// Runs in order, those that touch on both sides joined.
#[derive(Default)]
struct Runs(Vec<Kept>);

impl Runs {
    fn push(&mut self, run: Kept) {
        match self.0.last_mut() {
            _ if run.len == 0 => {}
            Some(last) if last.old + last.len == run.old && last.new + last.len == run.new => last.len += run.len,
            _ => self.0.push(run),
        }
    }

    /// Adds the white space that follows the last run on both sides.
    fn spread(&mut self, old: &str, new: &str) {
        if let Some(last) = self.0.last_mut() {
            let after = |text: &str, start: usize| start + last.len..text.len();
            let (old, new) = (&old.as_bytes()[after(old, last.old)], &new.as_bytes()[after(new, last.new)]);
            last.len += old.iter().zip(new).take_while(|(a, b)| a == b && a.is_ascii_whitespace()).count();
        }
    }
}

/// The first byte of each line, and the end of the text.
fn line_starts(text: &str) -> Vec<usize> {
    let mut at = 0;
    let mut starts: Vec<usize> = text
        .split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            start
        })
        .collect();
    starts.push(text.len());
    starts
}

/// The words two ranges share, with the white space around them.
fn shared_words(old: &str, from: Range<usize>, new: &str, to: Range<usize>) -> Vec<Kept> {
    let (old_side, new_side) = (&old[..from.end], &new[..to.end]);
    let (old_words, new_words) = (words(old_side, from.start), words(new_side, to.start));
    let mut input: InternedInput<&str> = InternedInput::default();
    input.update_before(old_words.iter().map(|word| &old[word.clone()]));
    input.update_after(new_words.iter().map(|word| &new[word.clone()]));
    let edits = Edits::compute(Algorithm::Histogram, &input);
    let mut runs = Runs::default();
    let mut j = 0;
    for (i, old_word) in (0u32..).zip(&old_words) {
        if edits.is_removed(i) {
            continue;
        }
        while edits.is_added(j) {
            j += 1;
        }
        let new_word = &new_words[j as usize];
        j += 1;
        // White space before the word that differs further away: indentation, a paragraph joined to another.
        let (old_free, new_free) =
            runs.0.last().map_or((from.start, to.start), |run| (run.old + run.len, run.new + run.len));
        let before = (old.as_bytes()[old_free..old_word.start].iter().rev())
            .zip(new.as_bytes()[new_free..new_word.start].iter().rev())
            .take_while(|(a, b)| a == b && a.is_ascii_whitespace())
            .count();
        runs.push(Kept { old: old_word.start - before, new: new_word.start - before, len: old_word.len() + before });
        runs.spread(old_side, new_side);
    }
    runs.0
}

/// The words of a text from `start` on: letters, digits and `_` together, every other visible character alone.
/// Characters of scripts written without spaces stand alone too: a word diff of a Chinese sentence would be all or
/// nothing.
pub(crate) fn words(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut in_word = false;
    for (at, c) in text[start..].char_indices() {
        let at = start + at;
        let end = at + c.len_utf8();
        let joins = (c.is_alphanumeric() || c == '_') && !is_unspaced(c);
        match words.last_mut() {
            _ if c.is_ascii_whitespace() => {}
            Some(word) if joins && in_word && word.end == at => word.end = end,
            _ => words.push(at..end),
        }
        in_word = joins;
    }
    words
}

/// Thai to Khmer, and the scripts of East Asia.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
