//! Follow-ups: what somebody promised to do by a day, whatever it came from, and when they are reminded of it.
//!
//! A due day is a civil date of the organisation (`PLUMBLINE_TIME_ZONE`), the same for everybody wherever they sit: it is
//! an agreement between people, and lists, counts and reminders must name the same one. The day itself still counts as
//! in time.

#[cfg(feature = "rules")]
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// Where a follow-up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Still to be done.
    Open,
    /// Done.
    Done,
    /// Not to be done any more, for a reason that is said.
    Dropped,
}

impl State {
    /// Every state, in the order of a follow-up's life.
    pub const ALL: [Self; 3] = [Self::Open, Self::Done, Self::Dropped];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Done => "Done",
            Self::Dropped => "Dropped",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| Refusal::field(field, "The state is \"open\", \"done\" or \"dropped\"."))
    }
}

/// What kind of thing a follow-up came from. The words are those of [`crate::policy`]'s objects and of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// An incident.
    Incident,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [Self; 1] = [Self::Incident];

    /// The word in the table and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Incident => "Incident",
        }
    }

    /// Reads the word back; refuses beside `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| Refusal::field(field, "A follow-up comes from an \"incident\", or from nothing."))
    }
}

/// How soon an open follow-up is due: the groups of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Age {
    /// Overdue for longer than [`ESCALATED_AFTER_DAYS`].
    LongOverdue,
    /// Overdue.
    Overdue,
    /// Due today or within [`SOON_DAYS`] days.
    Soon,
    /// Due later.
    Later,
}

/// So many days before the due day its owner is reminded.
pub const SOON_DAYS: i32 = 3;
/// When a follow-up is overdue for longer than so many days, the leads are told as well.
pub const ESCALATED_AFTER_DAYS: i32 = 14;
/// Days between two reminders of what is overdue.
pub const REMINDED_EVERY_DAYS: i32 = 7;

impl Age {
    /// Every group, the oldest first.
    pub const ALL: [Self; 4] = [Self::LongOverdue, Self::Overdue, Self::Soon, Self::Later];

    /// The words above the group.
    pub fn label(self) -> &'static str {
        match self {
            Self::LongOverdue => "Overdue for more than two weeks",
            Self::Overdue => "Overdue",
            Self::Soon => "Due within three days",
            Self::Later => "Due later",
        }
    }

    /// The group of what is overdue for so many days; negative: due in so many.
    pub fn of(days_overdue: i32) -> Self {
        match days_overdue {
            days if days > ESCALATED_AFTER_DAYS => Self::LongOverdue,
            1.. => Self::Overdue,
            days if days >= -SOON_DAYS => Self::Soon,
            _ => Self::Later,
        }
    }
}

/// A reminder of an open follow-up. Each is given once for a due day: moving the day plans them anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chase {
    /// From [`SOON_DAYS`] days before the due day until its end.
    DueSoon,
    /// From the first day after it, again each week.
    Overdue {
        /// Whole weeks since that first day.
        week: i32,
    },
}

impl Chase {
    /// The reminder that is due on a day on which the follow-up is overdue for so many days (negative: due in so many).
    /// Only the latest: who was away for a month, or whose server was, gets one reminder and not five.
    pub fn on(days_overdue: i32) -> Option<Self> {
        match days_overdue {
            1.. => Some(Self::Overdue { week: (days_overdue - 1) / REMINDED_EVERY_DAYS }),
            days if days >= -SOON_DAYS => Some(Self::DueSoon),
            _ => None,
        }
    }

    /// Whether the leads are told as well: after [`ESCALATED_AFTER_DAYS`] days.
    pub fn escalates(self) -> bool {
        matches!(self, Self::Overdue { week } if week * REMINDED_EVERY_DAYS >= ESCALATED_AFTER_DAYS)
    }

    /// Names it among the reminders of one due day.
    pub fn key(self) -> String {
        match self {
            Self::DueSoon => "due_soon".to_owned(),
            Self::Overdue { week } => format!("overdue_{week}"),
        }
    }
}

/// Days from one civil date to another; negative when it lies before.
#[cfg(feature = "rules")]
pub fn days_between(from: Date, to: Date) -> i32 {
    // Both lie within the years −9999 to 9999: some seven million days.
    from.duration_until(to).as_hours().checked_div(24).and_then(|days| i32::try_from(days).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_come_three_days_before_the_day_after_and_then_weekly() {
        let mut given: Vec<(i32, String, bool)> = Vec::new();
        for day in -40..=40 {
            if let Some(chase) = Chase::on(day)
                && given.last().is_none_or(|(_, key, _)| *key != chase.key())
            {
                given.push((day, chase.key(), chase.escalates()));
            }
        }
        let given: Vec<_> = given.iter().map(|(day, key, leads)| (*day, key.as_str(), *leads)).collect();
        assert_eq!(
            given,
            [
                (-3, "due_soon", false),
                (1, "overdue_0", false),
                (8, "overdue_1", false),
                (15, "overdue_2", true),
                (22, "overdue_3", true),
                (29, "overdue_4", true),
                (36, "overdue_5", true),
            ]
        );
    }

    #[test]
    fn the_due_day_itself_is_in_time() {
        let groups = [(-4, Age::Later), (-3, Age::Soon), (0, Age::Soon), (1, Age::Overdue), (14, Age::Overdue)];
        for (days, age) in groups {
            assert_eq!(Age::of(days), age, "{days}");
        }
        assert_eq!(Age::of(15), Age::LongOverdue);
    }

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse("state", state.as_str()), Ok(state));
        }
        for kind in SourceKind::ALL {
            assert_eq!(SourceKind::parse("source.kind", kind.as_str()), Ok(kind));
        }
        assert_eq!(State::parse("state", "closed").unwrap_err().status(), 422);
    }
}
