//! Instants and durations as sheets and tools write them:
//!
//! * `2026-11-03T14:05:00Z`, `2026-11-03 14:05:00+01:00` (RFC 3339 and its kin)
//! * `2026-11-03 14:05` and `2026-11-03 14:05:06`, in the zone of the import
//! * `03/11/2026 14:05`, also with `AM`, `PM`, `-`; the 3rd of November or the 11th of March: see [`Order`]; with dots it
//!   is always the day that comes first
//! * `Nov 3, 2026 2:05 PM`, `3 November 2026 14:05`
//! * seconds or milliseconds since 1970
//!
//! and instead of the later instants what has passed since the start: `35m`, `1h 20m`, `PT35M`, `00:35:00`, or a number
//! when the column's heading says of what.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// Which comes first in `03/11/2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The 3rd of November.
    DayFirst,
    /// The 11th of March.
    MonthFirst,
}

impl Order {
    /// Reads `day-first` or `month-first`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "day-first" => Some(Self::DayFirst),
            "month-first" => Some(Self::MonthFirst),
            _ => None,
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DayFirst => "day-first",
            Self::MonthFirst => "month-first",
        }
    }
}

/// What a number in a column counts, as its heading says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    fn seconds(self) -> f64 {
        match self {
            Self::Milliseconds => 0.001,
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3600.0,
            Self::Days => 86400.0,
        }
    }
}

/// A value as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Written {
    Instant(Timestamp),
    /// In the zone of the import.
    Local(DateTime),
    /// Day and month, whichever comes first, and the year and time.
    Slashed(i8, i8, i16, Time),
    Duration(SignedDuration),
    /// Counts what the heading says.
    Number(f64),
}

/// Reads a value; `None`: it is neither an instant nor a duration.
pub(super) fn read(text: &str) -> Option<Written> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return epoch(number).map(Written::Instant).or(Some(Written::Number(number))).filter(|_| number.is_finite());
    }
    if !text.is_ascii() || text.len() > 60 {
        return None;
    }
    let (zoneless, utc) = match ["UTC", "GMT", "Z"].iter().find_map(|name| text.strip_suffix(name)) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(Written::Instant(instant));
    }
    let local = slashed(zoneless)
        .or_else(|| zoneless.parse::<DateTime>().ok().map(Written::Local))
        .or_else(|| named_month(zoneless).map(Written::Local));
    match local {
        Some(Written::Local(at)) if utc => at.to_zoned(TimeZone::UTC).ok().map(|at| Written::Instant(at.timestamp())),
        // Which day that is cannot be told yet, and its zone would be forgotten meanwhile.
        Some(Written::Slashed(..)) if utc => None,
        Some(local) => Some(local),
        None => duration(text).map(Written::Duration),
    }
}

/// Seconds or milliseconds since 1970; smaller numbers count something else.
#[expect(clippy::cast_possible_truncation, reason = "it is less than 1e14")]
fn epoch(number: f64) -> Option<Timestamp> {
    let millis = match number {
        1e8..1e11 => number * 1000.0,
        1e11..1e14 => number,
        _ => return None,
    };
    Timestamp::from_millisecond(millis.round() as i64).ok()
}

/// `03/11/2026 14:05`, `3-11-2026, 2:05 PM`, `03.11.2026`.
fn slashed(text: &str) -> Option<Written> {
    let end = text.find([' ', ',', 'T']).unwrap_or(text.len());
    let (date, time) = text.split_at(end);
    let separator = ['/', '.', '-'].into_iter().find(|separator| date.contains(*separator))?;
    let mut parts = date.split(separator);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| if part.len() <= 2 { part.parse::<i8>().ok().filter(|number| *number > 0) } else { None };
    let (first, second) = (short(first)?, short(second)?);
    let year: i16 = Some(year).filter(|year| year.len() == 4)?.parse().ok()?;
    // One of them is a month, whichever.
    if parts.next().is_some() || first.min(second) > 12 || first.max(second) > 31 {
        return None;
    }
    let time = time_of_day(time.trim_start_matches([' ', ',', 'T']))?;
    if separator == '.' {
        return Some(Written::Local(Date::new(year, second, first).ok()?.to_datetime(time)));
    }
    Some(Written::Slashed(first, second, year, time))
}

