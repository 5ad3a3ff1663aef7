//! The demo's incidents: about a year of them, so that charts have something to show. Some come back, as they do; two name
//! services that the catalogue does not know.

use std::sync::Arc;

use domain::Actor;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::organisation::SERVICES;
use crate::accounts::actor_by_email;
use crate::incidents::record_quietly;
use crate::{Backend, Error, FixedClock, Result, SystemEntropy};

/// Where the demo's incidents come from.
const SOURCE: &str = "on-call-bot";

/// Something that went wrong, once or again and again.
struct Story {
    title: &'static str,
    /// Markdown.
    summary: &'static str,
    kind: &'static str,
    severity: i64,
    services: &'static [&'static str],
    /// Who wrote it down: the part of their address before the `@`.
    by: &'static str,
    /// The address of its postmortem, without its beginning; may be empty.
    postmortem: &'static str,
    /// When: days before today, hour of that day (UTC), minutes until it was noticed, mitigated, over. -1: not known.
    times: &'static [(i64, i64, i64, i64, i64)],
}

const STORIES: &[Story] = &[
    Story {
        title: "Checkout refused cards after a limit was changed",
        summary: "A limit in **feature-flags** was set for all harbours instead of one. Put back by hand.\n\n- 41 minutes \
                  without card payments\n- the flag had no owner",
        kind: "config_change",
        severity: 1,
        services: &["payments", "booking"],
        by: "grace",
        postmortem: "card-limits",
        times: &[(9, 10, 4, 41, 55), (31, 15, 12, 38, 60), (58, 8, 6, 25, 40)],
    },
    Story {
        title: "Fares of the wrong season were shown",
        summary: "The calendar's season was switched a day early. Passengers paid the lower fare; it was honoured.",
        kind: "config_change",
        severity: 3,
        services: &["price-calendar"],
        by: "priya",
        postmortem: "",
        times: &[(17, 6, 95, 130, 180), (44, 22, 240, 300, 420), (127, 7, 60, 90, 200)],
    },
    Story {
        title: "Gateway sent half the traffic to an empty pool",
        summary: "A route was renamed in one of two files.",
        kind: "config_change",
        severity: 2,
        services: &["api-gateway"],
        by: "samir",
        postmortem: "empty-pool",
        times: &[(72, 13, 2, 19, 35), (203, 16, 3, 22, 30)],
    },
    Story {
        title: "Seat map slow during the summer sale",
        summary: "Twice the usual readers; the pool of connections ran out.",
        kind: "capacity",
        severity: 2,
        services: &["seat-map", "booking"],
        by: "lena",
        postmortem: "summer-sale",
        times: &[(121, 9, 8, 74, 110), (114, 9, 5, 40, 65), (148, 17, 15, 90, 140), (22, 18, 7, 52, 80)],
    },
    Story {
        title: "Departure search timed out on a Friday evening",
        summary: "",
        kind: "capacity",
        severity: 2,
        services: &["departure-search"],
        by: "priya",
        postmortem: "",
        times: &[(13, 17, 3, 33, 45), (27, 17, 4, 28, 40), (90, 17, 6, 47, 70), (251, 17, 10, 66, 90)],
    },
    Story {
        title: "Event bus ran out of disk",
        summary: "Retention had been doubled for an audit and never put back.",
        kind: "capacity",
        severity: 1,
        services: &["event-bus", "passenger-mail", "ledger"],
        by: "tomas",
        postmortem: "bus-disk",
        times: &[(66, 3, 22, 81, 150), (290, 2, 35, 140, 260)],
    },
    Story {
        title: "The bank's gateway answered slowly",
        summary: "Their maintenance, announced on a page nobody reads.",
        kind: "dependency",
        severity: 2,
        services: &["payments"],
        by: "ada",
        postmortem: "",
        times: &[
            (5, 20, 3, 64, 66),
            (49, 21, 2, 50, 52),
            (103, 20, 4, 58, 61),
            (170, 20, 3, 71, 75),
            (312, 21, 9, 84, 90),
        ],
    },
    Story {
        title: "Text messages were not delivered in two countries",
        summary: "",
        kind: "dependency",
        severity: 3,
        services: &["passenger-mail"],
        by: "samir",
        postmortem: "",
        times: &[(38, 11, 130, 190, 400), (155, 12, 200, 260, 500)],
    },
    Story {
        title: "Timetables of a harbour were missing",
        summary: "The harbour renamed its feed. We noticed when a captain called.",
        kind: "dependency",
        severity: 3,
        services: &["timetable-import", "departure-search"],
        by: "lena",
        postmortem: "",
        times: &[(80, 5, 185, 240, 300), (187, 4, 210, 280, 330), (333, 5, 160, 220, 290)],
    },
    Story {
        title: "Boarding passes without a bar code",
        summary: "A library was raised by a major version. Rolled back.",
        kind: "deploy",
        severity: 1,
        services: &["boarding-pass"],
        by: "jonas",
        postmortem: "bar-codes",
        times: &[(20, 12, 11, 29, 45), (212, 12, 18, 37, 60)],
    },
    Story {
        title: "Sign-in failed for staff after a release",
        summary: "",
        kind: "deploy",
        severity: 2,
        services: &["identity", "on-call-bot"],
        by: "samir",
        postmortem: "",
        times: &[(34, 7, 1, 14, 20), (139, 8, 2, 17, 25), (264, 7, 4, 23, 31)],
    },
    Story {
        title: "Refunds were sent twice",
        summary: "A retry after a timeout had no key. 212 refunds, all found by the ledger's nightly comparison.",
        kind: "deploy",
        severity: 1,
        services: &["refunds", "ledger"],
        by: "ada",
        postmortem: "double-refunds",
        times: &[(96, 14, 610, 655, 900)],
    },
    Story {
        title: "Booking answered 500 while it was being deployed",
        summary: "Connections were cut instead of drained.",
        kind: "deploy",
        severity: 3,
        services: &["booking"],
        by: "jonas",
        postmortem: "",
        times: &[(2, 9, 1, 6, 7), (41, 9, 1, 5, 6), (62, 10, 2, 7, 9), (180, 9, 2, 9, 11), (226, 9, 3, 8, 9)],
    },
    Story {
        title: "Ledger and bank differed by one cent a booking",
        summary: "Rounding of a foreign currency.",
        kind: "data",
        severity: 3,
        services: &["ledger"],
        by: "ada",
        postmortem: "one-cent",
        times: &[(108, 1, 1440, 1500, 2900), (298, 1, 2880, 3000, 4300)],
    },
    Story {
        title: "Duplicate sailings in the calendar",
        summary: "",
        kind: "data",
        severity: 4,
        services: &["price-calendar", "timetable-import"],
        by: "priya",
        postmortem: "",
        times: &[(53, 6, 75, 90, 120), (164, 6, 80, 100, 130), (240, 6, 120, 150, 190)],
    },
    Story {
        title: "Link between the halls lost packets",
        summary: "",
        kind: "network",
        severity: 2,
        services: &["event-bus", "api-gateway"],
        by: "tomas",
        postmortem: "",
        times: &[(76, 23, 6, 44, 120), (196, 0, 5, 39, 90), (277, 23, 8, 61, 140)],
    },
    Story {
        title: "Gates at the harbour could not reach us",
        summary: "Their wireless network; gates went on offline.",
        kind: "network",
        severity: 3,
        services: &["boarding-pass", "Harbour Wi-Fi"],
        by: "grace",
        postmortem: "",
        times: &[(15, 16, 20, 110, 200), (133, 15, 25, 90, 180), (320, 16, 30, 140, 260)],
    },
    Story {
        title: "Passwords were tried from many addresses",
        summary: "No account was taken over; throttling was made stricter.",
        kind: "security",
        severity: 2,
        services: &["identity"],
        by: "grace",
        postmortem: "password-spray",
        times: &[(47, 2, 14, 58, 300), (234, 3, 40, 120, 600)],
    },
    Story {
        title: "A certificate ran out",
        summary: "It was renewed by hand once a year, by somebody who had left.",
        kind: "human_process",
        severity: 2,
        services: &["status-page"],
        by: "noor",
        postmortem: "certificate",
        times: &[(157, 0, 12, 48, 50), (359, 0, 60, 150, 155)],
    },
    Story {
        title: "Nobody was on call over the holiday",
        summary: "The rota ended with the year.",
        kind: "human_process",
        severity: 3,
        services: &["on-call-bot"],
        by: "mei",
        postmortem: "",
        times: &[(307, 8, 300, 310, 320)],
    },
    Story {
        title: "Confirmations went out hours late",
        summary: "The old mailer was still in the path for one harbour.",
        kind: "unknown",
        severity: 3,
        services: &["passenger-mail", "Legacy Mailer"],
        by: "samir",
        postmortem: "",
        times: &[(7, 13, 150, 210, 215), (85, 14, 90, 160, -1)],
    },
    Story {
        title: "Prices jumped for a minute",
        summary: "",
        kind: "unknown",
        severity: 4,
        services: &["price-calendar"],
        by: "lena",
        postmortem: "",
        times: &[(25, 19, -1, -1, 2), (218, 19, 45, -1, 1)],
    },
];

