//! `GET /live`: who hears what, what comes after a gap, and when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Response;
use backend::accounts::{people, sessions};
use backend::events::{self, Position};
use backend::notices::inbox;
use backend::testing::{CountingEntropy, TestBackend};
use backend::{Backend, Subject, outbox};
use futures_util::StreamExt as _;
use server::jobs::news::{self, News};

use super::*;

/// Long enough for what must come, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing must come.
const QUIET: Duration = Duration::from_millis(1500);

/// One message as it came over the wire.
#[derive(Debug, Default, PartialEq)]
struct Message {
    id: String,
    event: String,
    data: String,
}

impl Message {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// A page that listens.
struct Page {
    body: BodyDataStream,
    text: String,
    /// What it was told of its reader's inbox.
    unread: Option<String>,
}

impl Page {
    async fn open(cast: &Cast, who: &Persona, query: &str, headers: &[(&str, &str)]) -> Self {
        settle(cast).await;
        let response = cast.app.open(Some(who), &format!("/live?{query}"), headers).await;
        assert_eq!(response.status(), 200);
        Self { body: response.into_body().into_data_stream(), text: String::new(), unread: None }
    }

    /// The next message but for those about the inbox, also one that is an id alone; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let message: String = self.text.drain(..end + 2).collect();
                let mut read = Message::default();
                for line in message.lines() {
                    match line.split_once(": ").unwrap_or((line, "")) {
                        ("id", id) => read.id.push_str(id),
                        ("event", event) => read.event.push_str(event),
                        ("data", data) => read.data.push_str(data),
                        _ => {}
                    }
                }
                if read.event == "inbox" {
                    self.unread = read.json()["unread"].as_str().map(str::to_owned);
                    continue;
                }
                if read != Message::default() {
                    return Some(read);
                }
                continue;
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }

    /// The next message that says something.
    async fn hear(&mut self) -> Message {
        loop {
            let message = self.next().await.unwrap();
            if !message.data.is_empty() {
                return message;
            }
        }
    }

    /// Waits until the beginning is over: the place from which on it listens.
    async fn listening(&mut self) -> String {
        let message = self.next().await.unwrap();
        assert_eq!(message.data, "", "something was missed");
        message.id
    }

    async fn is_quiet(&mut self) {
        let heard = tokio::time::timeout(QUIET, self.next()).await;
        assert!(heard.is_err(), "{heard:?}");
    }
}

