//! The inbox, and mails that wait.

use domain::notice::Later;

use super::*;
use crate::notices::inbox::{Change, Until};
use crate::notices::preferences::{self, Change as Wish};
use crate::notices::unsubscribe;
use crate::rfcs::comments;

#[tokio::test]
async fn an_item_is_read_put_off_and_done_and_news_opens_it_again() {
    let cast = Cast::new().await;
    let (one, two) = (cast.rfc().await, cast.rfc().await);
    let thread = cast.thread(&cast.grace, one, "First").await;
    cast.pass(SignedDuration::from_secs(1));
    cast.thread(&cast.grace, two, "Second").await;
    cast.thread(&cast.grace, two, "Third").await;
    let items = cast.inbox(&cast.ada, State::Open).await;
    let keys: Vec<_> = items.iter().map(|item| (item.tag.as_str(), item.unread, item.notices.len())).collect();
    assert_eq!(keys, [("RFC-2", true, 2), ("RFC-1", true, 1)]);
    assert_eq!(items[0].notices[0].excerpt, "Third");
    assert!(items[1].path.starts_with("/rfcs/1#comment-"), "{}", items[1].path);
    let (second, first) = (&items[0], &items[1]);

    // Opening it marks it as read.
    assert_eq!(inbox::open(&cast.test, &cast.ada, &first.id).await.unwrap(), first.path);
    assert_eq!(inbox::unread(&cast.test, cast.ada.id).await.unwrap(), 1);
    let later = Change::Later(Until::Morning(Later::Tomorrow));
    let put_off = inbox::change(&cast.test, &cast.ada, &first.id, later, None).await.unwrap();
    assert_eq!((put_off.state, put_off.unread), (State::Later, false));
    assert_eq!(put_off.back_at.unwrap().to_string(), "2026-11-03T08:00:00Z");
    let done = inbox::change(&cast.test, &cast.ada, &second.id, Change::Done, None).await.unwrap();
    assert_eq!((done.state, done.unread), (State::Done, false));
    assert_eq!(cast.inbox(&cast.ada, State::Open).await, []);
    let counts = inbox::counts(&cast.test, &cast.ada).await.unwrap();
    assert_eq!((counts.open, counts.unread, counts.later), (0, 0, 1));

    // It comes back at its time, unread, not a second before.
    let until = put_off.back_at.unwrap();
    cast.pass(until.duration_since(cast.test.now()) - SignedDuration::from_secs(1));
    assert_eq!(inbox::unread(&cast.test, cast.ada.id).await.unwrap(), 0);
    cast.pass(SignedDuration::from_secs(1));
    assert_eq!(inbox::unread(&cast.test, cast.ada.id).await.unwrap(), 1);
    let back = cast.inbox(&cast.ada, State::Open).await;
    assert_eq!((back[0].id.as_str(), back[0].unread, back[0].back_at), (first.id.as_str(), true, None));
    let read = inbox::change(&cast.test, &cast.ada, &first.id, Change::Read, None).await.unwrap();
    assert_eq!((read.state, read.unread), (State::Open, false));

    // News opens what is done, and what is put off.
    inbox::change(&cast.test, &cast.ada, &first.id, Change::Later(Until::Morning(Later::NextWeek)), None)
        .await
        .unwrap();
    comments::reply(&cast.test, &cast.linus, &thread, "News").await.unwrap();
    cast.thread(&cast.grace, two, "News").await;
    let open = cast.inbox(&cast.ada, State::Open).await;
    assert!(open.len() == 2 && open.iter().all(|item| item.unread && item.back_at.is_none()), "{open:#?}");

    // What somebody did not see is neither read nor done.
    let seen = open[0].notices[0].id;
    comments::reply(&cast.test, &cast.grace, &thread, "More news").await.unwrap();
    cast.inbox(&cast.ada, State::Open).await;
    let kept = inbox::change(&cast.test, &cast.ada, &first.id, Change::Done, Some(seen)).await.unwrap();
    assert_eq!((kept.state, kept.unread), (State::Open, true));
    assert_eq!(inbox::read_all(&cast.test, &cast.ada, Some(seen)).await.unwrap(), 1);
    assert_eq!(inbox::read_all(&cast.test, &cast.ada, None).await.unwrap(), 1);
    assert_eq!(inbox::unread(&cast.test, cast.ada.id).await.unwrap(), 0);

    // Everybody has their own.
    let others = inbox::change(&cast.test, &cast.grace, &first.id, Change::Done, None).await;
    assert!(others.is_err());
    let past = Change::Later(Until::Instant(cast.test.now()));
    assert!(inbox::change(&cast.test, &cast.ada, &first.id, past, None).await.is_err());
}