/// `14:05`, `14:05:06`, `2:05 PM`; nothing is midnight.
fn time_of_day(text: &str) -> Option<Time> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Time::midnight());
    }
    let upper = text.to_uppercase();
    let (digits, afternoon) = if let Some(rest) = upper.strip_suffix("PM").or_else(|| upper.strip_suffix("P.M.")) {
        (rest, Some(true))
    } else if let Some(rest) = upper.strip_suffix("AM").or_else(|| upper.strip_suffix("A.M.")) {
        (rest, Some(false))
    } else {
        (upper.as_str(), None)
    };
    let mut parts = digits.trim().split(':').map(|part| part.split('.').next().unwrap_or_default().parse::<i8>().ok());
    let hour = parts.next()??;
    let minute = match parts.next() {
        Some(minute) => minute?,
        // "2 PM" is a time, "2" is none.
        None if afternoon.is_some() => 0,
        None => return None,
    };
    let second = parts.next().unwrap_or(Some(0))?;
    let hour = match afternoon {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    if parts.next().is_some() { None } else { Time::new(hour, minute, second, 0).ok() }
}

/// `Nov 3, 2026 2:05 PM`, `3 November 2026 14:05`, `Tue, 3 Nov 2026 14:05`.
fn named_month(text: &str) -> Option<DateTime> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let is_word = |word: &str| word.chars().all(|letter| letter.is_ascii_alphabetic());
    let mut words: Vec<String> =
        text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    if words.first().is_some_and(|word| is_word(word) && word.len() >= 3 && DAYS.contains(&&word[..3])) {
        words.remove(0);
    }
    words.retain(|word| word != "at");
    let month = |word: &str| {
        let word = word.trim_end_matches('.');
        let known = is_word(word) && word.len() >= 3;
        let place = MONTHS.iter().position(|month| known && word.starts_with(month))?;
        i8::try_from(place + 1).ok()
    };
    let day = |word: &str| {
        let digits = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        digits.parse::<i8>().ok()
    };
    let (first, second, year) = (words.first()?, words.get(1)?, words.get(2)?);
    let (month, day) = match month(first) {
        Some(found) => (found, day(second)?),
        None => (month(second)?, day(first)?),
    };
    let year: i16 = Some(year).filter(|year| year.len() == 4)?.parse().ok()?;
    let time = time_of_day(&words[3..].join(" "))?;
    Some(Date::new(year, month, day).ok()?.to_datetime(time))
}

/// `35m`, `1h 20m`, `2 days`, `PT35M`, `00:35:00`, `1:20`.
fn duration(text: &str) -> Option<SignedDuration> {
    let parts: Vec<&str> = text.split(':').collect();
    if let [hours, minutes, rest @ ..] = parts.as_slice()
        && rest.len() <= 1
    {
        let number = |part: &str| part.parse::<i64>().ok().filter(|number| (0..100_000).contains(number));
        let seconds = rest.first().map_or(Some(0), |seconds| number(seconds))?;
        return Some(SignedDuration::from_secs(number(hours)? * 3600 + number(minutes)? * 60 + seconds));
    }
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// What was found out about day and month in the whole file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The first line of a date that can only be day first, only month first, or both.
    day_first: Option<u64>,
    month_first: Option<u64>,
    either: Option<u64>,
}

impl Seen {
    /// Looks at a value.
    pub(super) fn look(&mut self, written: Option<Written>, line: u64) {
        let Some(Written::Slashed(first, second, ..)) = written else { return };
        let seen = match (first > 12, second > 12) {
            (true, false) => &mut self.day_first,
            (false, true) => &mut self.month_first,
            // The 5th of May is the same either way.
            (false, false) if first != second => &mut self.either,
            _ => return,
        };
        seen.get_or_insert(line);
    }

    /// What was seen in either of two columns.
    pub(super) fn and(self, other: Self) -> Self {
        let first = |one: Option<u64>, two: Option<u64>| one.into_iter().chain(two).min();
        Self {
            day_first: first(self.day_first, other.day_first),
            month_first: first(self.month_first, other.month_first),
            either: first(self.either, other.either),
        }
    }

