//! Which column says what: guessed from its heading, or said by whoever imports.

use std::collections::BTreeMap;

use domain::Refusal;
use serde::{Deserialize, Serialize};

use super::dates::Unit;

/// What a column may say, in the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Its name where it comes from.
    ExternalId,
    /// Where it comes from.
    Source,
    /// What happened, in a line.
    Title,
    /// Its type.
    Type,
    /// How grave it was.
    Severity,
    /// Services it touched.
    Services,
    /// When it began.
    StartedAt,
    /// When, or how long after the start, it was noticed.
    DetectedAt,
    /// When, or how long after the start, customers no longer felt it.
    MitigatedAt,
    /// When, or how long after the start, it was over.
    EndedAt,
    /// What happened, at length.
    Summary,
    /// The address of its postmortem.
    PostmortemUrl,
    /// Its postmortem.
    Postmortem,
}

impl Field {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 13] = [
        Self::ExternalId,
        Self::Source,
        Self::Title,
        Self::Type,
        Self::Severity,
        Self::Services,
        Self::StartedAt,
        Self::DetectedAt,
        Self::MitigatedAt,
        Self::EndedAt,
        Self::Summary,
        Self::PostmortemUrl,
        Self::Postmortem,
    ];

    /// Its word in the API and in `--map COLUMN=FIELD`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::Source => "source",
            Self::Title => "title",
            Self::Type => "type",
            Self::Severity => "severity",
            Self::Services => "services",
            Self::StartedAt => "started_at",
            Self::DetectedAt => "detected_at",
            Self::MitigatedAt => "mitigated_at",
            Self::EndedAt => "ended_at",
            Self::Summary => "summary",
            Self::PostmortemUrl => "postmortem_url",
            Self::Postmortem => "postmortem",
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::ExternalId => "External id",
            Self::Source => "Source",
            Self::Title => "Title",
            Self::Type => "Type",
            Self::Severity => "Severity",
            Self::Services => "Services",
            Self::StartedAt => "Started",
            Self::DetectedAt => "Detected",
            Self::MitigatedAt => "Mitigated",
            Self::EndedAt => "Ended",
            Self::Summary => "Summary",
            Self::PostmortemUrl => "Postmortem link",
            Self::Postmortem => "Postmortem text",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }

    /// Whether it is an instant.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::StartedAt | Self::DetectedAt | Self::MitigatedAt | Self::EndedAt)
    }

    /// What headings call it, in small letters and without marks; the likelier first.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::ExternalId => &[
                "external id",
                "incident id",
                "incident number",
                "incident key",
                "id",
                "number",
                "key",
                "issue key",
                "reference",
                "ref",
                "ticket",
                "incident",
            ],
            Self::Source => &["source", "tool", "origin"],
            Self::Title => &[
                "title",
                "headline",
                "subject",
                "short description",
                "incident title",
                "incident name",
                "name",
                "summary",
                "what happened",
            ],
            Self::Type => &[
                "type",
                "incident type",
                "category",
                "classification",
                "root cause type",
                "root cause category",
                "cause",
                "kind",
            ],
            Self::Severity => &["severity", "sev", "severity level", "priority", "prio", "impact level", "level"],
            Self::Services => &[
                "services",
                "service",
                "affected services",
                "affected service",
                "services affected",
                "impacted services",
                "impacted service",
                "components",
                "component",
                "applications",
                "application",
                "systems",
                "system",
                "product",
            ],
            Self::StartedAt => &[
                "started at",
                "start",
                "started",
                "start time",
                "start date",
                "impact start",
                "impact started at",
                "began",
                "begin",
                "begin time",
                "occurred at",
                "occurred",
                "date",
                "opened at",
                "opened",
                "created at",
                "created",
            ],
            Self::DetectedAt => &[
                "detected at",
                "detected",
                "detection time",
                "detection",
                "time to detect",
                "time to detection",
                "ttd",
                "mttd",
                "noticed at",
                "noticed",
                "alerted at",
                "reported at",
                "reported",
            ],
            Self::MitigatedAt => &[
                "mitigated at",
                "mitigated",
                "mitigation time",
                "mitigation",
                "time to mitigate",
                "time to mitigation",
                "ttm",
                "mttm",
                "recovered at",
                "recovered",
                "time to recover",
                "time to restore",
                "restored at",
                "restored",
            ],
            Self::EndedAt => &[
                "ended at",
                "end",
                "ended",
                "end time",
                "end date",
                "impact end",
                "impact ended at",
                "resolved at",
                "resolved",
                "resolution time",
                "time to resolve",
                "time to resolution",
                "ttr",
                "mttr",
                "duration",
                "closed at",
                "closed",
            ],
            Self::Summary => &["summary", "description", "details", "long description", "impact", "notes"],
            Self::PostmortemUrl => &[
                "postmortem url",
                "postmortem link",
                "post mortem url",
                "post mortem link",
                "review url",
                "rca url",
                "rca link",
                "link",
                "url",
            ],
            Self::Postmortem => {
                &["postmortem", "post mortem", "postmortem text", "retrospective", "rca", "root cause analysis"]
            }
        }
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) heading: String,
    pub(super) field: Option<Field>,
    pub(super) unit: Option<Unit>,
}

