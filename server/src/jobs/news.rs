//! News between processes: something was committed, look whether it concerns you.
//!
//! Not in the transaction of the change: Postgres lets only one transaction at a time commit with a NOTIFY in it, which
//! would hold up every write. A process tells the others after its commit; should it die in between, or the notification
//! be lost with a connection, everybody looks once a [`ROUND`] anyway.

use std::sync::Arc;
use std::time::Duration;

use backend::{Backend, MovableClock, outbox};
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where Postgres passes it on.
const CHANNEL: &str = "plumbline_news";
/// How long something may stay unnoticed when no notification comes.
pub const ROUND: Duration = Duration::from_secs(1);
/// Many commits in this time are one notification.
const TOGETHER: Duration = Duration::from_millis(20);
/// Pause before a listener that lost its connection tries again.
const RETRY: Duration = Duration::from_secs(2);

/// Told to everybody in this process who waits. Cheap to clone; each clone remembers what it has seen.
#[derive(Debug, Clone)]
pub struct News {
    count: watch::Sender<u64>,
    seen: watch::Receiver<u64>,
}

impl Default for News {
    fn default() -> Self {
        let (count, seen) = watch::channel(0);
        Self { count, seen }
    }
}

impl News {
    /// Something was committed, here or elsewhere.
    pub fn tell(&self) {
        self.count.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Waits until something was committed since the last call, at most a [`ROUND`]: then it is time to look anyway.
    pub async fn changed(&mut self) {
        // The sender lives as long as this does.
        let _ = tokio::time::timeout(ROUND, self.seen.changed()).await;
    }

    /// The same; false when the server stops.
    pub async fn changed_until(&mut self, stopping: &CancellationToken) -> bool {
        stopping.run_until_cancelled(self.changed()).await.is_some()
    }
}

/// Tells the other processes what this one has committed.
pub async fn announce(backend: Backend, news: News, stopping: CancellationToken) {
    while stopping.run_until_cancelled(backend.news()).await.is_some() {
        news.tell();
        if let Err(error) = outbox::announce(&backend, CHANNEL).await {
            tracing::debug!(%error, "the other processes were not notified; they look by themselves");
        }
        tokio::time::sleep(TOGETHER).await;
    }
}

/// Hears what other processes have committed, over a connection of its own.
pub async fn listen(backend: Backend, news: News, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        let heard = stopping.run_until_cancelled(hear(&backend, &news)).await;
        if let Some(Err(error)) = heard {
            tracing::debug!(%error, "not listening for news; looking every second");
            stopping.run_until_cancelled(tokio::time::sleep(RETRY)).await;
        }
    }
}

async fn hear(backend: &Backend, news: &News) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(backend.pool()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Lost and found again: something may have been said meanwhile.
        let _ = listener.try_recv().await?;
        news.tell();
    }
}

/// Reads the clock whenever it may have been moved.
pub async fn follow_clock(backend: Backend, clock: Arc<MovableClock>, mut news: News, stopping: CancellationToken) {
    while news.changed_until(&stopping).await {
        if let Err(error) = clock.read(backend.pool()).await {
            tracing::debug!(%error, "the clock could not be read");
        }
        // Under load there is news all the time.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
