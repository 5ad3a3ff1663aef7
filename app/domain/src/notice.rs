//! Notices: what people are told, how they can turn it off, and when mail has to wait.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// What a notice tells of: what people turn on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody wrote their name.
    Mention,
    /// A new comment or reply.
    Comment,
    /// A thread of theirs was resolved or opened again.
    Thread,
    /// A new revision.
    Revision,
    /// A change of status.
    Status,
    /// Something was shared with them, or they became its author.
    Share,
    /// A follow-up of theirs.
    FollowUp,
    /// An incident of a service of their teams.
    Incident,
    /// A webhook that cannot deliver.
    Webhook,
    /// Their account.
    Security,
    /// The weekly digest. Mail only.
    Digest,
}

impl Kind {
    /// Every kind, in the order of the screen.
    pub const ALL: [Self; 11] = [
        Self::Mention,
        Self::Comment,
        Self::Thread,
        Self::Revision,
        Self::Status,
        Self::Share,
        Self::FollowUp,
        Self::Incident,
        Self::Webhook,
        Self::Security,
        Self::Digest,
    ];

    /// The word in the table, the API and mail headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::Comment => "comment",
            Self::Thread => "thread",
            Self::Revision => "revision",
            Self::Status => "status",
            Self::Share => "share",
            Self::FollowUp => "follow_up",
            Self::Incident => "incident",
            Self::Webhook => "webhook",
            Self::Security => "security",
            Self::Digest => "digest",
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mention => "Mentions of you",
            Self::Comment => "Comments and replies",
            Self::Thread => "Your threads resolved or reopened",
            Self::Revision => "New revisions",
            Self::Status => "Changes of status",
            Self::Share => "Drafts shared with you",
            Self::FollowUp => "Your follow-ups",
            Self::Incident => "Incidents of your teams' services",
            Self::Webhook => "Webhooks that stopped",
            Self::Security => "Your account's security",
            Self::Digest => "Weekly digest",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it comes in the inbox and by mail whatever the person says: nobody who gets into an account can keep its
    /// owner from hearing of it.
    pub fn is_fixed(self) -> bool {
        self == Self::Security
    }

    /// Whether it can come in the inbox at all.
    pub fn is_for_inbox(self) -> bool {
        self != Self::Digest
    }
}

/// Why somebody is told: the end of "You get this because …", and the header `X-Plumbline-Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Their name is in it.
    Mentioned,
    /// They write it.
    Author,
    /// They opened the thread.
    Opener,
    /// They took part.
    TookPart,
    /// It is shared with them.
    Shared,
    /// It is theirs to do.
    Owner,
    /// It is about a team of theirs.
    Team,
    /// It is their account.
    Account,
    /// They are a lead.
    Lead,
    /// They are an admin.
    Admin,
    /// They want the digest.
    Digest,
}

impl Reason {
    /// The word in the table, the API and the mail header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mentioned => "mentioned",
            Self::Author => "author",
            Self::Opener => "opener",
            Self::TookPart => "took_part",
            Self::Shared => "shared",
            Self::Owner => "owner",
            Self::Team => "team",
            Self::Account => "account",
            Self::Lead => "lead",
            Self::Admin => "admin",
            Self::Digest => "digest",
        }
    }

    /// The end of "You get this because …".
    pub fn because(self) -> &'static str {
        match self {
            Self::Mentioned => "somebody mentioned you",
            Self::Author => "you are its author",
            Self::Opener => "you opened the thread",
            Self::TookPart => "you took part in it",
            Self::Shared => "it is shared with you",
            Self::Owner => "it is yours to do",
            Self::Team => "it concerns a service of your team",
            Self::Account => "it is about your account",
            Self::Lead => "you are a lead",
            Self::Admin => "you are an admin",
            Self::Digest => "you have the weekly digest on",
        }
    }
}

/// What a person wants to be told, and when not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Kinds that do not come in the inbox.
    pub inbox_off: BTreeSet<Kind>,
    /// Kinds that do not come by mail.
    pub mail_off: BTreeSet<Kind>,
    /// When no mail is sent.
    pub quiet: Option<QuietHours>,
}

impl Preferences {
    /// Whether this kind comes in the inbox.
    pub fn inbox(&self, kind: Kind) -> bool {
        kind.is_for_inbox() && (kind.is_fixed() || !self.inbox_off.contains(&kind))
    }

    /// Whether this kind comes by mail.
    pub fn mail(&self, kind: Kind) -> bool {
        kind.is_fixed() || !self.mail_off.contains(&kind)
    }

