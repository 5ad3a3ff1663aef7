//! One row to what it says about an incident, every value checked by itself.

use std::fmt::Write as _;

use domain::incident::Severity;
use domain::{Refusal, limits, text};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::dates::{self, Order};
use super::mapping::{Column, Field};
use super::rows::Cells;
use super::{Options, Said};
use crate::incidents::{content, names};

/// The beginning of an external id that was made from a row's title and start, because the row has none.
pub(super) const DERIVED: &str = "row-";

/// Why a row is not taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// The incident, as far as it is known.
    pub(super) subject: String,
    /// With the column's heading.
    pub(super) reason: String,
}

/// What there is to say about a row that is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// About one of its times.
    Time(String),
    /// About the word for its severity: the same for every row that has it.
    Severity(String),
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// JSON: there is no such member.
    Missing,
    Text(String),
    List(Vec<String>),
}

impl Cell {
    /// As one text.
    pub(super) fn as_text(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(text.clone()),
            Self::List(items) => Some(items.join(", ")),
        }
    }

    /// Parts between commas, semicolons, bars and lines.
    fn as_list(&self) -> Option<Vec<String>> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(text.split([',', ';', '|', '\n', '\r']).map(ToOwned::to_owned).collect()),
            Self::List(items) => Some(items.clone()),
        }
    }
}

/// What stands in a column.
pub(super) fn cell(cells: &Cells, index: usize, heading: &str) -> Cell {
    match cells {
        // A row that ends early has nothing in the columns it does not reach.
        Cells::Csv(cells) => Cell::Text(cells.get(index).cloned().unwrap_or_default()),
        Cells::Json(members) => member(members, heading).map_or(Cell::Missing, |value| match value {
            Value::Array(items) => Cell::List(items.iter().map(name_of).collect()),
            value => Cell::Text(name_of(value)),
        }),
    }
}

/// A member by its name, or by the way to it: `service.name`.
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = members.get(name) {
        return Some(value);
    }
    let mut ways = name.match_indices('.');
    ways.find_map(|(at, _)| member(members.get(&name[..at])?.as_object()?, &name[at + 1..]))
}

/// A value as a text; an object by what names it.
fn name_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let named = ["slug", "name", "id", "title"].iter().find_map(|name| members.get(*name)?.as_str());
            named.map_or_else(|| value.to_string(), ToOwned::to_owned)
        }
        other => other.to_string(),
    }
}

