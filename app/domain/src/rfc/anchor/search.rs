//! Finding a lost quote again by its words, when no diff leads to it.

use std::collections::HashMap;
use std::ops::Range;

use super::{Anchor, AnchorMethod, AnchorState, Span};
use crate::rfc::diff::{Mapping, words};

/// More places than this say nothing about which one is meant.
const MOST_PLACES: usize = 64;
/// How much text on each side of a quote tells its occurrences apart, in bytes.
const CONTEXT: usize = 32;
/// How much better the best of several occurrences must be than the second.
const CLEAR_LEAD: f32 = 0.15;
/// A shorter quote occurs elsewhere by chance: its surroundings must agree, and similar text is not looked for.
const TELLING: usize = 20;
/// A longer quote is not looked for by similar text either: when pages are gone, no place is the one.
const LONGEST: usize = 4096;
/// How much of the surroundings of a quote that is not telling must agree.
const FAMILIAR: f32 = 0.35;
/// The share of the quote a similar place must have to be suggested.
const SIMILAR: f32 = 0.75;
/// Words in a row that are looked up together.
const PHRASE: usize = 3;

/// `part` of `whole`, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "lengths of texts of at most 512 KiB")]
pub(super) fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

/// The very words of a quote at a place or reaching over its edges.
pub(super) fn near(text: &str, quote: &str, place: Span) -> Option<Span> {
    if place.of(text) == quote {
        return Some(place);
    }
    let start = text.floor_char_boundary(place.end.saturating_sub(quote.len()).min(place.start));
    let end = text.ceil_char_boundary((place.start + quote.len()).clamp(place.end, text.len()));
    let at = start + text[start..end].find(quote)?;
    Some(Span { start: at, end: at + quote.len() })
}

/// The best place for a lost quote: where its very words are, or ones like them, or none.
pub(super) fn again<'i>(origin: &str, quote: Span, text: &str, index: impl FnOnce() -> &'i Index<'i>) -> Anchor {
    let words = quote.of(origin);
    let mut places: Vec<(f32, Span)> = text
        .match_indices(words)
        .take(MOST_PLACES + 1)
        .map(|(start, found)| Span { start, end: start + found.len() })
        .map(|span| (likeness(origin, quote, text, span), span))
        .collect();
    places.sort_by(|a, b| b.0.total_cmp(&a.0));
    let found = |state, method, span, score| Anchor { span: Some(span), state, method, score };
    // Among the very neighbours it had: taken out and put back.
    let at = |(likeness, span)| {
        let state = if likeness >= 1.0 { AnchorState::Exact } else { AnchorState::Moved };
        found(state, AnchorMethod::Quote, span, 1.0)
    };
    let telling = words.len() >= TELLING;
    match places[..] {
        [] if telling && words.len() <= LONGEST => match index().similar(words, text) {
            Some((span, score)) => found(AnchorState::Suggested, AnchorMethod::Similar, span, score),
            None => Anchor::orphaned(),
        },
        [only] if telling => at(only),
        [first, ref others @ ..] if places.len() <= MOST_PLACES && (telling || first.0 >= FAMILIAR) => {
            let second = others.first().map_or(0.0, |(likeness, _)| *likeness);
            let clear = first.0 - second >= CLEAR_LEAD;
            if clear { at(first) } else { found(AnchorState::Suggested, AnchorMethod::Quote, first.1, 1.0) }
        }
        _ => Anchor::orphaned(),
    }
}

/// How alike the surroundings of two places are, 0 to 1: how far the texts agree outward from the quote.
fn likeness(old: &str, at: Span, new: &str, there: Span) -> f32 {
    let (old, new) = (old.as_bytes(), new.as_bytes());
    let before = agree(old[..at.start].iter().rev(), new[..there.start].iter().rev());
    let after = agree(old[at.end..].iter(), new[there.end..].iter());
    let most = CONTEXT.min(at.start) + CONTEXT.min(old.len() - at.end);
    share(before + after, most.max(1))
}

/// How many bytes agree from the start, of those that count as context.
fn agree<'t>(old: impl Iterator<Item = &'t u8>, new: impl Iterator<Item = &'t u8>) -> usize {
    old.zip(new).take(CONTEXT).take_while(|(a, b)| a == b).count()
}

/// The phrases of a text and where they are.
#[derive(Debug)]
pub(super) struct Index<'a> {
    words: Vec<Range<usize>>,
    /// A number for each word.
    numbers: HashMap<&'a str, usize>,
    /// Every few words in a row, by their numbers, with the first one's place among `words`; sorted.
    phrases: Vec<([usize; PHRASE], usize)>,
}

impl<'a> Index<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let words = words(text);
        let mut numbers = HashMap::new();
        let numbered: Vec<usize> = words
            .iter()
            .map(|word| {
                let next = numbers.len();
                *numbers.entry(&text[word.clone()]).or_insert(next)
            })
            .collect();
        let mut phrases: Vec<_> = (numbered.windows(PHRASE).enumerate())
            .map(|(at, phrase)| (std::array::from_fn(|nth| phrase[nth]), at))
            .collect();
        phrases.sort_unstable();
        Self { words, numbers, phrases }
    }

    /// The places of the phrases of a quote that are not everywhere, in order.
    fn hits(&self, quote: &str, quoted: &[Range<usize>]) -> Vec<usize> {
        let numbered: Vec<_> = quoted.iter().map(|word| self.numbers.get(&quote[word.clone()]).copied()).collect();
        let mut hits = Vec::new();
        for phrase in numbered.windows(PHRASE) {
            let phrase: [_; PHRASE] = std::array::from_fn(|nth| phrase[nth].unwrap_or(usize::MAX));
            let first = self.phrases.partition_point(|(other, _)| *other < phrase);
            let same = self.phrases[first..].iter().take_while(|(other, _)| *other == phrase).take(MOST_PLACES + 1);
            let places: Vec<usize> = same.map(|(_, place)| *place).collect();
            if places.len() <= MOST_PLACES {
                hits.extend(places);
            }
        }
        hits.sort_unstable();
        hits.dedup();
        hits
    }

    /// The place most like a quote and the share of the quote that is there, if that is most of it.
    fn similar(&self, quote: &str, text: &str) -> Option<(Span, f32)> {
        let quoted = words(quote);
        let hits = self.hits(quote, &quoted);
        // The stretch as long as the quote with the most of its phrases; and as much again around it.
        let (mut most, mut first, mut window) = (0, 0, None);
        for (last, &hit) in hits.iter().enumerate() {
            while hit - hits[first] > quoted.len() {
                first += 1;
            }
            if last - first + 1 > most {
                most = last - first + 1;
                window = Some(hits[first]..hit + PHRASE);
            }
        }
        let window = window?;
        let from = self.words[window.start.saturating_sub(quoted.len())].start;
        let to = self.words[(window.end + quoted.len()).min(self.words.len()) - 1].end;
        let mapping = Mapping::between(quote, &text[from..to]);
        let pieces: Vec<_> = mapping.pieces(0..quote.len()).collect();
        let span = Span { start: from + pieces.first()?.new, end: from + pieces.last()?.new_end() };
        let score = share(mapping.kept_bytes(), quote.len());
        (score >= SIMILAR).then_some((span, score))
    }
}
