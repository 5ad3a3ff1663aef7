//! Incidents: what went wrong, when, on which services, and what was learnt.
//!
//! | file | what it holds |
//! |---|---|
//! | `content` | what people and tools say about an incident: checked, compared, kept in events |
//! | [`record`] | recording, changing, voiding |
//! | [`read`] | one incident, the list |
//! | [`types`] | the types, which leads edit |
//! | [`names`] | names of services that the catalogue does not know, and what they stand for |
//! | [`receive`] | what an inbound hook says |
//! | [`import`] | CSV and JSON files |
//! | `said` | what a source says, and what of it is new |
//! | `upsert` | what hooks and imports say, many at a time |
//! | [`aggregate`] | counts, medians and repetitions by type, service, team, month, severity |
//! | `concerns` | whom the events of incidents concern |
//! | [`overview`] | what a service's or a team's page shows of its incidents |
//!
//! Nothing is deleted: what was recorded by mistake is voided, with a reason, and counts nowhere.

pub mod aggregate;
pub(crate) mod concerns;
mod content;
pub mod import;
pub mod names;
pub mod overview;
pub mod read;
pub mod receive;
pub mod record;
mod said;
#[cfg(test)]
mod tests;
pub mod types;
mod upsert;

use domain::Refusal;
use domain::incident::Severity;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, civil};
use serde::{Deserialize, Serialize};

use crate::rfcs::PersonRef;
use crate::services::ServiceRef;
use crate::{Backend, Error, Result};

pub use read::{get, list};
pub(crate) use receive::record_quietly;
pub use record::{change, record, restore, void};

/// A type of incident, as other things name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeRef {
    /// Its name in the API: `config_change`.
    pub slug: String,
    /// Its name, as shown.
    pub name: String,
}

/// An incident was not the first of its type on a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// Where.
    pub service: ServiceRef,
    /// 2: the second within [`domain::incident::REPEAT_DAYS`] that end with its start.
    pub nth: i64,
}

/// An incident with everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Names it; a number that is never used again.
    pub id: i64,
    /// What happened, in a line.
    pub title: String,
    /// What kind of thing went wrong.
    pub incident_type: TypeRef,
    /// The word that was sent when no type was called so; empty otherwise.
    pub type_word: String,
    /// How grave it was.
    pub severity: Severity,
    /// The services it touched, by slug.
    pub services: Vec<ServiceRef>,
    /// Names of services that nobody has said the meaning of, in small letters.
    pub unknown_services: Vec<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When somebody, or an alarm, noticed.
    pub detected_at: Option<Timestamp>,
    /// When customers no longer felt it.
    pub mitigated_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Markdown.
    pub summary: String,
    /// The same as sanitised HTML; empty when there is none.
    pub summary_html: String,
    /// Where its postmortem is.
    pub postmortem_url: Option<String>,
    /// Its postmortem, Markdown; may be empty.
    pub postmortem: String,
    /// The same as sanitised HTML; empty when there is none.
    pub postmortem_html: String,
    /// Where it comes from; empty when nobody said.
    pub source: String,
    /// Its name there.
    pub external_id: Option<String>,
    /// Who recorded it; nobody: an import, a hook.
    pub recorded_by: Option<PersonRef>,
    /// Since when it counts nowhere.
    pub voided_at: Option<Timestamp>,
    /// Why; empty unless it was voided.
    pub voided_reason: String,
    /// Where it repeats others of its type.
    pub repeats: Vec<Repeat>,
    /// Counts the changes.
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether the reader may change it.
    pub may_edit: bool,
}

/// An incident in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Names it.
    pub id: i64,
    /// What happened, in a line.
    pub title: String,
    /// What kind of thing went wrong.
    pub incident_type: TypeRef,
    /// How grave it was.
    pub severity: Severity,
    /// The services it touched, by slug.
    pub services: Vec<ServiceRef>,
    /// Names of services that nobody has said the meaning of.
    pub unknown_services: Vec<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was noticed.
    pub detected_at: Option<Timestamp>,
    /// When customers no longer felt it.
    pub mitigated_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Where its postmortem is.
    pub postmortem_url: Option<String>,
    /// Its name where it comes from.
    pub external_id: Option<String>,
    /// Since when it counts nowhere.
    pub voided_at: Option<Timestamp>,
    /// Where it repeats others of its type.
    pub repeats: Vec<Repeat>,
    /// Counts the changes.
    pub version: i64,
}

