//! Anchors: where in an RFC's text a thread belongs, in every revision.
//!
//! A thread is opened on a range of bytes of one revision. When a later revision is published, [`Publication::carry`]
//! finds the place in the new text. The rules, in order:
//!
//! 1. Follow the diff from the previous revision. At least half of the original quote must still be there, near together.
//! 2. Look for the very words elsewhere: the text was moved, or taken out and put back.
//! 3. Look for similar words: a suggestion that a person confirms.
//! 4. Orphaned: shown at the nearest heading that still exists, with its quote.
//!
//! What is kept is always counted against the original quote, so that many small edits cannot carry a comment to text
//! that has nothing left of it; and what is lost is looked for again in every revision, so that text put back gets its
//! comments back.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

#[cfg(feature = "rules")]
mod carry;
#[cfg(feature = "rules")]
mod heading;
#[cfg(feature = "rules")]
mod search;

#[cfg(feature = "rules")]
pub use carry::{Origin, Publication};
#[cfg(feature = "rules")]
pub use heading::Outline;

/// A range of bytes of one revision's text, on UTF-8 borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// The range, if it lies inside `text` on character borders and is not empty.
    pub fn checked(start: usize, end: usize, text: &str) -> Option<Self> {
        (start < end && text.get(start..end).is_some()).then_some(Self { start, end })
    }

    /// Its length in bytes.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The text it covers.
    ///
    /// # Panics
    /// If the span does not belong to `text`.
    pub fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// How sure we are of an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnchorState {
    /// The quote stands there unchanged.
    Exact,
    /// At least half of the quote stands there.
    Edited,
    /// The quote was found at another place.
    Moved,
    /// Perhaps here: waits for a person to confirm.
    Suggested,
    /// Nowhere in this revision.
    Orphaned,
}

impl AnchorState {
    /// Every state, the surest first.
    pub const ALL: [Self; 5] = [Self::Exact, Self::Edited, Self::Moved, Self::Suggested, Self::Orphaned];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Edited => "edited",
            Self::Moved => "moved",
            Self::Suggested => "suggested",
            Self::Orphaned => "orphaned",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        super::one_of(field, "state", &Self::ALL, Self::as_str, word)
    }

    /// Whether the thread has its place; a suggestion still needs a person.
    pub fn is_anchored(self) -> bool {
        matches!(self, Self::Exact | Self::Edited | Self::Moved)
    }
}

/// How an anchor was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnchorMethod {
    /// A person selected it when opening the thread.
    Selected,
    /// A person put the thread there later.
    Reattached,
    /// By the diff from the previous revision.
    Diff,
    /// By the very words of the quote.
    Quote,
    /// By words like those of the quote.
    Similar,
    /// Not found.
    None,
}

impl AnchorMethod {
    /// Every method.
    pub const ALL: [Self; 6] = [Self::Selected, Self::Reattached, Self::Diff, Self::Quote, Self::Similar, Self::None];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Selected => "selected",
            Self::Reattached => "reattached",
            Self::Diff => "diff",
            Self::Quote => "quote",
            Self::Similar => "similar",
            Self::None => "none",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        super::one_of(field, "method", &Self::ALL, Self::as_str, word)
    }
}

/// Where a thread is in one revision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// The place; `None` only when orphaned.
    pub span: Option<Span>,
    /// How sure we are.
    pub state: AnchorState,
    /// How it was found.
    pub method: AnchorMethod,
    /// The share of the original quote's bytes that stand there, 0 to 1.
    pub score: f32,
}

impl Anchor {
    /// The anchor of a range a person just selected.
    pub fn selected(span: Span) -> Self {
        Self { span: Some(span), state: AnchorState::Exact, method: AnchorMethod::Selected, score: 1.0 }
    }

    /// The anchor of a thread that a person just put in its place.
    pub fn reattached(span: Span) -> Self {
        Self { method: AnchorMethod::Reattached, ..Self::selected(span) }
    }

    /// The anchor of a thread whose text is gone.
    pub fn orphaned() -> Self {
        Self { span: None, state: AnchorState::Orphaned, method: AnchorMethod::None, score: 0.0 }
    }
}
