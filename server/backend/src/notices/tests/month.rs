//! A month on a clock that is moved: digests on Mondays, mail outside of quiet hours, also where clocks change.

use domain::notice::{Later, QuietHours};
use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::*;
use crate::accounts::people;
use crate::notices::inbox::{Change, Until};
use crate::notices::mail::Ready;
use crate::notices::preferences::{self, Change as Wish};
use crate::outbox::Failed;

/// A mail that was sent.
struct Sent {
    to: String,
    key: String,
    at: Timestamp,
}

/// Sends what is due as the server's sender does.
async fn send(backend: &Backend, sent: &mut Vec<Sent>) {
    for work in outbox::claim(backend, Work::Mail, "test", 1000).await.unwrap() {
        let mail = MailMessage::of(&work).unwrap();
        match mail.ready(backend).await.unwrap() {
            Ready::Now => {
                outbox::finish(backend, &[work.id]).await.unwrap();
                sent.push(Sent { to: mail.to, key: work.key, at: backend.now() });
            }
            Ready::In(time) => outbox::fail(backend, &work, "quiet hours", Failed::NotYet(time)).await.unwrap(),
            Ready::Never(why) => panic!("{why}"),
        }
    }
}

async fn live_in(cast: &Cast, actor: &Actor, zone: &str, quiet: Option<(&str, &str)>) {
    people::edit_own(&cast.test, actor, &actor.name, zone).await.unwrap();
    let quiet = quiet.map(|(from, until)| (from.to_owned(), until.to_owned()));
    preferences::put(&cast.test, actor, Expected::Version(1), Wish { quiet, ..Wish::default() }).await.unwrap();
}

#[tokio::test]
async fn a_month_goes_by() {
    // From Monday evening, 12 October 2026: clocks change in Berlin on the 25th and in New York on 1 November.
    let cast = Cast::after(SignedDuration::from_hours(11 - 21 * 24)).await;
    let begin = cast.test.now();
    let lives = [
        (&cast.ada, "Europe/Berlin", Some(("22:00", "07:00")), (8, 0)),
        // Quiet when the digest comes: it waits.
        (&cast.grace, "America/New_York", Some(("20:00", "08:30")), (8, 30)),
        (&cast.linus, "Asia/Kolkata", None, (8, 0)),
        // The first to have a Monday.
        (&cast.sam, "Pacific/Kiritimati", Some(("12:00", "13:30")), (8, 0)),
    ];
    for (actor, zone, quiet, _) in lives {
        live_in(&cast, actor, zone, quiet).await;
    }
    let number = cast.rfc().await;
    let calm = cast.rfc().await;
    cast.thread(&cast.grace, calm, "Only once.").await;
    let ada = Actor { time_zone: "Europe/Berlin".into(), ..cast.ada.clone() };
    let mut sent = Vec::new();
    let (mut put_off, mut came_back) = (String::new(), None);
    for half_hour in 0..31 * 48 {
        if half_hour % 7 == 0 {
            cast.thread(&cast.grace, number, "@linus @sam?").await;
            cast.thread(&cast.linus, number, "@grace?").await;
        }
        if half_hour % (48 * 5) == 0 {
            cast.rfc().await;
        }
        settle(&cast.test).await;
        if half_hour == 100 {
            let items = inbox::list(&cast.test, &ada, State::Open, &PageRequest::default()).await.unwrap().items;
            put_off = items.into_iter().find(|item| item.subject_key == calm.to_string()).unwrap().id;
            let next_week = Change::Later(Until::Morning(Later::NextWeek));
            inbox::change(&cast.test, &ada, &put_off, next_week, None).await.unwrap();
        }
        if half_hour >= 100 && came_back.is_none() {
            let item = inbox::get(&cast.test, &ada, &put_off).await.unwrap();
            came_back = (item.state == State::Open && item.unread).then(|| cast.test.now());
        }
        send(&cast.test, &mut sent).await;
        cast.pass(SignedDuration::from_mins(30));
    }
    assert_eq!(came_back.unwrap().to_string(), "2026-10-19T06:00:00Z", "Monday, eight o'clock in Berlin");

    for (actor, zone, quiet, digest_at) in lives {
        let zone = TimeZone::get(zone).unwrap();
        let own: Vec<_> = sent.iter().filter(|mail| mail.to == actor.email).collect();
        assert!(own.len() > 30, "{}: {} mails", actor.name, own.len());
        let (digests, others): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|mail| mail.key.starts_with("mail:digest:"));
        let times: Vec<_> = digests.iter().map(|mail| mail.at.to_zoned(zone.clone())).collect();
        let days: Vec<_> = times.iter().map(|at| at.date().to_string()).collect();
        assert_eq!(days, ["2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09"], "{}", actor.name);
        for at in times {
            assert_eq!(at.weekday(), Weekday::Monday);
            assert_eq!((at.hour(), at.minute()), digest_at, "{}: {at}", actor.name);
        }
        let quiet = quiet.map(|(from, until)| QuietHours::parse(("", from), ("", until)).unwrap().unwrap());
        for mail in digests.iter().chain(&others) {
            let broken = quiet.and_then(|quiet| quiet.end(mail.at, &zone));
            assert_eq!(broken, None, "{}: {}", actor.name, mail.at.to_zoned(zone.clone()));
        }
        // Nothing waits longer than it must: quiet hours, two minutes, and the half hour of this test.
        let last = others.iter().map(|mail| mail.at).max().unwrap();
        assert!(cast.test.now().duration_since(last) < SignedDuration::from_hours(14), "{}", actor.name);
        assert!(begin < last);
    }
    // Each mail once.
    let mut keys: Vec<_> = sent.iter().map(|mail| &mail.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), sent.len());
}

