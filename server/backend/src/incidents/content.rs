//! What people and tools say about an incident: checked, compared, written and kept in events. Wherever it is made or
//! taken apart every field is named, so that a new one cannot be forgotten.

use domain::incident::Severity;
use domain::refusal::{Fields, Taken as _};
use domain::{Refusal, incident, limits, text};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Incident, IncidentChange, IncidentInput, storable};
use crate::Error;

/// How far ahead of ours another clock may be: an incident that starts later than that is a mistake, often day and month
/// mixed up.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The constraints of the table about the order of the instants, with the field and the sentence for each.
pub(super) const ORDER: [(&str, &str, &str); 4] = [
    ("incidents_detected_from_start", "detected_at", "An incident cannot be detected before it starts."),
    ("incidents_mitigated_from_start", "mitigated_at", "An incident cannot be mitigated before it starts."),
    ("incidents_ended_from_start", "ended_at", "An incident cannot end before it starts."),
    ("incidents_ended_from_mitigation", "ended_at", "An incident cannot end before it is mitigated."),
];

/// What is said about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) title: String,
    /// Slug.
    #[serde(rename = "type")]
    pub(super) incident_type: String,
    /// The word that stands for no type.
    pub(super) type_word: String,
    pub(super) severity: Severity,
    /// Slugs, in order.
    pub(super) services: Vec<String>,
    /// Names that nobody knows, in small letters, in order.
    pub(super) unknown_services: Vec<String>,
    #[serde(flatten)]
    pub(super) times: Times,
    pub(super) summary: String,
    pub(super) postmortem_url: Option<String>,
    pub(super) postmortem: String,
    pub(super) source: String,
    pub(super) external_id: Option<String>,
}

/// When it began, was noticed, felt no longer, over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the words of the API")]
pub(super) struct Times {
    pub(super) started_at: Timestamp,
    pub(super) detected_at: Option<Timestamp>,
    pub(super) mitigated_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
}

impl Times {
    /// As the database keeps them.
    fn kept(self) -> Self {
        Self {
            started_at: kept(self.started_at),
            detected_at: self.detected_at.map(kept),
            mitigated_at: self.mitigated_at.map(kept),
            ended_at: self.ended_at.map(kept),
        }
    }

    /// Complains about every rule that is broken.
    pub(super) fn check(&self, fields: &mut Fields, now: Timestamp) {
        let Self { started_at, detected_at, mitigated_at, ended_at } = *self;
        let ahead = now.checked_add(AHEAD).unwrap_or(now);
        for (field, at) in [
            ("started_at", Some(started_at)),
            ("detected_at", detected_at),
            ("mitigated_at", mitigated_at),
            ("ended_at", ended_at),
        ] {
            if at.is_some_and(|at| !storable(at)) {
                fields.complain(field, "This year is not possible.");
            } else if at.is_some_and(|at| at > ahead) {
                fields.complain(field, "This lies in the future: are day and month mixed up?");
            }
        }
        let broken = [
            detected_at.is_some_and(|at| at < started_at),
            mitigated_at.is_some_and(|at| at < started_at),
            ended_at.is_some_and(|at| at < started_at),
            // One complaint is enough about an end before the start.
            ended_at.zip(mitigated_at).is_some_and(|(ended, mitigated)| ended < mitigated && ended >= started_at),
        ];
        for ((_, field, sentence), _) in ORDER.iter().zip(broken).filter(|(_, broken)| *broken) {
            fields.complain(*field, *sentence);
        }
    }
}

impl Content {
    /// Checks everything that needs no database, and says all that is wrong at once.
    pub(super) fn check(input: IncidentInput, now: Timestamp) -> Result<Self, Refusal> {
        let IncidentInput {
            title,
            incident_type,
            severity,
            services,
            started_at,
            detected_at,
            mitigated_at,
            ended_at,
            summary,
            postmortem_url,
            postmortem,
            source,
            external_id,
        } = input;
        let mut fields = Fields::default();
        let title = fields.take(text::line("title", "The title", &title, limits::INCIDENT_TITLE_CHARS))?;
        let incident_type = fields.take(incident::type_slug("type", &incident_type))?;
        let severity = fields.take(Severity::parse(severity))?;
        if services.len() > limits::INCIDENT_SERVICES {
            let message = format!("At most {} services are possible.", limits::INCIDENT_SERVICES);
            fields.complain("services", message);
        }
        let times = Times { started_at, detected_at, mitigated_at, ended_at }.kept();
        times.check(&mut fields, now);
        let summary = fields.take(long("summary", "The summary", &summary))?;
        let postmortem = fields.take(long("postmortem", "The postmortem", &postmortem))?;
        let url = fields.take(web_address(postmortem_url.as_deref()))?;
        let source = fields.take(text::optional_line("source", "The source", &source, limits::NAME_CHARS))?;
        let name = external_id.unwrap_or_default();
        let name = text::optional_line("external_id", "The external id", &name, limits::EXTERNAL_ID_CHARS);
        let kind = (title, incident_type, severity).all();
        let reference = (url, source, fields.take(name)?).all();
        let (kind, reference, texts) = fields.finish((kind, reference, (summary, postmortem).all()))?;
        let (title, incident_type, severity) = kind;
        let (postmortem_url, source, external_id) = reference;
        let (summary, postmortem) = texts;
        Ok(Self {
            title,
            incident_type,
            type_word: String::new(),
            severity,
            services,
            unknown_services: Vec::new(),
            times,
            summary,
            postmortem_url,
            postmortem,
            source,
            external_id: Some(external_id).filter(|id| !id.is_empty()),
        })
    }

