//! The worker: does what is in the outbox. Each process has one; together they do every piece of work at least once, and
//! what only touches the database exactly once (`backend::outbox` says how).

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use backend::outbox::{self, Claimed, Failed, Kind};
use backend::{Backend, Entropy, jobs};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::news::News;

/// Pause after the database failed.
const RETRY: Duration = Duration::from_secs(1);
/// How often what no server survives is looked for.
const BURY: Duration = Duration::from_secs(30);
/// How often the lease of work at hand begins anew: a few times before it would run out.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long work may wait for more, to be claimed together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long a stop waits for what is being sent.
const PATIENCE: Duration = Duration::from_secs(8);

/// Does one kind of work that reaches further than the database.
#[async_trait]
pub trait Sender: Send + Sync + 'static {
    /// Whose work it does.
    fn kind(&self) -> Kind;

    /// How many pieces of work it does at a time.
    fn at_once(&self) -> usize;

    /// Claims work for `worker`, so much at most.
    async fn claim(&self, backend: &Backend, worker: &str, limit: i64) -> backend::Result<Vec<Claimed>> {
        outbox::claim(backend, self.kind(), worker, limit).await
    }

    /// Does it. The same work may come again: the receiver knows it by its key.
    async fn send(&self, backend: &Backend, work: &Claimed) -> Result<(), SendError>;
}

/// Why work could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    /// For the operator.
    pub why: String,
    /// When it is tried again.
    pub failed: Failed,
}

impl SendError {
    /// Worth another try by the usual steps.
    pub fn later(why: impl std::fmt::Display) -> Self {
        Self { why: why.to_string(), failed: Failed::Later }
    }
}

/// A name for this process in leases.
pub fn name(entropy: &dyn Entropy) -> String {
    let mut random = [0; 4];
    entropy.fill(&mut random);
    format!("{}-{:08x}", std::process::id(), u32::from_ne_bytes(random))
}

/// Puts timed jobs into the outbox when their time has come, and gives up what no server survives.
pub async fn plan(backend: Backend, mut news: News, stopping: CancellationToken) {
    let mut buried = Instant::now();
    loop {
        if let Err(error) = jobs::plan(&backend).await {
            tracing::warn!(%error, "timed jobs could not be planned; trying again");
        }
        if buried.elapsed() > BURY {
            buried = Instant::now();
            match outbox::bury(&backend).await {
                Ok(0) => {}
                Ok(number) => tracing::error!(number, "work was given up: the server that did it ended each time"),
                Err(error) => tracing::warn!(%error, "what no server survives could not be given up; trying again"),
            }
        }
        if stopping.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none()
            || !news.changed_until(&stopping).await
        {
            return;
        }
    }
}

/// Settles events and jobs as they come.
pub async fn settle(backend: Backend, mut news: News, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        match outbox::settle(&backend).await {
            Ok(0) => {
                news.changed_until(&stopping).await;
            }
            Ok(done) => metrics::counter!("plumbline_work_total", "kind" => "settled").increment(done as u64),
            Err(error) => {
                tracing::warn!(%error, "the outbox could not be worked on; trying again");
                stopping.run_until_cancelled(tokio::time::sleep(RETRY)).await;
            }
        }
    }
}

/// Sends what there is to send of one kind, some at a time.
pub async fn send(
    backend: Backend,
    sender: Arc<dyn Sender>,
    worker: String,
    mut news: News,
    stopping: CancellationToken,
) {
    let cut = CancellationToken::new();
    let mut at_work = JoinSet::new();
    while !stopping.is_cancelled() {
        while at_work.try_join_next().is_some() {}
        let free = i64::try_from(sender.at_once().max(1) - at_work.len()).unwrap_or(i64::MAX);
        let claimed = if free == 0 { Ok(Vec::new()) } else { sender.claim(&backend, &worker, free).await };
        match claimed {
            Ok(claimed) if claimed.is_empty() => {
                tokio::select! {
                    _ = news.changed_until(&stopping) => {}
                    // A hand is free again, and more may be waiting already.
                    Some(_) = at_work.join_next() => {}
                }
                // Under load there is news all the time: not a claim for each piece of work.
                stopping.run_until_cancelled(tokio::time::sleep(TOGETHER)).await;
            }
            Ok(claimed) => {
                for work in claimed {
                    let (backend, sender, worker) = (backend.clone(), Arc::clone(&sender), worker.clone());
                    let cut = cut.clone();
                    at_work.spawn(async move {
                        cut.run_until_cancelled(send_one(&backend, sender.as_ref(), &worker, &work)).await;
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox could not be worked on; trying again");
                stopping.run_until_cancelled(tokio::time::sleep(RETRY)).await;
            }
        }
    }
    if tokio::time::timeout(PATIENCE, async { while at_work.join_next().await.is_some() {} }).await.is_err() {
        tracing::info!(kind = sender.kind().as_str(), "work left to the other processes");
        cut.cancel();
        while at_work.join_next().await.is_some() {}
    }
}

async fn send_one(backend: &Backend, sender: &dyn Sender, worker: &str, work: &Claimed) {
    let result = tokio::select! {
        result = sender.send(backend, work) => result,
        () = lose_lease(backend, worker, work) => {
            tracing::warn!(key = work.key, "another process does this work now");
            return;
        }
    };
    let put_off = matches!(&result, Err(SendError { failed: Failed::NotYet(_), .. }));
    let outcome = match &result {
        Ok(()) => "done",
        Err(_) if put_off => "put_off",
        Err(_) => "failed",
    };
    metrics::counter!("plumbline_work_total", "kind" => work.kind.as_str(), "outcome" => outcome).increment(1);
    let kept = match &result {
        Ok(()) => outbox::finish(backend, &[work.id]).await,
        Err(error) => {
            if !put_off {
                tracing::info!(key = work.key, attempt = work.attempt, why = error.why, "work failed");
            }
            outbox::fail(backend, work, &error.why, error.failed).await
        }
    };
    if let Err(error) = kept {
        tracing::warn!(%error, key = work.key, "what became of the work was not recorded; it comes again");
    }
}

/// Keeps the lease of the work alive; completes when it is lost.
async fn lose_lease(backend: &Backend, worker: &str, work: &Claimed) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match outbox::extend(backend, work.id, worker).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, key = work.key, "the lease could not be made longer"),
        }
    }
}

#[cfg(test)]
mod tests;