#[tokio::test]
async fn a_digest_says_what_happened_and_is_silent_when_nothing_did() {
    let cast = Cast::new().await;
    let digests = async || {
        let all = mails(&cast.test).await.into_iter();
        all.filter(|(key, _)| key.starts_with("mail:digest:")).map(|(_, mail)| mail).collect::<Vec<_>>()
    };
    let a_week = async || {
        for _ in 0..7 * 24 {
            settle(&cast.test).await;
            cast.pass(SignedDuration::from_hours(1));
        }
        settle(&cast.test).await;
    };
    a_week().await;
    assert_eq!(digests().await, [], "nothing happened");
    let number = cast.rfc().await;
    cast.draft().await;
    cast.thread(&cast.grace, number, "Why?").await;
    let off = Wish { digest: Some(false), ..Wish::default() };
    preferences::put(&cast.test, &cast.linus, Expected::Version(1), off).await.unwrap();
    a_week().await;
    let mut told = digests().await;
    told.sort_by(|a, b| a.to.cmp(&b.to));
    let to: Vec<_> = told.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["ada@example.com", "grace@example.com", "sam@example.com"]);
    assert!(told[0].text.contains("In your inbox: 1") && told[0].text.contains("RFC-1 Shard the ledger (in review)"));
    assert!(!told[1].text.contains("In your inbox") && !told[1].text.contains("RFC-2"), "{}", told[1].text);
    assert!(told[1].header("List-Unsubscribe").unwrap().contains(".digest."));
    assert_eq!(told[1].header("X-Plumbline-Reason"), Some("digest"));
}

#[tokio::test]
async fn who_moves_to_another_zone_gets_one_digest_when_it_is_monday_there() {
    let cast = Cast::new().await;
    cast.pass(SignedDuration::from_hours(5 * 24));
    cast.rfc().await;
    // Monday, one o'clock: the digest for eight o'clock is planned.
    cast.pass(SignedDuration::from_hours(40));
    settle(&cast.test).await;
    people::edit_own(&cast.test, &cast.sam, "Sam", "America/Vancouver").await.unwrap();
    let mut sent = Vec::new();
    for _ in 0..48 {
        settle(&cast.test).await;
        send(&cast.test, &mut sent).await;
        cast.pass(SignedDuration::from_hours(1));
    }
    let sam: Vec<_> = sent.iter().filter(|mail| mail.to == "sam@example.com").map(|mail| mail.at.to_string()).collect();
    assert_eq!(sam, ["2026-11-09T15:00:00Z"], "Vancouver keeps summer time all the year");
}