    /// Turns a kind on or off; refused, in words for `field`, for what cannot be.
    pub fn set(&mut self, field: &str, kind: Kind, inbox: bool, mail: bool) -> Result<(), Refusal> {
        if kind.is_fixed() && !(inbox && mail) {
            let message = "What is about the security of your account always comes, in the inbox and by mail.";
            return Err(Refusal::field(field, message));
        }
        if inbox && !kind.is_for_inbox() {
            return Err(Refusal::field(field, "The weekly digest comes by mail only."));
        }
        for (off, on) in [(&mut self.inbox_off, inbox || !kind.is_for_inbox()), (&mut self.mail_off, mail)] {
            if on {
                off.remove(&kind);
            } else {
                off.insert(kind);
            }
        }
        Ok(())
    }
}

/// The time of day, in the person's zone, in which no mail is sent; it may lie across midnight. Not for mail about the
/// security of an account: that does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// Minutes after midnight: the first quiet one.
    from: u16,
    /// Minutes after midnight: the first that is not quiet any more.
    until: u16,
}

impl QuietHours {
    /// From minute to minute of the day; none when they are the same or no minutes of a day.
    pub fn new(from: u16, until: u16) -> Option<Self> {
        (from != until && from < 1440 && until < 1440).then_some(Self { from, until })
    }

    /// From and until as `HH:MM`; both empty: none. Refused in words for the fields of these names.
    pub fn parse(from: (&str, &str), until: (&str, &str)) -> Result<Option<Self>, Refusal> {
        let minutes = |(field, text): (&str, &str)| match text.trim() {
            "" => Ok(None),
            text => minute_of_day(text)
                .map(Some)
                .ok_or_else(|| Refusal::field(field, "Give a time of the day such as 22:00.")),
        };
        let mut fields = crate::refusal::Fields::default();
        let (start, end) = (fields.take(minutes(from))?, fields.take(minutes(until))?);
        match fields.finish((start, end))? {
            (None, None) => Ok(None),
            (Some(start), Some(end)) => match Self::new(start, end) {
                Some(quiet) => Ok(Some(quiet)),
                None => Err(Refusal::field(until.0, "Quiet hours end at another time than they begin.")),
            },
            (None, Some(_)) => Err(Refusal::field(from.0, "Say when the quiet hours begin, or leave both empty.")),
            (Some(_), None) => Err(Refusal::field(until.0, "Say when the quiet hours end, or leave both empty.")),
        }
    }

    /// The minutes of the day at which they begin and end.
    pub fn minutes(self) -> (u16, u16) {
        (self.from, self.until)
    }

    /// When they begin, as `HH:MM`.
    pub fn from(self) -> String {
        ClockTime(self.from).to_string()
    }

    /// When they end, as `HH:MM`.
    pub fn until(self) -> String {
        ClockTime(self.until).to_string()
    }

    #[cfg(feature = "rules")]
    fn covers(self, time: jiff::civil::Time) -> bool {
        let minute = u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or_default();
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }

    /// When `at` lies in the quiet hours of somebody in `zone`: the first instant at which their clock shows a time
    /// that does not. Also where that clock jumps.
    #[cfg(feature = "rules")]
    pub fn end(self, at: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
        use jiff::tz::Disambiguation::{Earlier, Later};
        let local = |at: jiff::Timestamp| at.to_zoned(zone.clone());
        let here = local(at);
        if !self.covers(here.time()) {
            return None;
        }
        let (hour, minute) = (i8::try_from(self.until / 60).ok()?, i8::try_from(self.until % 60).ok()?);
        // They end when the clock reaches their end, or where it jumps over it. A jump may also lead back into them.
        let days = [Some(here.date()), here.date().tomorrow().ok()];
        let ends = days.into_iter().flatten().map(|day| zone.to_ambiguous_timestamp(day.at(hour, minute, 0, 0)));
        let ends = ends.flat_map(|end| [Earlier, Later].map(|choice| end.disambiguate(choice).ok())).flatten();
        let jump = zone.following(at).next().map(|jump| jump.timestamp());
        ends.chain(jump).filter(|end| *end > at && !self.covers(local(*end).time())).min()
    }
}

/// A minute of the day as people write it.
struct ClockTime(u16);

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// `HH:MM`, also `H:MM`; a browser may add seconds.
fn minute_of_day(text: &str) -> Option<u16> {
    let mut parts = text.split(':');
    let number = |part: Option<&str>, max: u16| -> Option<u16> {
        let part =
            part.filter(|part| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse().ok().filter(|number| *number <= max)
    };
    let (hour, minute) = (number(parts.next(), 23)?, number(parts.next(), 59)?);
    match parts.next() {
        None => Some(hour * 60 + minute),
        Some("00") if parts.next().is_none() => Some(hour * 60 + minute),
        Some(_) => None,
    }
}

/// The hour of the morning, in a person's zone, at which things that were put off come back and digests are sent.
#[cfg(feature = "rules")]
const MORNING: i8 = 8;

/// How long something in the inbox is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Later {
    /// Until the next morning.
    Tomorrow,
    /// Until Monday morning.
    NextWeek,
}

