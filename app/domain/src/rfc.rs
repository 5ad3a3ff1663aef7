//! RFCs: kinds, statuses and the transitions between them, severities of threads.

pub mod anchor;
#[cfg(feature = "rules")]
pub mod diff;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// What an RFC is about; decides which readiness questions it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How something is built.
    Architecture,
    /// What reliability is promised and measured.
    Slo,
    /// Something goes to customers.
    Launch,
    /// How people work.
    Process,
    /// Anything else.
    Other,
}

impl Kind {
    /// Every kind, in the order forms offer them.
    pub const ALL: [Self; 5] = [Self::Architecture, Self::Slo, Self::Launch, Self::Process, Self::Other];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Architecture => "architecture",
            Self::Slo => "slo",
            Self::Launch => "launch",
            Self::Process => "process",
            Self::Other => "other",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Architecture => "Architecture",
            Self::Slo => "SLO",
            Self::Launch => "Launch",
            Self::Process => "Process",
            Self::Other => "Other",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        one_of(field, "kind", &Self::ALL, Self::as_str, word)
    }
}

/// Where an RFC stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Only its authors and those it is shared with read it.
    Draft,
    /// Published, and open for review.
    InReview,
    /// About to be accepted unless someone objects.
    FinalComment,
    /// Agreed.
    Accepted,
    /// Agreed and built.
    Implemented,
    /// Not agreed.
    Declined,
    /// Not now.
    Deferred,
    /// Taken back by its authors.
    Withdrawn,
    /// Replaced by another RFC.
    Superseded,
}

impl Status {
    /// Every status, in the order of an RFC's life.
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::InReview,
        Self::FinalComment,
        Self::Accepted,
        Self::Implemented,
        Self::Declined,
        Self::Deferred,
        Self::Withdrawn,
        Self::Superseded,
    ];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InReview => "in_review",
            Self::FinalComment => "final_comment",
            Self::Accepted => "accepted",
            Self::Implemented => "implemented",
            Self::Declined => "declined",
            Self::Deferred => "deferred",
            Self::Withdrawn => "withdrawn",
            Self::Superseded => "superseded",
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::InReview => "In review",
            Self::FinalComment => "Final comment",
            Self::Accepted => "Accepted",
            Self::Implemented => "Implemented",
            Self::Declined => "Declined",
            Self::Deferred => "Deferred",
            Self::Withdrawn => "Withdrawn",
            Self::Superseded => "Superseded",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        one_of(field, "status", &Self::ALL, Self::as_str, word)
    }

    /// Whether new revisions may be published.
    pub fn takes_revisions(self) -> bool {
        matches!(self, Self::Draft | Self::InReview | Self::FinalComment)
    }

    /// The statuses that may follow this one.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::InReview],
            Self::InReview => &[Self::Withdrawn],
            _ => &[],
        }
    }
}

/// How much weight a thread has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Take it or leave it.
    Note,
    /// The author should act or answer.
    Should,
    /// A concern: in the way of acceptance until it is resolved.
    Blocking,
}

impl Severity {
    /// Every severity, the lightest first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Should, Self::Blocking];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Should => "should",
            Self::Blocking => "blocking",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Note => "Note",
            Self::Should => "Should fix",
            Self::Blocking => "Blocking",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        one_of(field, "severity", &Self::ALL, Self::as_str, word)
    }
}

/// Where a thread stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadState {
    /// Being discussed.
    Open,
    /// Done.
    Resolved,
    /// Said to be done; its opener has yet to look.
    NeedsVerification,
    /// Given up.
    Dropped,
}

impl ThreadState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Resolved, Self::NeedsVerification, Self::Dropped];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::NeedsVerification => "needs_verification",
            Self::Dropped => "dropped",
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Resolved => "Resolved",
            Self::NeedsVerification => "Needs verification",
            Self::Dropped => "Dropped",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        one_of(field, "state", &Self::ALL, Self::as_str, word)
    }
}

/// The value with this word, or the refusal that names all words.
fn one_of<T: Copy>(
    field: &str,
    what: &str,
    all: &[T],
    as_str: fn(T) -> &'static str,
    word: &str,
) -> Result<T, Refusal> {
    all.iter().copied().find(|value| as_str(*value) == word).ok_or_else(|| {
        let words: Vec<_> = all.iter().copied().map(as_str).collect();
        Refusal::field(field, format!("The {what} is one of {}.", words.join(", ")))
    })
}

/// Checks a byte range against a body: both or neither, on UTF-8 borders, `start < end ≤ length`.
pub fn check_range(body: &str, start: Option<i64>, end: Option<i64>) -> Result<Option<(usize, usize)>, Refusal> {
    let (start, end) = match (start, end) {
        (None, None) => return Ok(None),
        (Some(start), Some(end)) => (start, end),
        (Some(_), None) => return Err(Refusal::field("end", "Give both start and end, or neither.")),
        (None, Some(_)) => return Err(Refusal::field("start", "Give both start and end, or neither.")),
    };
    let at_border = |field: &str, offset: i64| {
        let offset = usize::try_from(offset)
            .map_err(|_| Refusal::field(field, format!("{field} is a byte offset from 0 on.")))?;
        if offset > body.len() {
            let message = format!("{field} is past the end: the revision has {} bytes.", body.len());
            return Err(Refusal::field(field, message));
        }
        if !body.is_char_boundary(offset) {
            let message = format!("{field} is inside a character; move it to the character's first byte.");
            return Err(Refusal::field(field, message));
        }
        Ok(offset)
    };
    let (start, end) = (at_border("start", start)?, at_border("end", end)?);
    if start >= end {
        return Err(Refusal::field("end", "The range is empty: end must be greater than start."));
    }
    Ok(Some((start, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_keep_to_characters() {
        let body = "añ🧊z";
        assert_eq!(check_range(body, None, None).unwrap(), None);
        assert_eq!(check_range(body, Some(0), Some(8)).unwrap(), Some((0, 8)));
        assert_eq!(check_range(body, Some(1), Some(3)).unwrap(), Some((1, 3)));
        for (start, end) in [(2, 3), (0, 4), (0, 9), (-1, 3), (3, 3), (3, 1)] {
            assert_eq!(check_range(body, Some(start), Some(end)).unwrap_err().status(), 422, "{start}..{end}");
        }
        assert!(check_range(body, Some(1), None).is_err());
        assert!(check_range(body, None, Some(1)).is_err());
    }
}