#[tokio::test]
async fn pages_follow_one_another() {
    let cast = Cast::new().await;
    for _ in 0..5 {
        let number = cast.rfc().await;
        cast.thread(&cast.grace, number, "?").await;
    }
    settle(&cast.test).await;
    let mut seen = Vec::new();
    let mut page = PageRequest { limit: Some(2), cursor: None };
    loop {
        let found = inbox::list(&cast.test, &cast.ada, State::Open, &page).await.unwrap();
        seen.extend(found.items.into_iter().map(|item| item.tag));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["RFC-5", "RFC-4", "RFC-3", "RFC-2", "RFC-1"]);
}

#[tokio::test]
async fn news_of_one_object_that_come_close_together_are_one_mail() {
    let cast = Cast::new().await;
    let (one, two) = (cast.rfc().await, cast.rfc().await);
    let thread = cast.thread(&cast.grace, one, "First **words**").await;
    cast.thread(&cast.grace, two, "Elsewhere").await;
    settle(&cast.test).await;
    assert_eq!(mails(&cast.test).await, [], "it waits for more");
    cast.pass(SignedDuration::from_secs(90));
    let regretted = comments::reply(&cast.test, &cast.linus, &thread, "Regretted").await.unwrap();
    comments::reply(&cast.test, &cast.linus, &thread, "Second & <last>").await.unwrap();
    settle(&cast.test).await;
    comments::delete(&cast.test, &cast.linus, &regretted.id, Expected::Any).await.unwrap();
    settle(&cast.test).await;
    cast.pass(SignedDuration::from_secs(30));
    let mut sent = mails(&cast.test).await;
    sent.retain(|(_, mail)| mail.to == "ada@example.com" && mail.subject.starts_with("[RFC-1]"));
    assert_eq!(sent.len(), 1);
    let (_, mail) = &sent[0];
    assert_eq!(mail.subject, "[RFC-1] Shard the ledger");
    assert!(mail.text.contains("Grace commented") && mail.text.contains("> First words"), "{}", mail.text);
    assert!(mail.text.contains("> Second & <last>") && mail.html.contains("Second &amp; &lt;last&gt;"));
    assert!(!mail.text.contains("Regretted") && !mail.html.contains("Regretted"));
    assert!(mail.text.contains("http://localhost/rfcs/1#comment-"), "{}", mail.text);
    // What was sent is not changed any more.
    comments::reply(&cast.test, &cast.linus, &thread, "Third").await.unwrap();
    settle(&cast.test).await;
    cast.pass(SignedDuration::from_mins(2));
    let again = mails(&cast.test).await;
    let again: Vec<_> = again.iter().filter(|(_, mail)| mail.to == "ada@example.com").collect();
    assert_eq!(again.len(), 1);
    assert!(again[0].1.text.contains("Third") && !again[0].1.text.contains("First"));
    assert_ne!(again[0].1.header("Message-ID"), mail.header("Message-ID"));
    assert_eq!(again[0].1.header("References"), mail.header("References"));
    assert_eq!(again[0].1.header("In-Reply-To"), mail.header("References"));
}

