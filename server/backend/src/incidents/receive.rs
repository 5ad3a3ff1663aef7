//! What an inbound hook says about an incident: the API's words, as JSON. Its signature was checked before.
//!
//! Saying the same twice changes nothing; saying something else changes the incident. A type or a service that nobody
//! knows is no reason to refuse: the one becomes `unknown`, the other waits in [`super::names`].

use domain::incident::Severity;
use domain::refusal::Fields;
use domain::{Actor, Refusal, limits, text};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::said::Said;
use super::upsert::{self, Became, How};
use super::{content, names};
use crate::{Backend, Result, Tx};

/// How often what was said is tried again because somebody recorded the same incident at the same moment.
pub(crate) const TRIES: usize = 3;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The incident.
    pub id: i64,
    /// What happened to it.
    pub outcome: Happened,
}

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It is new.
    Recorded,
    /// It was known and says something else now.
    Changed,
    /// It was known and says what it said, or it is voided.
    Unchanged,
}

/// The body of a hook. What is missing is not said; null says that there is none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::option_option, reason = "not said, said to be none, said")]
struct Body {
    external_id: String,
    source: Option<String>,
    title: Option<String>,
    r#type: Option<String>,
    /// A number or a word: `2`, `"SEV2"`, `"major"`.
    severity: Option<Value>,
    services: Option<Vec<String>>,
    started_at: Option<Timestamp>,
    #[serde(deserialize_with = "said")]
    detected_at: Option<Option<Timestamp>>,
    #[serde(deserialize_with = "said")]
    mitigated_at: Option<Option<Timestamp>>,
    #[serde(deserialize_with = "said")]
    ended_at: Option<Option<Timestamp>>,
    summary: Option<String>,
    #[serde(deserialize_with = "said")]
    postmortem_url: Option<Option<String>>,
    postmortem: Option<String>,
}

/// Null says that there is none; only a missing member says nothing.
pub(super) fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Takes over what a hook says, in the transaction that takes its call in. `hook` names it: the source of incidents whose
/// body names none, so that two tools that number their incidents alike stay apart. `None`: somebody else recorded the
/// same incident at the same moment, so nothing may be committed; begin the transaction anew.
pub(crate) async fn receive_in(tx: &mut Tx<'_>, hook: &str, body: &[u8]) -> Result<Option<Received>> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|error| Refusal::field("body", format!("This is not the JSON expected here: {error}.")))?;
    take(tx, &Actor::operator(), check(body, hook)?, How::default()).await
}

/// The same in a transaction of its own.
pub async fn receive(backend: &Backend, hook: &str, body: &[u8]) -> Result<Received> {
    for _ in 0..TRIES {
        let mut tx = backend.begin_unsigned().await?;
        if let Some(received) = receive_in(&mut tx, hook, body).await? {
            return tx.commit(received).await;
        }
    }
    Err(Refusal::Busy { retry_after_seconds: 2 }.into())
}

/// The same in somebody's name, without telling anybody: for the demo's past.
pub(crate) async fn record_quietly(backend: &Backend, actor: &Actor, source: &str, body: &Value) -> Result<()> {
    let said = check(Body::deserialize(body)?, source)?;
    let mut tx = backend.begin(actor).await?;
    take(&mut tx, actor, said, How { quietly: true, ..How::default() }).await?;
    tx.commit(()).await
}

async fn take(tx: &mut Tx<'_>, actor: &Actor, said: Said, how: How) -> Result<Option<Received>> {
    let became = upsert::upsert(tx, actor, vec![said], how).await?;
    let Some(became) = became.and_then(|mut became| became.pop()) else { return Ok(None) };
    let (id, outcome) = match became {
        Became::Recorded(id, _) => (id, Happened::Recorded),
        Became::Changed(id, _) => (id, Happened::Changed),
        Became::Unchanged(id) => (id, Happened::Unchanged),
        Became::Refused(refusal) => return Err(refusal.into()),
    };
    Ok(Some(Received { id, outcome }))
}

/// Checks every value by itself.
fn check(body: Body, hook: &str) -> Result<Said, Refusal> {
    let mut fields = Fields::default();
    let name = text::line("external_id", "The external id", &body.external_id, limits::EXTERNAL_ID_CHARS);
    let external_id = fields.take(name)?;
    let source = body.source.filter(|source| !source.trim().is_empty()).unwrap_or_else(|| hook.to_owned());
    let source = fields.take(text::line("source", "The source", &source, limits::NAME_CHARS))?;
    let max = limits::INCIDENT_TITLE_CHARS;
    let title = fields.take(body.title.map(|title| text::line("title", "The title", &title, max)).transpose())?;
    let word = body.r#type.map(|word| text::optional_line("type", "The type", &word, limits::NAME_CHARS)).transpose();
    let type_word = fields.take(word)?;
    let severity = fields.take(body.severity.map(|severity| read_severity(&severity)).transpose())?;
    let services = body.services.map(|words| names::words("services", words)).transpose();
    let services = fields.take(services)?;
    let summary = body.summary.map(|summary| content::long("summary", "The summary", &summary)).transpose();
    let summary = fields.take(summary)?;
    let url = body.postmortem_url.map(|url| content::web_address(url.as_deref())).transpose();
    let postmortem_url = fields.take(url)?;
    let postmortem = body.postmortem.map(|text| content::long("postmortem", "The postmortem", &text)).transpose();
    let postmortem = fields.take(postmortem)?;
    fields.finish(Some(()))?;
    Ok(Said {
        source: source.unwrap_or_default(),
        external_id: external_id.unwrap_or_default(),
        title: title.flatten(),
        type_word: type_word.flatten(),
        severity: severity.flatten(),
        services: services.flatten(),
        started_at: body.started_at,
        detected_at: body.detected_at,
        mitigated_at: body.mitigated_at,
        ended_at: body.ended_at,
        summary: summary.flatten(),
        postmortem_url: postmortem_url.flatten(),
        postmortem: postmortem.flatten(),
    }
    .kept())
}

fn read_severity(severity: &Value) -> Result<Severity, Refusal> {
    let found = match severity {
        Value::Number(number) => Severity::parse_word(&number.to_string()),
        Value::String(word) => Severity::parse_word(word),
        _ => None,
    };
    found.ok_or_else(|| Refusal::field("severity", "The severity is 1 (critical), 2 (major), 3 (minor) or 4 (low)."))
}
