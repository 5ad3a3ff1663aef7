//! Incidents: how grave they are, what kind they are, when one repeats another.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::refusal::Refusal;

/// The type of what nobody has sorted yet. It cannot be archived, and two of it are no repetition.
pub const UNKNOWN_TYPE: &str = "unknown";
/// How far back an incident looks for others of its type on the same service: "3rd config change in 90 days".
pub const REPEAT_DAYS: i32 = 90;

/// How grave an incident was. Four steps, as most published incident processes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "i16", try_from = "i16")]
pub enum Severity {
    /// 1: customers could not use the product, or data or people were at risk.
    Critical,
    /// 2: a main function failed, or was very slow, for many customers.
    Major,
    /// 3: some customers or one lesser function; there was a way around.
    Minor,
    /// 4: hardly anybody noticed, or it nearly happened.
    Low,
}

impl Severity {
    /// Every severity, the gravest first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Major, Self::Minor, Self::Low];

    /// 1 to 4.
    pub fn number(self) -> i16 {
        match self {
            Self::Critical => 1,
            Self::Major => 2,
            Self::Minor => 3,
            Self::Low => 4,
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Critical => "Severity 1 · critical",
            Self::Major => "Severity 2 · major",
            Self::Minor => "Severity 3 · minor",
            Self::Low => "Severity 4 · low",
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Critical => "Customers could not use the product, or data or people were at risk.",
            Self::Major => "A main function failed, or was very slow, for many customers.",
            Self::Minor => "Some customers or one lesser function; there was a way around.",
            Self::Low => "Hardly anybody noticed, or it nearly happened.",
        }
    }

    /// Whether the owners of its services are told of it.
    pub fn is_grave(self) -> bool {
        self <= Self::Major
    }

    /// Reads 1, 2, 3 or 4.
    pub fn parse(number: i64) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|severity| i64::from(severity.number()) == number)
            .ok_or_else(|| Refusal::field("severity", "The severity is 1 (critical), 2 (major), 3 (minor) or 4 (low)."))
    }

    /// Reads what incident tools write: `2`, `SEV2`, `Sev-2`, `P2`, `S2`, `major`. Some have a step beyond ours: 0 is
    /// their gravest, 5 their least.
    pub fn parse_word(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        match word.as_str() {
            "critical" => return Some(Self::Critical),
            "major" | "high" => return Some(Self::Major),
            "minor" | "medium" | "moderate" => return Some(Self::Minor),
            "low" => return Some(Self::Low),
            _ => {}
        }
        let number = ["severity", "sev", "priority", "prio", "p", "s"]
            .into_iter()
            .find_map(|prefix| word.strip_prefix(prefix))
            .map_or(word.as_str(), |number| number.trim_start_matches([' ', '-', '_']));
        // What a sheet makes of a number.
        let number = number.strip_suffix(".0").unwrap_or(number);
        match number.parse().ok()? {
            0 => Some(Self::Critical),
            5 => Some(Self::Low),
            number => Self::parse(number).ok(),
        }
    }
}

impl From<Severity> for i16 {
    fn from(severity: Severity) -> Self {
        severity.number()
    }
}

impl TryFrom<i16> for Severity {
    type Error = Refusal;

    fn try_from(number: i16) -> Result<Self, Refusal> {
        Self::parse(i64::from(number))
    }
}

/// The name of a type in the API: `[a-z][a-z0-9_]*`.
pub fn type_slug(field: &str, value: &str) -> Result<String, Refusal> {
    let mut bytes = value.bytes();
    let form = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !form || value.len() > limits::INCIDENT_TYPE_SLUG_CHARS {
        let message = format!(
            "The short name of a type has small letters, digits and underscores, starts with a letter and has at most {} \
             characters.",
            limits::INCIDENT_TYPE_SLUG_CHARS
        );
        return Err(Refusal::field(field, message));
    }
    Ok(value.to_owned())
}

/// What a type is called when people write its name freely: `Config Change` is `config_change`.
pub fn type_word(word: &str) -> String {
    let mut slug = String::new();
    for character in word.trim().chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_end_matches('_').to_owned()
}

/// `1st`, `2nd`, `3rd`, `4th`, `11th`, `22nd`.
pub fn ordinal(number: i64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// "3rd config change in 90 days": that an incident is the `nth` of its type on a service.
pub fn repetition(nth: i64, type_name: &str) -> String {
    let mut letters = type_name.chars();
    // Only a first letter is made small: DNS stays DNS.
    let acronym = type_name.chars().take(2).all(char::is_uppercase);
    let name = match letters.next() {
        Some(first) if !acronym => first.to_lowercase().chain(letters).collect(),
        _ => type_name.to_owned(),
    };
    format!("{} {name} in {REPEAT_DAYS} days", ordinal(nth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_read_as_tools_write_them() {
        for (word, number) in [
            ("1", 1),
            (" SEV2", 2),
            ("sev-3", 3),
            ("Severity 4", 4),
            ("P1", 1),
            ("SEV0", 1),
            ("P0", 1),
            ("5", 4),
            ("sev 5", 4),
            ("s2", 2),
            ("3.0", 3),
            ("Critical", 1),
            ("high", 2),
            ("moderate", 3),
        ] {
            assert_eq!(Severity::parse_word(word).map(Severity::number), Some(number), "{word}");
        }
        for word in ["", "6", "P6", "-1", "sev", "urgent", "1st", "sev2x"] {
            assert_eq!(Severity::parse_word(word), None, "{word}");
        }
        assert!(Severity::Major.is_grave() && !Severity::Minor.is_grave());
    }

    #[test]
    fn types_have_plain_names() {
        assert!(type_slug("slug", "config_change").is_ok());
        for bad in ["", "_a", "1a", "Config", "a-b", "a b", &"a".repeat(41)] {
            assert!(type_slug("slug", bad).is_err(), "{bad}");
        }
        assert_eq!(type_word(" Config  Change"), "config_change");
        assert_eq!(type_word("human/process "), "human_process");
    }

    #[test]
    fn repetitions_read_like_a_person_would_say_them() {
        let said: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map(ordinal).to_vec();
        assert_eq!(said.join(" "), "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 103rd 111th");
        assert_eq!(repetition(3, "Config change"), "3rd config change in 90 days");
        assert_eq!(repetition(2, "DNS"), "2nd DNS in 90 days");
    }
}