/// The columns with what each says: as `said` (by heading, or `#3`), else guessed.
pub(super) fn columns(headings: &[String], said: &BTreeMap<String, String>) -> Result<Vec<Column>, Refusal> {
    let mut found: Vec<Column> =
        headings.iter().map(|heading| Column { heading: heading.clone(), field: None, unit: unit(heading) }).collect();
    let mut decided = vec![false; found.len()];
    for (column, word) in said {
        let number = column.strip_prefix('#').and_then(|number| number.parse::<usize>().ok());
        let wanted = column.trim().to_lowercase();
        let index = match number {
            Some(number) => number.checked_sub(1).filter(|index| *index < found.len()),
            None => headings.iter().position(|heading| heading.trim().to_lowercase() == wanted),
        };
        let Some(index) = index else {
            let message = format!("There is no column “{column}”; there are: {}.", headings.join(", "));
            return Err(Refusal::field("map", message));
        };
        let field = match word.as_str() {
            "" | "-" | "ignore" => None,
            word => Some(Field::parse(word).ok_or_else(|| {
                let known: Vec<_> = Field::ALL.into_iter().map(Field::as_str).collect();
                Refusal::field("map", format!("Nothing is called “{word}” here; known: {}, ignore.", known.join(", ")))
            })?),
        };
        if let Some(field) = field
            && let Some(other) =
                found.iter().zip(&decided).position(|(own, decided)| *decided && own.field == Some(field))
            && other != index
        {
            let message =
                format!("Both “{}” and “{}” are said to be {}.", headings[other], headings[index], field.as_str());
            return Err(Refusal::field("map", message));
        }
        (found[index].field, decided[index]) = (field, true);
    }
    guess(&mut found, &decided);
    Ok(found)
}

/// Gives every field that has no column the likeliest of those left.
fn guess(found: &mut [Column], decided: &[bool]) {
    let plain: Vec<String> = found.iter().map(|column| plain(&column.heading)).collect();
    for field in Field::ALL {
        if found.iter().any(|column| column.field == Some(field)) {
            continue;
        }
        let mut names = field.names().iter();
        let free = |index: &usize| found[*index].field.is_none() && !decided[*index];
        let place = names.find_map(|name| (0..found.len()).filter(free).find(|index| plain[*index] == *name));
        if let Some(index) = place {
            found[index].field = Some(field);
        }
    }
}

