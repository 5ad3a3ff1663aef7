//! Instants as people type them: a day and a time on the clocks of a zone.
//!
//! A browser sends what was typed and no offset, so twice a year it is not an instant: in spring an hour is missing, in
//! autumn one comes twice. Neither is guessed.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Which one is meant of a time that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// The first, before the clocks went back.
    First,
    /// The second, after they did.
    Second,
}

impl Fold {
    /// The word in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
        }
    }

    /// Reads the word back; anything else is no choice.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::First, Self::Second].into_iter().find(|fold| fold.as_str() == word)
    }
}

/// Why something typed is no instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnInstant {
    /// It is no day and time at all.
    Unreadable,
    /// The clocks went forward over it.
    Gap(String),
    /// The clocks went back over it: say which one is meant.
    Twice(String),
}

impl NotAnInstant {
    /// The sentence for the field.
    pub fn message(&self) -> String {
        match self {
            Self::Unreadable => "Give a day and a time such as 2026-11-03T14:05.".to_owned(),
            Self::Gap(message) | Self::Twice(message) => message.clone(),
        }
    }
}

/// The value of a `datetime-local` field: to the minute.
pub fn typed_form(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// Reads what was typed. What stood in the field before and was left as it was is `before` itself: neither its seconds
/// nor which of two it was are lost.
pub fn read_typed(
    typed: &str,
    zone: &TimeZone,
    before: Option<Timestamp>,
    fold: Option<Fold>,
) -> Result<Timestamp, NotAnInstant> {
    let typed = typed.trim();
    if let Some(before) = before.filter(|before| typed_form(*before, zone) == typed) {
        return Ok(before);
    }
    // A space instead of the T is what people type where the browser has no field for it.
    let there: DateTime = typed.parse().map_err(|_| NotAnInstant::Unreadable)?;
    if there.date().year() < 1900 || !typed.contains(':') {
        return Err(NotAnInstant::Unreadable);
    }
    let name = zone.iana_name().unwrap_or("this zone");
    let (time, day) = (there.strftime("%H:%M"), there.strftime("%-d %B %Y"));
    let ambiguous = zone.to_ambiguous_timestamp(there);
    let zoned = match (ambiguous.offset(), fold) {
        (AmbiguousOffset::Unambiguous { .. }, _) => ambiguous.unambiguous(),
        (AmbiguousOffset::Fold { .. }, Some(Fold::First)) => ambiguous.earlier(),
        (AmbiguousOffset::Fold { .. }, Some(Fold::Second)) => ambiguous.later(),
        (AmbiguousOffset::Fold { before, after }, None) => {
            return Err(NotAnInstant::Twice(format!(
                "{time} came twice on {day} in {name}: the clocks went back (from UTC{before} to UTC{after}). Say below \
                 which one is meant."
            )));
        }
        (AmbiguousOffset::Gap { .. }, _) => {
            let after = ambiguous.compatible().map_err(|_| NotAnInstant::Unreadable)?;
            let after = after.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            return Err(NotAnInstant::Gap(format!(
                "{time} did not exist on {day} in {name}: the clocks went forward. {after} was that moment."
            )));
        }
    };
    zoned.map_err(|_| NotAnInstant::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn read(typed: &str) -> Result<String, NotAnInstant> {
        read_typed(typed, &berlin(), None, None).map(|at| at.to_string())
    }

    #[test]
    fn a_day_and_a_time_are_an_instant_of_the_zone() {
        assert_eq!(read("2026-11-03T14:05").unwrap(), "2026-11-03T13:05:00Z");
        assert_eq!(read(" 2026-07-03 14:05 ").unwrap(), "2026-07-03T12:05:00Z");
        for wrong in ["", "yesterday", "2026-11-03", "2026-13-03T14:05", "03.11.2026 14:05", "0026-11-03T14:05"] {
            assert_eq!(read(wrong), Err(NotAnInstant::Unreadable), "{wrong}");
        }
    }

    #[test]
    fn a_time_that_did_not_exist_is_named() {
        let gap = read("2026-03-29T02:30").unwrap_err().message();
        assert_eq!(
            gap,
            "02:30 did not exist on 29 March 2026 in Europe/Berlin: the clocks went forward. 03:30 was that moment."
        );
    }

    #[test]
    fn of_a_time_that_came_twice_one_is_chosen() {
        let twice = read("2026-10-25T02:30").unwrap_err();
        assert!(
            matches!(&twice, NotAnInstant::Twice(_)) && twice.message().starts_with("02:30 came twice on 25 October")
        );
        let chosen = |fold| read_typed("2026-10-25T02:30", &berlin(), None, Some(fold)).unwrap().to_string();
        assert_eq!(chosen(Fold::First), "2026-10-25T00:30:00Z");
        assert_eq!(chosen(Fold::Second), "2026-10-25T01:30:00Z");
    }

    #[test]
    fn what_was_left_as_it_stood_stays_to_the_second() {
        let second: Timestamp = "2026-10-25T01:30:42Z".parse().unwrap();
        let typed = typed_form(second, &berlin());
        assert_eq!(typed, "2026-10-25T02:30");
        assert_eq!(read_typed(&typed, &berlin(), Some(second), None), Ok(second));
    }
}
