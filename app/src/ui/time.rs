//! Moments: how long ago, and exactly when in the viewer's zone.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use leptos::prelude::*;

use crate::session::of_visit;

/// A moment. Shows how far it is from now, or with `absolute` when it is; the title has the other one's precision.
#[component]
pub fn Time(
    /// The moment.
    at: Timestamp,
    /// Date and time instead of "3 h ago".
    #[prop(optional)]
    absolute: bool,
) -> impl IntoView {
    let seen = of_visit(|visit| {
        let zone = visit.actor.as_ref().and_then(|actor| TimeZone::get(&actor.time_zone).ok());
        (visit.backend.now(), zone.unwrap_or(TimeZone::UTC))
    });
    let (now, zone) = seen.unwrap_or((at, TimeZone::UTC));
    let (then, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone));
    let words = if absolute { then.strftime("%-d %b %Y, %H:%M").to_string() } else { relative(&then, &now) };
    let exact = then.strftime("%A, %-d %B %Y, %H:%M:%S %Z").to_string();
    view! { <time datetime=at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() title=exact>{words}</time> }
}

/// How far a moment is from now; beyond a month the date itself.
fn relative(then: &Zoned, now: &Zoned) -> String {
    let seconds = now.timestamp().as_second() - then.timestamp().as_second();
    let (minutes, hours, days) = (seconds.abs() / 60, seconds.abs() / 3600, seconds.abs() / 86_400);
    let far = match (minutes, hours, days) {
        (0, ..) => return "just now".to_owned(),
        (1..60, ..) => format!("{minutes} min"),
        (_, 1..24, _) => format!("{hours} h"),
        (.., 1..31) => format!("{days} d"),
        _ if then.year() == now.year() => return then.strftime("%-d %b").to_string(),
        _ => return then.strftime("%-d %b %Y").to_string(),
    };
    if seconds > 0 { format!("{far} ago") } else { format!("in {far}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_time_reads_like_a_person_says_it() {
        let now: Zoned = "2026-11-22T12:00:00+01[Europe/Berlin]".parse().unwrap();
        for (then, expected) in [
            ("2026-11-22T11:59:30+01[Europe/Berlin]", "just now"),
            ("2026-11-22T12:00:20+01[Europe/Berlin]", "just now"),
            ("2026-11-22T11:59:00+01[Europe/Berlin]", "1 min ago"),
            ("2026-11-22T09:00:00+01[Europe/Berlin]", "3 h ago"),
            ("2026-11-22T13:30:00+01[Europe/Berlin]", "in 1 h"),
            ("2026-11-20T12:00:00+01[Europe/Berlin]", "2 d ago"),
            ("2026-09-01T12:00:00+02[Europe/Berlin]", "1 Sep"),
            ("2024-02-29T12:00:00+01[Europe/Berlin]", "29 Feb 2024"),
            ("2027-03-01T12:00:00+01[Europe/Berlin]", "1 Mar 2027"),
        ] {
            let then: Zoned = then.parse().unwrap();
            assert_eq!(relative(&then, &now), expected, "{then}");
        }
    }
}