/// What a form or a `POST` says about an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentInput {
    /// What happened, in a line.
    pub title: String,
    /// Slug of the type.
    pub incident_type: String,
    /// 1 to 4.
    pub severity: i64,
    /// Slugs; former ones are understood.
    pub services: Vec<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was noticed.
    pub detected_at: Option<Timestamp>,
    /// When customers no longer felt it.
    pub mitigated_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Markdown.
    pub summary: String,
    /// Where its postmortem is; blank is none.
    pub postmortem_url: Option<String>,
    /// Its postmortem as Markdown.
    pub postmortem: String,
    /// Where it comes from.
    pub source: String,
    /// Its name there; blank is none.
    pub external_id: Option<String>,
}

/// What a change says about an incident; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentChange {
    /// What happened, in a line.
    pub title: Option<String>,
    /// Slug of the type.
    pub incident_type: Option<String>,
    /// 1 to 4.
    pub severity: Option<i64>,
    /// Slugs.
    pub services: Option<Vec<String>>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was noticed.
    pub detected_at: Option<Option<Timestamp>>,
    /// When customers no longer felt it.
    pub mitigated_at: Option<Option<Timestamp>>,
    /// When it was over.
    pub ended_at: Option<Option<Timestamp>>,
    /// Markdown.
    pub summary: Option<String>,
    /// Where its postmortem is.
    pub postmortem_url: Option<Option<String>>,
    /// Its postmortem as Markdown.
    pub postmortem: Option<String>,
    /// Where it comes from.
    pub source: Option<String>,
    /// Its name there.
    pub external_id: Option<Option<String>>,
}

impl From<IncidentInput> for IncidentChange {
    /// Says everything.
    fn from(input: IncidentInput) -> Self {
        Self {
            title: Some(input.title),
            incident_type: Some(input.incident_type),
            severity: Some(input.severity),
            services: Some(input.services),
            started_at: Some(input.started_at),
            detected_at: Some(input.detected_at),
            mitigated_at: Some(input.mitigated_at),
            ended_at: Some(input.ended_at),
            summary: Some(input.summary),
            postmortem_url: Some(input.postmortem_url),
            postmortem: Some(input.postmortem),
            source: Some(input.source),
            external_id: Some(input.external_id),
        }
    }
}

/// Which incidents; what is `None` filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words in the title, the summary or the external id.
    pub q: Option<String>,
    /// Slug of the type.
    pub incident_type: Option<String>,
    /// 1 to 4.
    pub severity: Option<i64>,
    /// Slug of a service it touched.
    pub service: Option<String>,
    /// Slug of a team that owns a service it touched.
    pub team: Option<String>,
    /// Began on this date (of the organisation) or at this instant, or later.
    pub from: Option<String>,
    /// Began on this date or before, or before this instant.
    pub to: Option<String>,
    /// Voided ones instead of those that count.
    pub voided: bool,
}

/// From when to when; `to` is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Span {
    /// Reads `from` and `to`, each a date or an instant; a date `to` is included whole.
    fn parse(backend: &Backend, from: Option<&str>, to: Option<&str>) -> Result<Self, Refusal> {
        let given = |text: Option<&'_ str>| text.map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let zone = backend.time_zone();
        let mut fields = domain::refusal::Fields::default();
        let from = fields.take(given(from).map(|text| edge("from", &text, zone, false)).transpose())?;
        let to = fields.take(given(to).map(|text| edge("to", &text, zone, true)).transpose())?;
        let (from, to) = fields.finish((from, to))?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Refusal::field("to", "The end lies before the beginning."));
        }
        Ok(Self { from, to })
    }
}

/// The beginning of a date (or its end, which is the beginning of the next), or an instant.
fn edge(field: &str, text: &str, zone: &TimeZone, end: bool) -> Result<Timestamp, Refusal> {
    let wrong = || Refusal::field(field, "Give a date such as 2026-11-03, or an instant such as 2026-11-03T14:05:00Z.");
    let instant = if let Ok(instant) = text.parse::<Timestamp>() {
        instant
    } else {
        let date: civil::Date = text.parse().map_err(|_| wrong())?;
        let date = if end { date.checked_add(1.day()).map_err(|_| wrong())? } else { date };
        date.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp()
    };
    storable(instant).then_some(instant).ok_or_else(wrong)
}

/// Whether Postgres, and every sum with it, can hold the instant: from 1900 to 9000.
fn storable(instant: Timestamp) -> bool {
    (-2_208_988_800..221_845_392_000).contains(&instant.as_second())
}

/// Markdown as sanitised HTML; nothing for nothing.
async fn rendered(texts: [&str; 2]) -> Result<[String; 2]> {
    let texts = texts.map(ToOwned::to_owned);
    let render = move || texts.map(|text| crate::rfcs::render::render_comment(&text));
    tokio::task::spawn_blocking(render).await.map_err(Error::internal)
}
