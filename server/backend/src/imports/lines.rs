//! What an import finds and does, line by line, as a person reads it.

use std::collections::BTreeMap;

use domain::Actor;
use domain::policy::{Action, allows};
use serde::{Deserialize, Serialize};

use super::states::words;
use crate::{Backend, Page, PageRequest, Result};

words! {
    /// What a line says about its subject.
    Outcome {
        /// It is made.
        New "new"
        /// It is changed.
        Changed "changed"
        /// The file says otherwise, or no longer says it; what is here stays.
        Kept "kept"
        /// It cannot be taken over.
        Refused "refused"
        /// Something to know: a name twice, a field that has no place here.
        Noted "noted"
    }
}

/// Where in which file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 when it is about the file as a whole.
    pub line: u64,
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub field: String,
    /// What is here.
    pub before: String,
    /// What the file says.
    pub after: String,
}

/// One line of a comparison or report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it says about its subject.
    pub outcome: Outcome,
    /// The sort of thing, as the counts name it: `service`, `repeated name`.
    pub sort: String,
    /// What it is about, by name.
    pub subject: String,
    /// Where the file says it.
    pub place: Place,
    /// A sentence, where the changes do not say it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// How many of each sort: `new service`, `noted repeated name`. What has no line begins with another word than those of
/// [`Outcome`]: `unchanged service`, `counted dependency`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(pub BTreeMap<String, i64>);

impl Counts {
    /// Counts something of which no line is kept, such as what is unchanged.
    pub fn add(&mut self, what: &str, n: i64) {
        if n != 0 {
            *self.0.entry(what.to_owned()).or_default() += n;
        }
    }

    /// Counts a line.
    pub fn count(&mut self, line: &Line) {
        self.add(&format!("{} {}", line.outcome.as_str(), line.sort), 1);
    }

    /// How many of this.
    pub fn of(&self, what: &str) -> i64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// How many lines with this outcome, of every sort that has lines.
    pub fn with(&self, outcome: Outcome) -> i64 {
        let prefix = format!("{} ", outcome.as_str());
        self.0.iter().filter(|(what, _)| what.starts_with(&prefix)).map(|(_, n)| n).sum()
    }
}

/// When a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// When the file was compared with what is here.
    Check,
    /// When it was applied.
    Apply,
}

impl Phase {
    /// Its word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Apply => "apply",
        }
    }
}

/// The lines of an import with one outcome (all outcomes: `None`), in the order in which they were written.
pub async fn lines(
    backend: &Backend,
    actor: &Actor,
    import: i64,
    phase: Phase,
    outcome: Option<Outcome>,
    page: &PageRequest,
) -> Result<Page<Line>> {
    allows(actor, Action::Administer)?;
    let rows = page.rows()?;
    let found = sqlx::query!(
        "select id, line from import_lines
          where import_id = $1 and phase = $2 and ($3::text is null or outcome = $3) and ($4::bigint is null or id > $4)
          order by id limit $5",
        import,
        phase.as_str(),
        outcome.map(Outcome::as_str),
        page.after::<i64>()?,
        rows + 1,
    )
    .fetch_all(backend.pool())
    .await?;
    Page::new(found, rows, |row| row.id)?.try_map(|row| Ok(serde_json::from_value(row.line)?))
}
