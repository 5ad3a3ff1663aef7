//! What the server does by itself, beside answering requests: one file a task.
//!
//! * [`news`]: tells all processes on the database that something was committed.
//! * [`worker`]: does what is in the outbox, whoever put it there.
//! * [`imports`]: compares and applies files that were handed in.
//! * [`housekeeping`]: removes what nobody can use any more.
//!
//! Any number of processes run all of it at the same time.

pub mod housekeeping;
pub mod imports;
pub mod news;
pub mod worker;

use std::sync::Arc;

use backend::{Backend, MovableClock};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use news::News;
use worker::Sender;

/// The tasks of one process.
#[derive(Debug)]
pub struct Jobs {
    tasks: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts them. They end by themselves once `stopping` is cancelled.
    pub fn start(
        backend: &Backend,
        clock: Arc<MovableClock>,
        news: &News,
        senders: Vec<Arc<dyn Sender>>,
        stopping: &CancellationToken,
    ) -> Self {
        let mut tasks = vec![
            tokio::spawn(news::announce(backend.clone(), news.clone(), stopping.clone())),
            tokio::spawn(news::listen(backend.clone(), news.clone(), stopping.clone())),
            tokio::spawn(news::follow_clock(backend.clone(), clock, news.clone(), stopping.clone())),
            tokio::spawn(housekeeping::keep_house(backend.clone(), stopping.clone())),
            tokio::spawn(worker::plan(backend.clone(), news.clone(), stopping.clone())),
            tokio::spawn(worker::settle(backend.clone(), news.clone(), stopping.clone())),
        ];
        let name = worker::name(backend.entropy());
        for sender in senders {
            let (backend, news, stopping) = (backend.clone(), news.clone(), stopping.clone());
            tasks.push(tokio::spawn(worker::send(backend, sender, name.clone(), news, stopping)));
        }
        Self { tasks }
    }

    /// Waits until the work at hand is done; what takes too long is left to the other processes.
    pub async fn finished(self) {
        for task in self.tasks {
            // A task that panicked has said so in the log.
            let _ = task.await;
        }
    }
}