#[tokio::test]
async fn a_comment_taken_back_is_not_repeated() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let thread = cast.thread(&cast.ada, number, "?").await;
    let posted = comments::reply(&cast.test, &cast.grace, &thread, "A secret").await.unwrap();
    assert_eq!(cast.inbox(&cast.ada, State::Open).await[0].notices[0].excerpt, "A secret");
    comments::delete(&cast.test, &cast.grace, &posted.id, Expected::Any).await.unwrap();
    assert_eq!(cast.inbox(&cast.ada, State::Open).await[0].notices[0].excerpt, "");
    cast.pass(SignedDuration::from_mins(5));
    assert_eq!(mails(&cast.test).await, [], "there was nothing else to tell");
}

#[tokio::test]
async fn a_link_in_a_mail_turns_that_kind_off_and_nothing_else() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    cast.thread(&cast.grace, number, "?").await;
    settle(&cast.test).await;
    cast.pass(SignedDuration::from_mins(5));
    let mail = mails(&cast.test).await.remove(0).1;
    assert_eq!(mail.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    let link = mail.header("List-Unsubscribe").unwrap().trim_matches(['<', '>']).to_owned();
    assert!(mail.text.contains(&link) && mail.html.contains(&link));
    let token = link.strip_prefix("http://localhost/unsubscribe/").unwrap();
    assert!(unsubscribe::look(&cast.test, token).await.unwrap().on, "looking changes nothing");
    assert!(unsubscribe::look(&cast.test, token).await.unwrap().on);
    for _ in 0..2 {
        assert!(!unsubscribe::unsubscribe(&cast.test, token).await.unwrap().on);
    }
    let found = preferences::get(&cast.test, &cast.ada).await.unwrap();
    assert_eq!((found.preferences.mail_off.len(), found.version), (1, 2));
    // Neither another person's nor another kind's can be made of it.
    let grace = token.replacen(&cast.ada.id.to_string(), &cast.grace.id.to_string(), 1);
    let revision = token.replace("comment", "revision");
    let short = token.rsplit_once('.').unwrap().0;
    for forged in [grace.as_str(), &revision, short, "", "1.comment.", "x.y.z"] {
        assert!(unsubscribe::unsubscribe(&cast.test, forged).await.is_err(), "{forged}");
    }
    cast.thread(&cast.grace, number, "?").await;
    settle(&cast.test).await;
    cast.pass(SignedDuration::from_mins(5));
    assert_eq!(mails(&cast.test).await, []);
    assert_eq!(cast.inbox(&cast.ada, State::Open).await[0].notice_count, 2, "the inbox is another matter");
}

#[tokio::test]
async fn a_mail_waits_until_the_quiet_hours_end() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let wish = Wish { quiet: Some(("08:30".into(), "10:15".into())), ..Wish::default() };
    preferences::put(&cast.test, &cast.ada, Expected::Version(1), wish).await.unwrap();
    let thread = cast.thread(&cast.grace, number, "Early").await;
    settle(&cast.test).await;
    cast.pass(SignedDuration::from_mins(60));
    comments::reply(&cast.test, &cast.grace, &thread, "Later").await.unwrap();
    settle(&cast.test).await;
    cast.pass(SignedDuration::from_mins(14));
    assert_eq!(mails(&cast.test).await, []);
    cast.pass(SignedDuration::from_mins(1));
    let sent = mails(&cast.test).await;
    assert_eq!(sent.len(), 1);
    assert!(sent[0].1.text.contains("Early") && sent[0].1.text.contains("Later"));
    // Somebody whose quiet hours begin while a mail waits is not woken by it.
    let wish = Wish { quiet: Some(("10:00".into(), "11:15".into())), ..Wish::default() };
    preferences::put(&cast.test, &cast.ada, Expected::Version(2), wish).await.unwrap();
    let ready = mail_of(&cast.test, cast.ada.id).await.ready(&cast.test).await.unwrap();
    assert_eq!(ready, crate::notices::mail::Ready::In(SignedDuration::from_mins(60)));
}