impl Later {
    /// The word in forms and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tomorrow => "tomorrow",
            Self::NextWeek => "next_week",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Tomorrow, Self::NextWeek].into_iter().find(|later| later.as_str() == word)
    }

    /// When it comes back for somebody in `zone`.
    #[cfg(feature = "rules")]
    pub fn back_at(self, now: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
        let today = now.to_zoned(zone.clone()).date();
        let day = match self {
            Self::Tomorrow => today.tomorrow().ok()?,
            Self::NextWeek => today.nth_weekday(1, jiff::civil::Weekday::Monday).ok()?,
        };
        morning_of(day, zone)
    }
}

/// Monday morning of the week of `now` for somebody in `zone`: when their digest is sent. The week begins on Monday.
#[cfg(feature = "rules")]
pub fn digest_at(now: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
    let today = now.to_zoned(zone.clone()).date();
    let monday = today.checked_sub(jiff::Span::new().days(today.weekday().to_monday_zero_offset())).ok()?;
    morning_of(monday, zone)
}

#[cfg(feature = "rules")]
fn morning_of(day: jiff::civil::Date, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
    Some(day.at(MORNING, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp())
}

/// Who is mentioned in a text without code: what stands after each `@`, once each, at most `most`. Either a whole address
/// (`@ada@example.com`) or the part of one before its `@` (`@ada`). An address in running text mentions nobody.
pub fn mentions(text: &str, most: usize) -> Vec<String> {
    let is_name = |character: char| character.is_alphanumeric() || ".-_+'".contains(character);
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(at) = rest.find('@') {
        before = rest[..at].chars().next_back().unwrap_or(before);
        rest = &rest[at + 1..];
        let inside = is_name(before) || before == '@' || before == '/';
        before = '@';
        let local = &rest[..rest.find(|character| !is_name(character)).unwrap_or(rest.len())];
        if inside || local.is_empty() {
            continue;
        }
        let mut name = local;
        if let Some(host) = rest[local.len()..].strip_prefix('@') {
            let end = host.find(|character: char| !character.is_alphanumeric() && !".-".contains(character));
            let host = host[..end.unwrap_or(host.len())].trim_end_matches(['.', '-']);
            if !host.is_empty() {
                name = &rest[..local.len() + 1 + host.len()];
            }
        }
        rest = &rest[name.len()..];
        before = name.chars().next_back().unwrap_or(before);
        // The end of a sentence is no part of a name, and neither is a genitive.
        let name = name.trim_end_matches(['.', '-', '_', '+', '\'']);
        let name = name.strip_suffix("'s").unwrap_or(name).to_lowercase();
        if !name.is_empty() && !found.contains(&name) {
            found.push(name);
        }
        if found.len() >= most {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_back_and_security_cannot_be_turned_off() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        let mut preferences = Preferences::default();
        assert!(preferences.set("k", Kind::Security, true, false).is_err());
        assert!(preferences.set("k", Kind::Digest, true, true).is_err());
        preferences.set("k", Kind::Digest, false, false).unwrap();
        preferences.set("k", Kind::Comment, false, true).unwrap();
        assert!(
            !preferences.mail(Kind::Digest) && !preferences.inbox(Kind::Digest) && preferences.inbox_off.len() == 1
        );
        assert!(!preferences.inbox(Kind::Comment) && preferences.mail(Kind::Comment));
        preferences.set("k", Kind::Comment, true, true).unwrap();
        assert!(preferences.inbox(Kind::Comment));
    }

    #[test]
    fn mentions_are_names_and_addresses_but_not_addresses_in_running_text() {
        let found = |text: &str| mentions(text, 50);
        assert_eq!(found("@ada, and (@grace@example.com)."), ["ada", "grace@example.com"]);
        assert_eq!(found("Ask @ada.lovelace. Or @Ada's team; @ada again"), ["ada.lovelace", "ada"]);
        assert_eq!(found("write to ada@example.com or a/@b or @@x or @ or @."), Vec::<String>::new());
        assert_eq!(found("@ada@ and @ada@-"), ["ada"]);
        assert_eq!(found("@ünal@exämple.de!"), ["ünal@exämple.de"]);
        assert_eq!(mentions("@a @b @c", 2), ["a", "b"]);
    }

    #[test]
    fn quiet_hours_are_two_times_or_none() {
        let parse = |from, until| QuietHours::parse(("quiet_from", from), ("quiet_until", until));
        assert_eq!(parse("", "").unwrap(), None);
        let quiet = parse("22:00", "7:30").unwrap().unwrap();
        assert_eq!((quiet.from().as_str(), quiet.until().as_str()), ("22:00", "07:30"));
        assert!(parse("22:00:00", "07:00").unwrap().is_some());
        for (from, until, field) in [
            ("22:00", "", "quiet_until"),
            ("", "07:00", "quiet_from"),
            ("24:00", "07:00", "quiet_from"),
            ("22:00", "7", "quiet_until"),
            ("22:00", "22:00", "quiet_until"),
            ("22:00", "07:00:30", "quiet_until"),
        ] {
            assert!(parse(from, until).unwrap_err().message_for(field).is_some(), "{from} {until}");
        }
    }

    #[cfg(feature = "rules")]
    #[test]
    fn quiet_hours_end_also_across_midnight_and_where_the_clock_jumps() {
        let cases = [
            // Across midnight, and within a day.
            ("UTC", "22:00", "07:00", "2026-11-02T22:00:00Z", Some("2026-11-03T07:00:00Z")),
            ("UTC", "22:00", "07:00", "2026-11-03T06:59:59Z", Some("2026-11-03T07:00:00Z")),
            ("UTC", "22:00", "07:00", "2026-11-03T07:00:00Z", None),
            ("UTC", "12:00", "13:00", "2026-11-03T12:30:00Z", Some("2026-11-03T13:00:00Z")),
            ("UTC", "12:00", "13:00", "2026-11-03T11:59:59Z", None),
            // Berlin, the night of 25 October 2026: 03:00 summer time is 02:00 winter time.
            ("Europe/Berlin", "22:00", "07:00", "2026-10-24T20:00:00Z", Some("2026-10-25T06:00:00Z")),
            // The end comes twice: it ends, begins again with the jump, and ends again.
            ("Europe/Berlin", "22:00", "02:30", "2026-10-24T23:00:00Z", Some("2026-10-25T00:30:00Z")),
            ("Europe/Berlin", "22:00", "02:30", "2026-10-25T00:45:00Z", None),
            ("Europe/Berlin", "22:00", "02:30", "2026-10-25T01:10:00Z", Some("2026-10-25T01:30:00Z")),
            // The jump back leads into them.
            ("Europe/Berlin", "02:00", "02:30", "2026-10-25T01:00:00Z", Some("2026-10-25T01:30:00Z")),
            // Berlin, the night of 29 March 2026: 02:00 is 03:00, so 02:30 never comes.
            ("Europe/Berlin", "22:00", "02:30", "2026-03-29T00:50:00Z", Some("2026-03-29T01:00:00Z")),
            ("Europe/Berlin", "22:00", "07:00", "2026-03-28T22:00:00Z", Some("2026-03-29T05:00:00Z")),
            // Half an hour off, and a day later than here.
            ("Asia/Kolkata", "21:00", "08:00", "2026-11-02T16:00:00Z", Some("2026-11-03T02:30:00Z")),
        ];
        for (zone, from, until, at, end) in cases {
            let quiet = QuietHours::parse(("f", from), ("u", until)).unwrap().unwrap();
            let found = quiet.end(at.parse().unwrap(), &jiff::tz::TimeZone::get(zone).unwrap());
            assert_eq!(found, end.map(|end| end.parse().unwrap()), "{zone} {from} {until} {at}");
        }
    }

    #[cfg(feature = "rules")]
    #[test]
    fn what_is_put_off_comes_back_in_the_persons_morning() {
        let back = |later: Later, now: &str, zone: &str| {
            later.back_at(now.parse().unwrap(), &jiff::tz::TimeZone::get(zone).unwrap()).unwrap().to_string()
        };
        assert_eq!(back(Later::Tomorrow, "2026-11-02T09:00:00Z", "UTC"), "2026-11-03T08:00:00Z");
        assert_eq!(back(Later::Tomorrow, "2026-11-02T23:30:00Z", "Europe/Berlin"), "2026-11-04T07:00:00Z");
        // On a Monday, next week is the next Monday.
        assert_eq!(back(Later::NextWeek, "2026-11-02T09:00:00Z", "UTC"), "2026-11-09T08:00:00Z");
        assert_eq!(back(Later::NextWeek, "2026-11-08T23:30:00Z", "Europe/Berlin"), "2026-11-16T07:00:00Z");
        let zone = jiff::tz::TimeZone::get("Pacific/Kiritimati").unwrap();
        let at = digest_at("2026-11-08T10:30:00Z".parse().unwrap(), &zone).unwrap();
        assert_eq!(at.to_string(), "2026-11-08T18:00:00Z", "it is Monday there already");
    }
}