/// Small letters and single blanks, without units: `Time-to-detect (min)` is `time to detect`.
fn plain(heading: &str) -> String {
    let words = words(heading);
    let says_how = |word: &str| unit_of(word).is_some() || ["epoch", "unix", "timestamp", "utc"].contains(&word);
    let kept: Vec<&str> = words.iter().map(String::as_str).filter(|word| !says_how(word)).collect();
    if kept.is_empty() { words.join(" ") } else { kept.join(" ") }
}

fn words(heading: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut small = false;
    for letter in heading.chars() {
        // startedAt is two words.
        if letter.is_uppercase() && small {
            spaced.push(' ');
        }
        small = letter.is_lowercase();
        if letter.is_alphanumeric() { spaced.extend(letter.to_lowercase()) } else { spaced.push(' ') }
    }
    spaced.split_whitespace().map(ToOwned::to_owned).collect()
}

fn unit(heading: &str) -> Option<Unit> {
    let words = words(heading);
    // Seconds since 1970 are an instant.
    let instant = words.iter().any(|word| ["epoch", "unix", "timestamp"].contains(&word.as_str()));
    if instant { None } else { words.iter().find_map(|word| unit_of(word)) }
}

fn unit_of(word: &str) -> Option<Unit> {
    match word {
        "ms" | "millis" | "milliseconds" => Some(Unit::Milliseconds),
        "s" | "sec" | "secs" | "second" | "seconds" => Some(Unit::Seconds),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(Unit::Minutes),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(Unit::Hours),
        "days" => Some(Unit::Days),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(headings: &[&str]) -> Vec<Option<&'static str>> {
        let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
        let found = columns(&headings, &BTreeMap::new()).unwrap();
        found.into_iter().map(|column| column.field.map(Field::as_str)).collect()
    }

    #[test]
    fn headings_of_real_tools_are_understood() {
        assert_eq!(
            guessed(&[
                "Incident ID",
                "Title",
                "Severity",
                "Affected services",
                "Started at",
                "Resolved at",
                "Postmortem"
            ]),
            [
                Some("external_id"),
                Some("title"),
                Some("severity"),
                Some("services"),
                Some("started_at"),
                Some("ended_at"),
                Some("postmortem")
            ]
        );
        // A tracker's export: its summary is a title beside a description.
        assert_eq!(
            guessed(&["Issue key", "Summary", "Priority", "Component", "Created", "Resolved", "Description"]),
            [
                Some("external_id"),
                Some("title"),
                Some("severity"),
                Some("services"),
                Some("started_at"),
                Some("ended_at"),
                Some("summary")
            ]
        );
        assert_eq!(
            guessed(&[
                "title",
                "summary",
                "startedAt",
                "Time-to-detect (min)",
                "TTM minutes",
                "duration_seconds",
                "Owner"
            ]),
            [
                Some("title"),
                Some("summary"),
                Some("started_at"),
                Some("detected_at"),
                Some("mitigated_at"),
                Some("ended_at"),
                None
            ]
        );
        assert_eq!(unit("Time-to-detect (min)"), Some(Unit::Minutes));
        assert_eq!(unit("duration_seconds"), Some(Unit::Seconds));
        assert_eq!(unit("Started at"), None);
    }

    #[test]
    fn whoever_imports_knows_better() {
        let headings: Vec<String> = ["When", "What", "Start", "What"].map(ToOwned::to_owned).to_vec();
        let said = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|&(column, field)| (column.to_owned(), field.to_owned())).collect();
            let found = columns(&headings, &pairs)?;
            Ok::<_, Refusal>(found.into_iter().map(|column| column.field).collect::<Vec<_>>())
        };
        let found = said(&[("when", "started_at"), ("#4", "title"), ("Start", "ignore")]).unwrap();
        assert_eq!(found, [Some(Field::StartedAt), None, None, Some(Field::Title)]);
        for wrong in [
            &[("nothing", "title")][..],
            &[("#9", "title")],
            &[("When", "colour")],
            &[("When", "title"), ("What", "title")],
        ] {
            assert!(said(wrong).unwrap_err().message_for("map").is_some(), "{wrong:?}");
        }
    }
}
