//! Something an operator has to mend: what is wrong, and what to do about it.

/// A fault of the machine or its configuration, worded for the person who has to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n  To mend it: {mend}")]
pub struct Problem {
    /// What is wrong, as one sentence.
    pub what: String,
    /// What to do, with the exact command where there is one.
    pub mend: String,
}

impl Problem {
    /// A problem and its mend.
    pub fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), mend: mend.into() }
    }
}