    /// Which comes first in this file; a sentence when that cannot be told.
    pub(super) fn order(&self) -> Result<Option<Order>, String> {
        match (self.day_first, self.month_first, self.either) {
            (Some(day), Some(month), _) => Err(format!(
                "Line {day} can only be day first (31/12/2026), line {month} only month first (12/31/2026). Say which it \
                 is; the others are refused.",
            )),
            (Some(_), None, _) => Ok(Some(Order::DayFirst)),
            (None, Some(_), _) => Ok(Some(Order::MonthFirst)),
            (None, None, Some(line)) => Err(format!(
                "Every date like the one in line {line} can be read day first (31/12/2026) or month first (12/31/2026). \
                 Say which it is.",
            )),
            (None, None, None) => Ok(None),
        }
    }
}

/// An instant, and what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) at: Timestamp,
    pub(super) note: Option<String>,
}

/// The instant of a value. `start`: what a duration is counted from; none for the start itself.
pub(super) fn resolve(
    text: &str,
    unit: Option<Unit>,
    order: Option<Order>,
    zone: &TimeZone,
    start: Option<Timestamp>,
) -> Result<Found, String> {
    let said = || text.trim().chars().take(60).collect::<String>();
    let written = read(text).ok_or_else(|| format!("“{}” is no date or time that can be read.", said()))?;
    let whole = |at| Found { at, note: None };
    match written {
        // A number of milliseconds may be as large as an instant; the heading knows better.
        Written::Instant(at) if unit.is_none() || start.is_none() || text.trim().parse::<f64>().is_err() => {
            Ok(whole(at))
        }
        Written::Local(at) => local(at, zone),
        Written::Slashed(first, second, year, time) => {
            let (day, month) = match order {
                Some(Order::MonthFirst) => (second, first),
                Some(Order::DayFirst) => (first, second),
                None if first == second => (first, second),
                None => return Err(format!("“{}” can be read day first or month first.", said())),
            };
            let date = Date::new(year, month, day);
            let date = date.map_err(|_| format!("“{}” is no date with the {}.", said(), order_words(order)))?;
            local(date.to_datetime(time), zone)
        }
        Written::Duration(_) | Written::Number(_) | Written::Instant(_) => {
            let start = start.ok_or_else(|| format!("“{}” is no point in time.", said()))?;
            let passed = match (written, unit) {
                (Written::Duration(passed), _) => Some(passed),
                (_, Some(unit)) => {
                    let number: f64 = text.trim().parse().unwrap_or_default();
                    SignedDuration::try_from_secs_f64(number * unit.seconds()).ok()
                }
                (_, None) => {
                    return Err(format!(
                        "“{}”: of what? Name the unit in the heading, such as “Time to detect (minutes)”.",
                        said()
                    ));
                }
            };
            let at = passed.and_then(|passed| start.checked_add(passed).ok());
            at.map(whole).ok_or_else(|| format!("“{}” is too long.", said()))
        }
    }
}

fn order_words(order: Option<Order>) -> &'static str {
    if order == Some(Order::MonthFirst) { "month first" } else { "day first" }
}