/// Enters the incidents that are missing; what exists under their names stays as it is.
pub async fn incidents(backend: &Backend) -> Result<()> {
    let known = sqlx::query_scalar!(
        r#"select external_id as "external_id!" from incidents where source = $1 and external_id is not null"#,
        SOURCE,
    )
    .fetch_all(backend.pool())
    .await?;
    let today = backend.now().as_second().div_euclid(86_400) * 86_400;
    for (number, story) in (1..).zip(STORIES) {
        for (again, times) in (1..).zip(story.times) {
            let name = format!("BOT-{}", number * 100 + again);
            if !known.contains(&name) {
                enter(backend, story, &name, today, *times).await?;
            }
        }
    }
    Ok(())
}

async fn enter(
    backend: &Backend,
    story: &Story,
    name: &str,
    today: i64,
    (days_ago, hour, detected, mitigated, ended): (i64, i64, i64, i64, i64),
) -> Result<()> {
    let start = Timestamp::from_second(today - days_ago * 86_400 + hour * 3_600 + 7 * 60).map_err(Error::internal)?;
    let after = |minutes: i64| {
        let at = Some(minutes).filter(|minutes| *minutes >= 0).map(SignedDuration::from_mins);
        at.and_then(|passed| start.checked_add(passed).ok())
    };
    let written = after(detected.max(mitigated).max(ended) + 45).unwrap_or(start).min(backend.now());
    let then = Backend::new(backend.pool().clone(), Arc::new(FixedClock::at(written)), Arc::new(SystemEntropy));
    let actor: Actor = actor_by_email(&then, &format!("{}@example.com", story.by)).await?;
    let url =
        (!story.postmortem.is_empty()).then(|| format!("https://wiki.example.com/postmortems/{}", story.postmortem));
    let services: Vec<&str> = story.services.to_vec();
    debug_assert!(services.iter().any(|slug| SERVICES.iter().any(|service| service.slug == *slug)));
    let body = json!({
        "external_id": name, "title": story.title, "type": story.kind, "severity": story.severity,
        "services": services, "started_at": start, "detected_at": after(detected), "mitigated_at": after(mitigated),
        "ended_at": after(ended), "summary": story.summary, "postmortem_url": url,
    });
    record_quietly(&then, &actor, SOURCE, &body).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people_teams_services;
    use crate::incidents::names::{self, State};
    use crate::incidents::{Filter, aggregate, list};
    use crate::{PageRequest, testing};

    #[tokio::test]
    async fn a_year_of_incidents_is_entered_once() {
        let backend = testing::backend().await;
        people_teams_services(&backend).await.unwrap();
        incidents(&backend).await.unwrap();
        let actor = Actor::operator();
        let page = PageRequest { limit: Some(200), cursor: None };
        let listed = list(&backend, &actor, &Filter::default(), &page).await.unwrap().items;
        assert!((55..=65).contains(&listed.len()), "{}", listed.len());
        assert!(listed.iter().any(|incident| incident.repeats.iter().any(|repeat| repeat.nth >= 3)));
        let chart = aggregate::by_month(&backend, &actor, &Filter::default(), 12).await.unwrap();
        assert!(chart.types.len() == 9 && chart.total.median_seconds_to_mitigate.is_some());
        let waiting = names::list(&backend, &actor, State::Waiting, &page).await.unwrap().items;
        let waiting: Vec<_> = waiting.iter().map(|name| name.name.as_str()).collect();
        assert_eq!(waiting, ["harbour wi-fi", "legacy mailer"]);
        // A day later the same incidents are there, and no others.
        backend.clock.advance(SignedDuration::from_hours(24));
        incidents(&backend).await.unwrap();
        assert_eq!(list(&backend, &actor, &Filter::default(), &page).await.unwrap().items, listed);
    }
}
