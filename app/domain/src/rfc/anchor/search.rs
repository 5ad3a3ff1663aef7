//! Finding a lost quote again by its words, when no diff leads to it.

use super::Span;
use crate::rfc::diff::Mapping;

/// More places than this say nothing about which one is meant.
const MOST_OCCURRENCES: usize = 64;
/// How much text on each side of a quote tells its occurrences apart, in bytes (Hypothesis' 32 characters).
const CONTEXT: usize = 32;
/// How much better the best of several occurrences must be than the second.
const CLEAR_LEAD: f32 = 0.15;

/// The places where `quote` stands in `text`, one after the other; empty if there are too many to choose from.
fn occurrences(text: &str, quote: &str) -> Vec<Span> {
    let found: Vec<_> = text.match_indices(quote).take(MOST_OCCURRENCES + 1).collect();
    if found.len() > MOST_OCCURRENCES {
        return Vec::new();
    }
    found.into_iter().map(|(start, found)| Span { start, end: start + found.len() }).collect()
}

/// The place the very words of a quote moved to, if there is no doubt which one it is.
pub(super) fn exact(origin: &str, quote: Span, text: &str) -> Option<Span> {
    let found = occurrences(text, quote.of(origin));
    if let [only] = found[..] {
        return Some(only);
    }
    let mut rated: Vec<(f32, Span)> =
        found.into_iter().map(|span| (context(origin, quote, text, span), span)).collect();
    rated.sort_by(|a, b| b.0.total_cmp(&a.0));
    match rated[..] {
        [(best, span), (second, _), ..] if best - second >= CLEAR_LEAD => Some(span),
        _ => None,
    }
}

/// How alike the surroundings of two places are, 0 to 1.
fn context(old: &str, at: Span, new: &str, there: Span) -> f32 {
    let (before, after) = around(old, at);
    let (new_before, new_after) = around(new, there);
    let total = before.len() + after.len();
    if total == 0 {
        return 0.0;
    }
    let kept = Mapping::between(before, new_before).kept_bytes() + Mapping::between(after, new_after).kept_bytes();
    ratio(kept, total)
}

/// The text on both sides of a place.
fn around(text: &str, at: Span) -> (&str, &str) {
    let start = text.floor_char_boundary(at.start.saturating_sub(CONTEXT));
    let end = text.ceil_char_boundary((at.end + CONTEXT).min(text.len()));
    (&text[start..at.start], &text[at.end..end])
}

/// `part` of `whole`, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "lengths of texts of at most 512 KiB")]
pub(super) fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}
