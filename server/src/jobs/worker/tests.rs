//! Two processes' workers on one database.

use std::collections::BTreeMap;
use std::sync::Mutex;

use backend::outbox::Work;
use backend::testing::{self, TestBackend};
use backend::{MovableClock, Subject};
use serde_json::json;

use super::*;
use crate::jobs::Jobs;

/// Remembers what was sent; what is named `broken` fails, what is named `stuck` never ends.
#[derive(Default)]
struct Recorder(Mutex<BTreeMap<String, u32>>);

#[async_trait]
impl Sender for Recorder {
    fn kind(&self) -> Kind {
        Kind::Mail
    }

    fn at_once(&self) -> usize {
        2
    }

    async fn send(&self, _: &Backend, work: &Claimed) -> Result<(), SendError> {
        *self.0.lock().unwrap().entry(work.key.clone()).or_default() += 1;
        match work.key.split('-').next() {
            Some("broken") => Err(SendError::later("the receiver hung up")),
            Some("stuck") => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

impl Recorder {
    fn sent(&self) -> BTreeMap<String, u32> {
        self.0.lock().unwrap().clone()
    }
}

async fn put(test: &TestBackend, keys: impl IntoIterator<Item = String>) {
    let mut tx = test.begin_unsigned().await.unwrap();
    for key in keys {
        tx.put(&Work { key, kind: Kind::Mail, payload: json!({}), due_at: test.now() }).await.unwrap();
    }
    tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
    tx.commit(()).await.unwrap();
}

/// Waits until it holds, three seconds at most.
async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..60 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never came true: {what}");
}

fn process(test: &TestBackend, sender: &Arc<Recorder>, stopping: &CancellationToken) -> (Jobs, News) {
    let (clock, news) = (Arc::new(MovableClock::default()), News::default());
    // A backend of its own: nothing but the database is shared.
    let backend = Backend::new(test.pool().clone(), test.clock.clone(), Arc::new(testing::CountingEntropy::default()));
    (Jobs::start(&backend, clock, &news, vec![Arc::clone(sender) as Arc<dyn Sender>], stopping), news)
}

#[tokio::test]
async fn two_processes_do_everything_once_and_one_that_is_stuck_holds_up_nobody() {
    let (test, sender, stopping) = (testing::backend().await, Arc::new(Recorder::default()), CancellationToken::new());
    let (one, _) = process(&test, &sender, &stopping);
    let (other, _) = process(&test, &sender, &stopping);
    put(&test, ["stuck-1".to_owned(), "broken-1".to_owned()]).await;
    put(&test, (0..40).map(|number| format!("mail-{number}"))).await;
    eventually("all were sent", async || sender.sent().len() == 42).await;
    eventually("the event was passed on", async || {
        outbox::lag(&test).await.unwrap().iter().all(|lag| lag.kind != "event" || lag.due == 0)
    })
    .await;
    assert!(sender.sent().values().all(|times| *times == 1), "{:?}", sender.sent());
    test.clock.advance(jiff::SignedDuration::from_secs(7));
    eventually("what failed is tried again under its key", async || sender.sent()["broken-1"] == 2).await;
    assert_eq!(sender.sent()["stuck-1"], 1, "its lease still runs");
    stopping.cancel();
    let began = std::time::Instant::now();
    tokio::join!(one.finished(), other.finished());
    assert!(began.elapsed() < PATIENCE + Duration::from_secs(2), "{:?}", began.elapsed());
    let left = outbox::lag(&test).await.unwrap().into_iter().find(|lag| lag.kind == "mail").unwrap();
    assert_eq!((left.due, left.planned), (0, 1), "broken is still to be done");
    test.clock.advance(outbox::LEASE);
    let left = outbox::lag(&test).await.unwrap().into_iter().find(|lag| lag.kind == "mail").unwrap();
    assert_eq!((left.due, left.planned), (1, 1), "stuck, too, once its lease has run out");
}

#[tokio::test]
async fn what_one_process_commits_the_others_hear_at_once() {
    let (test, stopping) = (testing::backend().await, CancellationToken::new());
    let announcing = tokio::spawn(crate::jobs::news::announce(test.backend.clone(), News::default(), stopping.clone()));
    let mut news = News::default();
    let listening = tokio::spawn(crate::jobs::news::listen(test.backend.clone(), news.clone(), stopping.clone()));
    // Connecting is news too.
    news.changed().await;
    let mut heard = Vec::new();
    for number in 0..5 {
        put(&test, [format!("mail-{number}")]).await;
        let began = std::time::Instant::now();
        news.changed().await;
        heard.push(began.elapsed());
    }
    heard.sort();
    assert!(heard[2] < Duration::from_millis(500), "{heard:?}");
    stopping.cancel();
    announcing.await.unwrap();
    listening.await.unwrap();
}