/// A wall clock's time in a zone. One that the clocks skip is refused, one that they show twice is the earlier.
fn local(at: DateTime, zone: &TimeZone) -> Result<Found, String> {
    let name = zone.iana_name().unwrap_or("this zone");
    let ambiguous = zone.to_ambiguous_zoned(at);
    let note = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => {
            return Err(format!("{at} does not exist in {name}: the clocks went forward."));
        }
        AmbiguousOffset::Fold { .. } => {
            Some(format!("{at} came twice in {name} when the clocks went back; the first one was taken."))
        }
    };
    let found = ambiguous.earlier().map_err(|_| format!("{at} is not possible."))?;
    Ok(Found { at: found.timestamp(), note })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str, order: Option<Order>) -> Result<String, String> {
        resolve(text, None, order, &TimeZone::UTC, None).map(|found| found.at.to_string())
    }

    #[test]
    fn one_instant_is_read_in_every_format() {
        for text in [
            "2026-11-03T14:05:00Z",
            "2026-11-03T15:05:00+01:00",
            "2026-11-03 15:05:00+01:00",
            "2026-11-03 14:05:00 UTC",
            "2026-11-03 14:05",
            "2026-11-03 14:05:00",
            "2026-11-03T14:05",
            "03/11/2026 14:05",
            "3/11/2026 2:05 PM",
            "03-11-2026 14:05:00",
            "03.11.2026 14:05",
            "03.11.2026, 14:05:00",
            "Nov 3, 2026 2:05 PM",
            "Nov 3, 2026, 2:05:00 pm",
            "November 3rd, 2026 at 14:05",
            "3 Nov 2026 14:05",
            "Tue, 3 Nov 2026 14:05:00 GMT",
            "1793714700",
            "1793714700000",
            " 1793714700.0 ",
        ] {
            assert_eq!(utc(text, Some(Order::DayFirst)).as_deref(), Ok("2026-11-03T14:05:00Z"), "{text}");
        }
        assert_eq!(utc("11/03/2026 12:05 AM", Some(Order::MonthFirst)).as_deref(), Ok("2026-11-03T00:05:00Z"));
        assert_eq!(utc("2026-11-03", None).as_deref(), Ok("2026-11-03T00:00:00Z"));
        assert_eq!(utc("05/05/2026", None).as_deref(), Ok("2026-05-05T00:00:00Z"));
        for text in [
            "",
            "soon",
            "2026-13-01",
            "31/12",
            "03/11/26 14:05",
            "Foo 3, 2026",
            "25:00 PM",
            "35m",
            "12",
            "NaN",
            "inf",
            "13/13/2026",
            "3/11/2026 14",
            "0/1/2026",
            "Nov 31, 2026",
            "03/11/2026 13:05 PM",
            "ａ",
        ] {
            assert!(utc(text, Some(Order::DayFirst)).is_err(), "{text}");
        }
        assert!(utc("12/31/2026", Some(Order::DayFirst)).unwrap_err().contains("day first"));
    }

    #[test]
    fn which_comes_first_is_told_by_the_whole_file_or_not_at_all() {
        let order = |texts: &[&str]| {
            let mut seen = Seen::default();
            for (line, text) in (2..).zip(texts) {
                seen.look(read(text), line);
            }
            seen.order()
        };
        assert_eq!(order(&["2026-01-02", "x", "03.11.2026"]), Ok(None));
        assert_eq!(order(&["03/11/2026", "13/11/2026"]), Ok(Some(Order::DayFirst)));
        assert_eq!(order(&["03/11/2026", "11/13/2026"]), Ok(Some(Order::MonthFirst)));
        assert!(order(&["05/05/2026", "03/11/2026"]).unwrap_err().contains("line 3"));
        assert!(order(&["13/11/2026", "11/13/2026"]).unwrap_err().contains("line 3 only month"));
        assert_eq!(order(&["05/05/2026"]), Ok(None));
    }

    #[test]
    fn local_times_heed_the_zone_and_its_gaps() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let found = |text: &str| resolve(text, None, None, &berlin, None);
        assert_eq!(found("2026-07-01 12:00").unwrap().at.to_string(), "2026-07-01T10:00:00Z");
        assert_eq!(found("2026-07-01 12:00 UTC").unwrap().at.to_string(), "2026-07-01T12:00:00Z");
        let gap = found("2026-03-29 02:30").unwrap_err();
        assert!(gap.contains("does not exist in Europe/Berlin"), "{gap}");
        let fold = found("2026-10-25 02:30").unwrap();
        assert_eq!(fold.at.to_string(), "2026-10-25T00:30:00Z");
        assert!(fold.note.unwrap().contains("came twice"));
    }

    #[test]
    fn durations_are_counted_from_the_start() {
        let start: Timestamp = "2026-11-03T14:00:00Z".parse().unwrap();
        let after = |text: &str, unit: Option<Unit>| {
            let found = resolve(text, unit, None, &TimeZone::UTC, Some(start))?;
            Ok::<_, String>(found.at.duration_since(start).as_secs())
        };
        for text in ["35m", "35 min", "PT35M", "00:35:00", "0:35", "2100s", "35 minutes"] {
            assert_eq!(after(text, None), Ok(2100), "{text}");
        }
        assert_eq!(after("1h 20m", None), Ok(4800));
        assert_eq!(after("1 day", None), Ok(86400));
        assert_eq!(after("35", Some(Unit::Minutes)), Ok(2100));
        assert_eq!(after("1.5", Some(Unit::Hours)), Ok(5400));
        assert_eq!(after("2100000", Some(Unit::Milliseconds)), Ok(2100));
        assert_eq!(after("200000000", Some(Unit::Milliseconds)), Ok(200_000), "not an instant");
        assert_eq!(after("2026-11-03 14:01", Some(Unit::Minutes)), Ok(60));
        assert!(after("35", None).unwrap_err().contains("of what?"));
        assert!(after("1e300", Some(Unit::Days)).is_err());
    }
}
