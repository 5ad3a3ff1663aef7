//! Carrying the anchors of all threads from one revision to the next.

use std::collections::BTreeMap;

use super::{Anchor, AnchorMethod, AnchorState, Span, heading, search};
use crate::rfc::diff::Mapping;

/// The share of the original quote that must still stand at a place for it to be the quote's place.
const ENOUGH: f32 = 0.5;
/// What is left of a quote may lie at most this far apart: a multiple of the quote's length and some bytes.
const WIDEST: (usize, usize) = (3, 40);

/// What a person selected: never overwritten by what we find later.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The number of the revision it was selected in.
    pub revision: u32,
    /// That revision's text.
    pub body: &'a str,
    /// The range selected in it.
    pub span: Span,
}

/// A revision being published, ready to carry any number of anchors into it.
#[derive(Debug)]
pub struct Publication<'a> {
    next: &'a str,
    step: Mapping,
    /// The diffs from the revisions that threads were opened on, by revision: computed only for threads that got lost.
    from_origin: BTreeMap<u32, Mapping>,
}

impl<'a> Publication<'a> {
    /// Compares the newest revision's text with the one being published.
    pub fn new(previous: &str, next: &'a str) -> Self {
        Self { next, step: Mapping::between(previous, next), from_origin: BTreeMap::new() }
    }

    /// Where a thread is in the revision being published.
    ///
    /// `origin` is the thread's latest selection by a person; `anchor` is where it is in the previous revision.
    pub fn carry(&mut self, origin: &Origin<'_>, anchor: &Anchor) -> Anchor {
        let quote = origin.span.of(origin.body);
        if anchor.state != AnchorState::Suggested
            && let Some(span) = anchor.span
            && let Some(span) = land(&self.step, span, quote.len())
            && let Some(found) = judge(quote, span, self.next, AnchorMethod::Diff)
        {
            let moved = anchor.state == AnchorState::Moved && found.state == AnchorState::Exact;
            return if moved { Anchor { state: AnchorState::Moved, ..found } } else { found };
        }
        let direct =
            self.from_origin.entry(origin.revision).or_insert_with(|| Mapping::between(origin.body, self.next));
        if let Some(span) = land(direct, origin.span, quote.len())
            && let Some(found) = judge(quote, span, self.next, AnchorMethod::OriginDiff)
        {
            return found;
        }
        if let Some(span) = search::exact(origin.body, origin.span, self.next) {
            return Anchor { span: Some(span), state: AnchorState::Moved, method: AnchorMethod::Quote, score: 1.0 };
        }
        Anchor::orphaned()
    }

    /// The start of the heading an orphan is shown at: the nearest one above its old place that survives.
    pub fn nearest_heading(&mut self, origin: &Origin<'_>) -> Option<usize> {
        let direct =
            self.from_origin.entry(origin.revision).or_insert_with(|| Mapping::between(origin.body, self.next));
        let new = heading::headings(self.next);
        let old = heading::headings(origin.body);
        old.iter().rev().skip_while(|heading| heading.start > origin.span.start).find_map(|heading| {
            let span = land(direct, *heading, heading.len())?;
            let found = heading::heading_of(&new, span.start)?;
            (span.start < found.end).then_some(found.start)
        })
    }
}

/// Where a diff puts a range of the old text: the hull of the pieces that lie near together.
fn land(mapping: &Mapping, span: Span, quote_len: usize) -> Option<Span> {
    let pieces: Vec<_> = mapping.pieces(span.start..span.end).collect();
    let widest = WIDEST.0 * quote_len.max(span.len()) + WIDEST.1;
    // The window of pieces with the most text, among those narrow enough.
    let mut best: Option<(usize, Span)> = None;
    let mut first = 0;
    let mut kept = 0;
    for last in &pieces {
        kept += last.len;
        while last.new + last.len - pieces[first].new > widest {
            kept -= pieces[first].len;
            first += 1;
        }
        if best.is_none_or(|(most, _)| kept > most) {
            best = Some((kept, Span { start: pieces[first].new, end: last.new + last.len }));
        }
    }
    best.map(|(_, span)| span)
}

/// Whether what stands at `span` is still the quote.
fn judge(quote: &str, span: Span, text: &str, method: AnchorMethod) -> Option<Anchor> {
    let there = span.of(text);
    if there == quote {
        return Some(Anchor { span: Some(span), state: AnchorState::Exact, method, score: 1.0 });
    }
    let score = search::ratio(Mapping::between(quote, there).kept_bytes(), quote.len());
    (score >= ENOUGH).then_some(Anchor { span: Some(span), state: AnchorState::Edited, method, score })
}