/// Waits until everything that happened can be read: other tests have transactions open in the same cluster.
async fn settle(cast: &Cast) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let key = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    let backend = &cast.app.backend;
    let mut tx = backend.begin_unsigned().await.unwrap();
    tx.event("test.settled", &Subject::product(&key), None, None).await.unwrap();
    tx.commit(()).await.unwrap();
    let (kinds, keys) = (["product".to_owned()], [key]);
    while events::after_about(backend, Position::default(), &kinds, &keys, 1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn reply(cast: &Cast, thread: &str, words: &str) -> String {
    let answer = cast.post(&cast.member, &format!("/threads/{thread}/comments"), json!({ "body": words })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_comment_is_heard_of_at_once_and_says_no_word_of_its_text() {
    let cast = Cast::new().await;
    let number = cast.rfc("text").await;
    let thread = cast.thread(number).await;
    let mut author = Page::open(&cast, &cast.author, &format!("topics=inbox,rfc:{number}"), &[]).await;
    let mut member = Page::open(&cast, &cast.member, &format!("topics=rfc:{number}"), &[]).await;
    author.listening().await;
    member.listening().await;
    let comment = reply(&cast, &thread, "A secret word.").await;
    let heard = author.hear().await;
    assert_eq!(
        heard.json(),
        json!({
            "kind": "rfc", "key": number.to_string(), "verb": "comment.posted", "actor": "Mia Member", "own": false,
            "ids": { "thread": thread, "comment": comment },
        })
    );
    assert!(!heard.id.is_empty() && heard.event.is_empty());
    assert_eq!(member.hear().await.json()["own"], true);
    // What happens elsewhere is not for this page.
    cast.rfc("another").await;
    author.is_quiet().await;
}

#[tokio::test]
async fn the_answer_is_a_stream_that_nobody_keeps_or_collects() {
    let cast = Cast::new().await;
    let answer = cast.app.open(Some(&cast.reader), "/live?topics=inbox", &[("accept-encoding", "br, gzip")]).await;
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-accel-buffering"), "no");
    assert_eq!(header("content-encoding"), "");
    assert_eq!(header("set-cookie"), "");
}

#[tokio::test]
async fn who_may_not_listen_is_told_so() {
    let cast = Cast::new().await;
    let number = cast.draft("text").await;
    let status = async |who: Option<&Persona>, query: &str, headers: &[(&str, &str)]| {
        cast.app.open(who, &format!("/live?{query}"), headers).await.status().as_u16()
    };
    assert_eq!(status(None, "topics=inbox", &[]).await, 401);
    let forged = Persona { cookie: "plumbline=AAAAAAAAAAAAAAAAAAAAAA".into(), ..cast.admin.clone() };
    assert_eq!(status(Some(&forged), "topics=inbox", &[]).await, 401);
    let member = Some(&cast.member);
    assert_eq!(status(member, &format!("topics=rfc:{number}"), &[]).await, 404);
    let unknown = ["", "topics=", "topics=service:checkout", "topics=rfc:%00&after=1-1"];
    for query in unknown.into_iter().chain(["topics=inbox&after=x", "topics=inbox&after=1-"]) {
        assert_eq!(status(member, query, &[]).await, 422, "{query}");
    }
    assert_eq!(status(member, "topics=inbox", &[("last-event-id", "x")]).await, 422);
    for headers in [[("sec-fetch-site", "cross-site")], [("sec-fetch-site", "same-site")], [("origin", "null")]] {
        assert_eq!(status(member, "topics=inbox", &headers).await, 403, "{headers:?}");
    }
    assert_eq!(status(member, "topics=inbox", &[("sec-fetch-site", "same-origin")]).await, 200);
}

#[tokio::test]
async fn nothing_of_a_draft_goes_to_those_who_may_not_read_it() {
    let cast = Cast::new().await;
    let number = cast.draft("text").await;
    let share = async |with: &[&str]| {
        let version = cast.get(&cast.author, &format!("/rfcs/{number}")).await.json()["version"].clone();
        let change = json!({ "shared_with": with });
        let answer =
            cast.change(&cast.author, "PATCH", &format!("/rfcs/{number}"), &format!("\"{version}\""), change).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    share(&["mia@example.com"]).await;
    let query = format!("topics=rfc:{number}");
    let mut member = Page::open(&cast, &cast.member, &query, &[]).await;
    let mut author = Page::open(&cast, &cast.author, &query, &[]).await;
    member.listening().await;
    author.listening().await;
    let new = json!({ "revision": 1, "body": "Why?", "severity": "note" });
    let answer = cast.post(&cast.author, &format!("/rfcs/{number}/threads"), new).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(member.hear().await.json()["verb"], "thread.opened");
    // Access is taken away: not even that is said; the stream ends, and does not come back.
    share(&[]).await;
    assert_eq!(member.hear().await.event, "bye");
    assert_eq!(member.next().await, None);
    let again = cast.app.open(Some(&cast.member), &format!("/live?{query}"), &[]).await;
    assert_eq!(again.status(), 404);
    let verbs = [author.hear().await.json()["verb"].clone(), author.hear().await.json()["verb"].clone()];
    assert_eq!(verbs, ["thread.opened", "rfc.changed"]);
}

#[tokio::test]
async fn who_comes_back_hears_what_they_missed_and_nothing_twice() {
    let cast = Cast::new().await;
    let number = cast.rfc("text").await;
    let thread = cast.thread(number).await;
    let query = format!("topics=rfc:{number}");
    let place = Page::open(&cast, &cast.author, &query, &[]).await.listening().await;
    let first = reply(&cast, &thread, "One.").await;
    cast.rfc("another").await;
    let second = reply(&cast, &thread, "Two.").await;
    let after = format!("{query}&after={place}");
    // By the address, as a page does; by the header, as a browser does that lost the connection.
    let mut page = Page::open(&cast, &cast.author, &after, &[]).await;
    let one = page.hear().await;
    assert_eq!(one.json()["ids"]["comment"], first);
    assert_eq!(page.hear().await.json()["ids"]["comment"], second);
    let mut page = Page::open(&cast, &cast.author, &after, &[("last-event-id", &one.id)]).await;
    let two = page.hear().await;
    assert_eq!(two.json()["ids"]["comment"], second);
    page.listening().await;
    page.is_quiet().await;
    let third = reply(&cast, &thread, "Three.").await;
    assert_eq!(page.hear().await.json()["ids"]["comment"], third);
    // Too much to tell.
    for _ in 0..100 {
        reply(&cast, &thread, "And another.").await;
    }
    settle(&cast).await;
    let mut page = Page::open(&cast, &cast.author, &query, &[("last-event-id", &two.id)]).await;
    let reset = page.hear().await;
    assert_eq!(reset.event, "reset");
    assert_eq!(page.listening().await, reset.id, "whoever loads the page again is to come back from here");
    let mut page = Page::open(&cast, &cast.author, &query, &[("last-event-id", &reset.id)]).await;
    page.listening().await;
    // A place that another database gave.
    let mut page = Page::open(&cast, &cast.author, &query, &[("last-event-id", "999999999-1")]).await;
    let reset = page.hear().await;
    assert!(reset.event == "reset" && reset.id == page.listening().await, "{reset:?}");
    let heard = reply(&cast, &thread, "Here.").await;
    assert_eq!(page.hear().await.json()["ids"]["comment"], heard);
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_its_person() {
    let cast = Cast::new().await;
    let ends = async |mut page: Page| {
        page.listening().await;
        page
    };
    let mut out = ends(Page::open(&cast, &cast.member, "topics=inbox", &[]).await).await;
    let mut disabled = ends(Page::open(&cast, &cast.sre, "topics=inbox", &[]).await).await;
    let mut stays = ends(Page::open(&cast, &cast.reader, "topics=inbox", &[]).await).await;
    let began = std::time::Instant::now();
    cast.app.form(Some(&cast.member), "/", "/do/account/sign-out", &[]).await;
    people::disable(&cast.app.backend, &cast.admin.actor, "sam@example.com").await.unwrap();
    for page in [&mut out, &mut disabled] {
        assert_eq!(page.hear().await.event, "bye");
        assert_eq!(page.next().await, None);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    stays.is_quiet().await;
    // A session that is not used ends, and listening is no use.
    cast.app.backend.clock.advance(sessions::IDLE);
    assert_eq!(stays.hear().await.event, "bye");
}

#[tokio::test]
async fn the_count_of_an_inbox_is_told_when_it_changes() {
    let cast = Cast::new().await;
    let number = cast.rfc("text").await;
    // What making the people told them is no part of this test.
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    inbox::read_all(&cast.app.backend, &cast.author.actor, None).await.unwrap();
    let mut page = Page::open(&cast, &cast.author, "topics=inbox", &[]).await;
    page.listening().await;
    let mut told = async |expected: &str| {
        let began = std::time::Instant::now();
        page.unread = None;
        while page.unread.as_deref() != Some(expected) {
            assert!(began.elapsed() < PATIENCE, "{:?}", page.unread);
            drop(tokio::time::timeout(Duration::from_millis(100), page.next()).await);
        }
    };
    told("0").await;
    let thread = cast.thread(number).await;
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    told("1").await;
    // News of what is unread already is news.
    reply(&cast, &thread, "Still?").await;
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    told("1").await;
    // Read in another tab.
    inbox::read_all(&cast.app.backend, &cast.author.actor, None).await.unwrap();
    told("0").await;
}

#[tokio::test]
async fn one_person_has_so_many_streams_and_gets_them_back() {
    let cast = Cast::new().await;
    let open = async || cast.app.open(Some(&cast.reader), "/live?topics=inbox", &[]).await;
    let mut streams: Vec<Response<Body>> = Vec::new();
    for _ in 0..20 {
        let stream = open().await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    let refused = open().await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let other = cast.app.open(Some(&cast.member), "/live?topics=inbox", &[]).await;
    assert_eq!(other.status(), 200);
    streams.pop();
    assert_eq!(open().await.status(), 200);
}

#[tokio::test]
async fn a_server_that_stops_lets_its_readers_go_at_once() {
    let cast = Cast::new().await;
    let mut page = Page::open(&cast, &cast.reader, "topics=inbox", &[]).await;
    page.listening().await;
    cast.app.stopping.cancel();
    let began = std::time::Instant::now();
    assert_eq!(page.next().await, None);
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
    let refused = cast.app.open(Some(&cast.reader), "/live?topics=inbox", &[]).await;
    assert_eq!(refused.status(), 503);
}

#[tokio::test]
async fn two_processes_on_one_database_hear_of_each_other() {
    let cast = Cast::new().await;
    let number = cast.rfc("text").await;
    let thread = cast.thread(number).await;
    // The other process hears by NOTIFY alone.
    let (clock, news) = (Arc::clone(&cast.app.backend.clock), News::default());
    let backend = Backend::new(cast.app.backend.pool().clone(), clock.clone(), Arc::new(CountingEntropy::default()));
    settle(&cast).await;
    tokio::spawn(news::listen(backend.clone(), news.clone(), cast.app.stopping.clone()));
    let other = TestApp::on(TestBackend { backend, clock }, &[], news, cast.app.stopping.clone());
    let mut page = Page {
        body: other
            .open(Some(&cast.author), &format!("/live?topics=rfc:{number}"), &[])
            .await
            .into_body()
            .into_data_stream(),
        text: String::new(),
        unread: None,
    };
    page.listening().await;
    // Listening begins beside.
    tokio::time::sleep(Duration::from_millis(300)).await;
    for words in ["One.", "Two.", "Three."] {
        let comment = reply(&cast, &thread, words).await;
        assert_eq!(page.hear().await.json()["ids"]["comment"], comment);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn five_hundred_pages_hear_of_a_comment_and_take_little_memory() {
    let cast = Cast::new().await;
    let number = cast.rfc("text").await;
    let thread = cast.thread(number).await;
    settle(&cast).await;
    let before = resident_kib();
    let mut pages = Vec::new();
    for person in 0..25 {
        let who = cast.app.person(&format!("P{person} Reader"), Role::Reader, None).await;
        for _ in 0..20 {
            let answer = cast.app.open(Some(&who), &format!("/live?topics=inbox,rfc:{number}"), &[]).await;
            assert_eq!(answer.status(), 200);
            pages.push(Page { body: answer.into_body().into_data_stream(), text: String::new(), unread: None });
        }
    }
    let began = std::time::Instant::now();
    let comment = reply(&cast, &thread, "Everybody.").await;
    for page in &mut pages {
        assert_eq!(page.hear().await.json()["ids"]["comment"], comment);
    }
    let (took, more) = (began.elapsed(), resident_kib().saturating_sub(before));
    println!("500 streams: the comment was written and heard by all after {took:?}; {} KiB a stream", more / 500);
    assert!(more < 50 * 1024, "{more} KiB");
}

/// Memory of this process, as the system counts it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