/// What a row says, and what there is to say about it.
pub(super) fn row(
    cells: &Cells,
    columns: &[Column],
    order: Option<Order>,
    options: &Options,
) -> Result<(Said, Vec<Note>), Refused> {
    let of = |field: Field| {
        let (index, column) = columns.iter().enumerate().find(|(_, column)| column.field == Some(field))?;
        let found = cell(cells, index, &column.heading);
        Some((column, found)).filter(|(_, found)| *found != Cell::Missing)
    };
    let said = |field: Field| of(field).and_then(|(_, found)| found.as_text());
    let given = |field: Field| said(field).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let named = given(Field::ExternalId).or_else(|| given(Field::Title)).unwrap_or_default();
    let subject: String = named.chars().take(limits::EXTERNAL_ID_CHARS).collect();
    if let Cells::Csv(cells) = cells
        && let Some(extra) = cells.iter().skip(columns.len()).find(|cell| !cell.trim().is_empty())
    {
        let extra: String = extra.trim().chars().take(60).collect();
        let reason = format!("This row has more columns than there are headings: “{extra}” belongs to none.");
        return Err(Refused { subject, reason });
    }
    let refused = |field: Field, reason: String| {
        let heading = of(field).map_or(field.label(), |(column, _)| column.heading.as_str());
        Refused { subject: subject.clone(), reason: format!("{heading}: {reason}") }
    };
    let in_words = |field: Field| move |refusal: Refusal| refused(field, refusal.to_string());
    let mut notes = Vec::new();
    let is_said = |field: Field| of(field).is_some();
    let mut time = |field: Field, start: Option<Timestamp>| -> Result<Option<Timestamp>, Refused> {
        let Some((column, found)) = of(field) else { return Ok(None) };
        let text = found.as_text().unwrap_or_default();
        if matches!(text.trim(), "" | "-" | "null" | "N/A" | "n/a") {
            return Ok(None);
        }
        let found = dates::resolve(&text, column.unit, order, &options.zone, start);
        let found = found.map_err(|reason| refused(field, reason))?;
        notes.extend(found.note.map(|note| Note::Time(format!("{}: {note}", column.heading))));
        Ok(Some(found.at))
    };
    let started_at = time(Field::StartedAt, None)?;
    let (detected, mitigated) = (time(Field::DetectedAt, started_at)?, time(Field::MitigatedAt, started_at)?);
    let ended = time(Field::EndedAt, started_at)?;
    let max = limits::INCIDENT_TITLE_CHARS;
    // A title of several lines is one of blanks.
    let title = given(Field::Title).map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
    let title = title.map(|title| text::line("title", "The title", &title, max)).transpose();
    let title = title.map_err(in_words(Field::Title))?;
    let type_word = said(Field::Type).map(|word| text::optional_line("type", "The type", &word, limits::NAME_CHARS));
    let type_word = type_word.transpose().map_err(in_words(Field::Type))?;
    let severity = given(Field::Severity).map(|word| -> Result<Severity, Refused> {
        let severity = Severity::parse_word(&word);
        let word: String = word.chars().take(60).collect();
        let severity = severity.ok_or_else(|| {
            refused(
                Field::Severity,
                format!("“{word}” is no severity; write 1 (critical), 2 (major), 3 (minor) or 4 (low)."),
            )
        })?;
        // Another number than its own was read.
        let other = !word.contains(&severity.number().to_string());
        if other && word.contains(|letter: char| letter.is_ascii_digit()) {
            notes.push(Note::Severity(format!("“{word}” is read as {}.", severity.label())));
        }
        Ok(severity)
    });
    let severity = severity.transpose()?;
    let services = of(Field::Services).and_then(|(_, found)| found.as_list());
    let services = services.map(|words| names::words("services", words)).transpose();
    let services = services.map_err(in_words(Field::Services))?;
    let summary = said(Field::Summary).map(|text| content::long("summary", "The summary", &text)).transpose();
    let summary = summary.map_err(in_words(Field::Summary))?;
    let mut postmortem = said(Field::Postmortem);
    let mut url = said(Field::PostmortemUrl);
    // A column that is called "Postmortem" often has the address of one.
    if url.is_none()
        && let Some(text) = &postmortem
        && content::web_address(Some(text.trim())).is_ok_and(|url| url.is_some())
    {
        (url, postmortem) = (postmortem.take(), None);
    }
    let postmortem = postmortem.map(|text| content::long("postmortem", "The postmortem", &text)).transpose();
    let postmortem = postmortem.map_err(in_words(Field::Postmortem))?;
    let postmortem_url = url.map(|url| content::web_address(Some(url.trim()))).transpose();
    let postmortem_url = postmortem_url.map_err(in_words(Field::PostmortemUrl))?;
    let source = given(Field::Source).unwrap_or_else(|| options.source.clone());
    let source = text::optional_line("source", "The source", &source, limits::NAME_CHARS);
    let source = source.map_err(in_words(Field::Source))?;
    let external_id = match given(Field::ExternalId) {
        Some(name) => text::line("external_id", "The external id", &name, limits::EXTERNAL_ID_CHARS)
            .map_err(in_words(Field::ExternalId))?,
        None => derived(title.as_deref(), started_at).ok_or_else(|| {
            let mut reason = "This row has no external id, and not both a title and a start to know it by.".to_owned();
            if let Some(name) = list_within(cells) {
                let name: String = name.chars().take(60).collect();
                // Writing into a text cannot fail.
                let _ = write!(
                    reason,
                    " It holds a list called “{name}”: if that is the list of incidents, hand in the list alone, or call \
                     it “incidents”."
                );
            }
            Refused { subject: subject.clone(), reason }
        })?,
    };
    let said = Said {
        source,
        external_id,
        title,
        type_word,
        severity,
        services,
        started_at,
        detected_at: is_said(Field::DetectedAt).then_some(detected),
        mitigated_at: is_said(Field::MitigatedAt).then_some(mitigated),
        ended_at: is_said(Field::EndedAt).then_some(ended),
        summary,
        postmortem_url,
        postmortem,
    };
    Ok((said.kept(), notes))
}

/// The member of an object that is a list of objects.
fn list_within(cells: &Cells) -> Option<&str> {
    let Cells::Json(members) = cells else { return None };
    let is_list = |value: &Value| value.as_array().is_some_and(|items| items.first().is_some_and(Value::is_object));
    members.iter().find_map(|(name, value)| is_list(value).then_some(name.as_str()))
}

/// A name for a row that has none: the same with every import.
fn derived(title: Option<&str>, started_at: Option<Timestamp>) -> Option<String> {
    let digest = Sha256::new().chain_update(title?).chain_update([0]).chain_update(started_at?.to_string()).finalize();
    let mut name = DERIVED.to_owned();
    for byte in digest.iter().take(12) {
        // Writing into a text cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    Some(name)
}
