//! Carrying the anchors of all threads from one revision to the next.

use std::cell::OnceCell;

use super::heading::Outline;
use super::search::{self, Index};
use super::{Anchor, AnchorMethod, AnchorState, Span};
use crate::rfc::diff::Mapping;

/// The share of the original quote that must still stand at a place for it to be the quote's place.
const ENOUGH: f32 = 0.5;

/// What a person selected: never overwritten by what we find later.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The text of the revision it was selected in.
    pub body: &'a str,
    /// The range selected in it.
    pub span: Span,
}

impl<'a> Origin<'a> {
    /// The text selected.
    pub fn quote(&self) -> &'a str {
        self.span.of(self.body)
    }

    /// How wide what is left of the quote may lie: words further apart than this are no longer one place.
    fn widest(&self) -> usize {
        3 * self.span.len() + 40
    }
}

/// A revision being published: compares its text with the previous one once, then carries any number of anchors.
#[derive(Debug)]
pub struct Publication<'a> {
    next: &'a str,
    step: Mapping,
    index: OnceCell<Index<'a>>,
    outline: OnceCell<Outline<'a>>,
}

impl<'a> Publication<'a> {
    /// Publishes `next` after the revision with the text `previous`.
    pub fn new(previous: &str, next: &'a str) -> Self {
        Self { next, step: Mapping::between(previous, next), index: OnceCell::new(), outline: OnceCell::new() }
    }

    /// Where a thread is in the revision being published.
    ///
    /// `origin` is what a person last selected for it, `anchor` where it is in the previous revision. A pure function of
    /// the texts: publishing the same revisions again gives the same anchors.
    pub fn carry(&self, origin: &Origin<'_>, anchor: &Anchor) -> Anchor {
        self.follow(origin, anchor).unwrap_or_else(|| self.find(origin))
    }

    /// Follows the diff from the previous revision.
    fn follow(&self, origin: &Origin<'_>, anchor: &Anchor) -> Option<Anchor> {
        let before = anchor.span.filter(|_| anchor.state.is_anchored())?;
        let (landed, kept) = self.land(before, origin.widest())?;
        let quote = origin.quote();
        // What an edit took out and a later one put back belongs to the place again.
        let span = search::near(self.next, quote, landed).unwrap_or(landed);
        let there = span.of(self.next);
        let untouched = kept == before.len() && kept == there.len();
        let (state, score) = if there == quote {
            (if anchor.state == AnchorState::Moved { AnchorState::Moved } else { AnchorState::Exact }, 1.0)
        } else if untouched {
            (anchor.state, anchor.score)
        } else {
            (AnchorState::Edited, search::share(Mapping::between(quote, there).kept_bytes(), quote.len()))
        };
        (score >= ENOUGH).then_some(Anchor { span: Some(span), state, method: AnchorMethod::Diff, score })
    }

    /// Where the diff puts a range: around the most of its pieces that lie within `widest` bytes; and how many bytes
    /// these are.
    fn land(&self, span: Span, widest: usize) -> Option<(Span, usize)> {
        let pieces: Vec<_> = self.step.pieces(span.start..span.end).collect();
        let mut best: Option<(Span, usize)> = None;
        let (mut first, mut kept) = (0, 0);
        for last in &pieces {
            kept += last.len;
            while last.new_end() - pieces[first].new > widest {
                kept -= pieces[first].len;
                first += 1;
            }
            if best.is_none_or(|(_, most)| kept > most) {
                best = Some((Span { start: pieces[first].new, end: last.new_end() }, kept));
            }
        }
        best
    }

    /// Looks for a lost quote from scratch, so that text put back is found again.
    fn find(&self, origin: &Origin<'_>) -> Anchor {
        let index = || self.index.get_or_init(|| Index::new(self.next));
        search::again(origin.body, origin.span, self.next, index)
    }

    /// The start of the heading at which an orphan is shown: the nearest one above `position`, its old place in a text
    /// with the outline `old`, that still exists. `None`: the top of the document.
    pub fn nearest_heading(&self, old: &Outline<'_>, position: usize) -> Option<usize> {
        let outline = self.outline.get_or_init(|| Outline::of(self.next));
        outline.nearest(old, position)
    }
}