    /// What is said about an incident that exists.
    pub(super) fn of(incident: &Incident) -> Self {
        let Incident {
            title,
            incident_type,
            type_word,
            severity,
            services,
            unknown_services,
            started_at,
            detected_at,
            mitigated_at,
            ended_at,
            summary,
            postmortem_url,
            postmortem,
            source,
            external_id,
            // What nobody says.
            id: _,
            summary_html: _,
            postmortem_html: _,
            recorded_by: _,
            voided_at: _,
            voided_reason: _,
            repeats: _,
            version: _,
            created_at: _,
            updated_at: _,
            may_edit: _,
        } = incident;
        Self {
            title: title.clone(),
            incident_type: incident_type.slug.clone(),
            type_word: type_word.clone(),
            severity: *severity,
            services: services.iter().map(|service| service.slug.clone()).collect(),
            unknown_services: unknown_services.clone(),
            times: Times {
                started_at: *started_at,
                detected_at: *detected_at,
                mitigated_at: *mitigated_at,
                ended_at: *ended_at,
            },
            summary: summary.clone(),
            postmortem_url: postmortem_url.clone(),
            postmortem: postmortem.clone(),
            source: source.clone(),
            external_id: external_id.clone(),
        }
    }

    /// The same after a change.
    pub(super) fn after(&self, change: IncidentChange, now: Timestamp) -> Result<Self, Refusal> {
        let IncidentChange {
            title,
            incident_type,
            severity,
            services,
            started_at,
            detected_at,
            mitigated_at,
            ended_at,
            summary,
            postmortem_url,
            postmortem,
            source,
            external_id,
        } = change;
        let was = self.clone();
        // Whoever sorts an incident has dealt with the word that was no type.
        let sorted = incident_type.as_ref().is_some_and(|slug| *slug != was.incident_type);
        let input = IncidentInput {
            title: title.unwrap_or(was.title),
            incident_type: incident_type.unwrap_or(was.incident_type),
            severity: severity.unwrap_or(i64::from(was.severity.number())),
            services: services.unwrap_or(was.services),
            started_at: started_at.unwrap_or(was.times.started_at),
            detected_at: detected_at.unwrap_or(was.times.detected_at),
            mitigated_at: mitigated_at.unwrap_or(was.times.mitigated_at),
            ended_at: ended_at.unwrap_or(was.times.ended_at),
            summary: summary.unwrap_or(was.summary),
            postmortem_url: postmortem_url.unwrap_or(was.postmortem_url),
            postmortem: postmortem.unwrap_or(was.postmortem),
            source: source.unwrap_or(was.source),
            external_id: external_id.unwrap_or(was.external_id),
        };
        let mut content = Self::check(input, now)?;
        content.unknown_services = was.unknown_services;
        content.type_word = if sorted { String::new() } else { was.type_word };
        Ok(content)
    }
}

/// A longer text; may be empty.
pub(super) fn long(field: &str, label: &str, value: &str) -> Result<String, Refusal> {
    if value.trim().is_empty() {
        return Ok(String::new());
    }
    text::body(field, label, value, limits::INCIDENT_TEXT_BYTES)
}

/// Where the postmortem is; blank is nowhere.
pub(super) fn web_address(url: Option<&str>) -> Result<Option<String>, Refusal> {
    let url = url.filter(|url| !url.trim().is_empty());
    url.map(|url| text::web_address("postmortem_url", url)).transpose()
}

/// Cut to microseconds, which is what the database keeps.
pub(super) fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// What the violation of one of the table's constraints means.
pub(super) fn refused(error: sqlx::Error) -> Error {
    let constraint = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint);
    let known = ORDER.iter().find(|(name, ..)| constraint == Some(name));
    if let Some((_, field, sentence)) = known {
        return Refusal::field(*field, *sentence).into();
    }
    if constraint == Some("incidents_external_id_unique") {
        return Refusal::field("external_id", "Another incident of this source has this external id.").into();
    }
    error.into()
}
