//! Long work at a terminal: a bar that moves, and Ctrl+C that stops between two facts.

use std::future::Future;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar where a person is watching; nothing elsewhere.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    stopped: Arc<AtomicBool>,
}

impl Progress {
    /// A bar that does not know yet how much there is to do.
    pub fn counted() -> Self {
        let watched = std::io::stderr().is_terminal();
        let target = if watched { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, stopped: Arc::default() }
    }

    /// For work whose steps nobody counts: says what is done, and that it goes on.
    pub fn spinning(what: &'static str) -> Self {
        let progress = Self::counted();
        progress.bar.set_style(ProgressStyle::default_spinner());
        progress.bar.set_message(what);
        progress.bar.enable_steady_tick(std::time::Duration::from_millis(100));
        progress
    }

    /// So many are done, the last of them this one. Answers whether to go on.
    pub fn at(&self, done: u64, of: u64, subject: &str) -> bool {
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(subject.to_owned());
        !self.stopped.load(Ordering::Relaxed)
    }

    /// Does the work. Ctrl+C asks it to stop between two facts, as [`Progress::at`] tells it; a second one drops it: what
    /// is being written is rolled back, what was committed stays. `None`: it was dropped.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        let mut answer = tokio::select! {
            answer = &mut work => Some(answer),
            () = interrupt() => None,
        };
        if answer.is_none() {
            self.stopped.store(true, Ordering::Relaxed);
            self.bar.set_message("stopping; press Ctrl+C again not to wait");
            answer = tokio::select! {
                answer = &mut work => Some(answer),
                () = interrupt() => None,
            };
        }
        self.bar.finish_and_clear();
        answer
    }

    /// Does work that cannot be asked to stop: Ctrl+C drops it. What is being written is rolled back, what was committed
    /// stays. `None`: it was dropped.
    pub async fn drop_during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let answer = tokio::select! {
            answer = work => Some(answer),
            () = interrupt() => None,
        };
        self.bar.finish_and_clear();
        answer
    }
}

/// Completes with Ctrl+C or SIGTERM; never where they cannot be heard.
async fn interrupt() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
