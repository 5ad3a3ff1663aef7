//! Everybody in this process who listens, and the one task that reads the events for them.
//!
//! A reader has a seat with a short queue. The task reads new events once, asks for each who may hear of it, and puts it
//! into the queues of those who listen and may. Whoever does not empty their queue loses the seat and comes back with the
//! place they got to: memory is bounded however slow a reader is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::sse::Event as Message;
use backend::accounts::sessions::{self, TokenHash};
use backend::events::{self, Event, Position};
use backend::live::{Audience, Topic, audiences};
use backend::notices::inbox::{self, Unread};
use backend::{Backend, Result};
use domain::{Actor, Refusal};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{bye, message, unread};
use crate::jobs::news::News;

/// Events read at once.
const BATCH: i64 = 500;
/// Events that wait for a reader who is slow.
const QUEUE: usize = 64;
/// What is committed within this time is read together.
const TOGETHER: Duration = Duration::from_millis(25);
/// How long a session that has ended may still be told something.
const SWEEP: Duration = Duration::from_secs(2);
/// Inboxes are looked into at most this often.
const COUNT: Duration = Duration::from_millis(900);
/// Whoever finds every seat taken asks again after this long.
const RETRY_AFTER_SECONDS: u64 = 30;

/// How many may listen.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In this process.
    pub listeners: usize,
    /// One person: every visible tab is one.
    pub of_one_person: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { listeners: 2000, of_one_person: 20 }
    }
}

/// Somebody who wants to listen.
pub struct Listener {
    /// Who.
    pub actor: Actor,
    /// Their session: they listen while it lives.
    pub token: TokenHash,
    /// To what.
    pub topics: Vec<Topic>,
    /// The place from which on they want to hear.
    pub after: Position,
}

/// The seats. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    backend: Backend,
    limits: Limits,
    /// Where this process began to read.
    beginning: OnceCell<Position>,
    numbers: AtomicU64,
    room: Mutex<Room>,
}

#[derive(Default)]
struct Room {
    /// Everything up to here has been passed on.
    place: Position,
    seats: HashMap<u64, Taken>,
}

/// A seat as the hub sees it.
struct Taken {
    listener: Listener,
    /// Nothing up to here is told.
    after: Position,
    /// What they were told of their inbox, if they listen to it.
    unread: Option<Unread>,
    queue: mpsc::Sender<Message>,
}

/// When what is done now and then was done last.
struct Rhythm {
    swept: Instant,
    counted: Instant,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { swept: Instant::now(), counted: Instant::now() }
    }
}

/// A seat as its reader sees it; free again when dropped.
pub struct Seat {
    hub: Hub,
    number: u64,
    place: Position,
    after: Position,
    queue: mpsc::Receiver<Message>,
}

impl Seat {
    /// Up to here everything had been passed on when the seat was taken; what comes is later.
    pub fn place(&self) -> Position {
        self.place
    }

    /// Nothing that comes has this place or an earlier one.
    pub fn after(&self) -> Position {
        self.after
    }

    /// The next message; nothing when the seat was taken away.
    pub async fn next(&mut self) -> Option<Message> {
        self.queue.recv().await
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.room().seats.remove(&self.number);
        metrics::gauge!("plumbline_live_listeners").decrement(1.0);
    }
}

impl Hub {
    /// An empty room.
    pub fn new(backend: Backend, limits: Limits) -> Self {
        let (beginning, numbers, room) = (OnceCell::new(), AtomicU64::new(0), Mutex::default());
        Self(Arc::new(Inner { backend, limits, beginning, numbers, room }))
    }

    /// Up to where everything has been passed on; nothing before the first look. A page that is rendered later shows all
    /// that happened before.
    pub fn place(&self) -> Option<Position> {
        self.0.beginning.get().map(|beginning| self.room().place.max(*beginning))
    }

    /// Takes a seat, or says that there is none.
    pub async fn join(&self, listener: Listener) -> Result<Seat> {
        let beginning = self.beginning().await?;
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, queue) = mpsc::channel(QUEUE);
        let mut room = self.room();
        if room.seats.len() >= self.0.limits.listeners {
            return Err(Refusal::Busy { retry_after_seconds: RETRY_AFTER_SECONDS }.into());
        }
        let own = room.seats.values().filter(|taken| taken.listener.actor.id == listener.actor.id).count();
        if own >= self.0.limits.of_one_person {
            return Err(Refusal::TooMany { retry_after_seconds: RETRY_AFTER_SECONDS }.into());
        }
        let place = room.place.max(beginning);
        let after = listener.after.max(place);
        room.seats.insert(number, Taken { listener, after, unread: None, queue: sender });
        drop(room);
        metrics::gauge!("plumbline_live_listeners").increment(1.0);
        Ok(Seat { hub: self.clone(), number, place, after, queue })
    }

    /// Passes on what happens until the server stops. Then every queue ends.
    pub async fn run(self, mut news: News, stopping: CancellationToken) {
        let mut rhythm = Rhythm::default();
        while news.changed_until(&stopping).await {
            if let Err(error) = self.round(&mut rhythm).await {
                tracing::debug!(%error, "live pages hear nothing for a moment");
            }
            tokio::time::sleep(TOGETHER).await;
        }
        self.room().seats.clear();
    }

    async fn round(&self, rhythm: &mut Rhythm) -> Result<()> {
        let beginning = self.beginning().await?;
        let mut full = true;
        while full {
            let (place, nobody) = {
                let room = self.room();
                (room.place.max(beginning), room.seats.is_empty())
            };
            if nobody {
                let newest = events::newest(&self.0.backend).await?;
                let mut room = self.room();
                // Whoever sat down meanwhile is told from the old place on.
                if room.seats.is_empty() {
                    room.place = room.place.max(newest);
                    return Ok(());
                }
            }
            let events = events::after(&self.0.backend, place, BATCH).await?;
            full = i64::try_from(events.len()) == Ok(BATCH);
            let subjects: Vec<_> =
                events.iter().map(|(_, event)| (event.subject_kind.as_str(), event.subject_key.as_str())).collect();
            let audiences = audiences(&self.0.backend, &subjects).await?;
            // Whoever was disabled or signed out everywhere hears nothing of what came after.
            let people = events.iter().any(|(_, event)| event.subject_kind == "person");
            if people || rhythm.swept.elapsed() >= SWEEP {
                self.sweep().await?;
                rhythm.swept = Instant::now();
            }
            self.pass_on(&events, &audiences);
        }
        if rhythm.counted.elapsed() >= COUNT {
            self.count().await?;
            rhythm.counted = Instant::now();
        }
        Ok(())
    }

    /// Tells those who listen to their inbox what in it is new, when that is not what they were told before. No event says
    /// so: notices are written after it, and read by their person without one.
    async fn count(&self) -> Result<()> {
        let listens = |taken: &Taken| taken.listener.topics.iter().any(|topic| topic.kind == Topic::INBOX);
        let mut people: Vec<_> =
            self.room().seats.values().filter(|taken| listens(taken)).map(|taken| taken.listener.actor.id).collect();
        if people.is_empty() {
            return Ok(());
        }
        people.sort_unstable();
        people.dedup();
        let counts = inbox::unread_of(&self.0.backend, &people).await?;
        self.room().seats.retain(|_, taken| {
            let person = taken.listener.actor.id;
            if !listens(taken) || people.binary_search(&person).is_err() {
                return true;
            }
            let now = counts.get(&person).copied().unwrap_or_default();
            taken.unread.replace(now) == Some(now) || taken.queue.try_send(unread(now)).is_ok()
        });
        Ok(())
    }

    /// Sends whoever is not signed in any more away, and sees to it that the others are asked about as they are now.
    async fn sweep(&self) -> Result<()> {
        let mut tokens: Vec<_> = self.room().seats.values().map(|taken| taken.listener.token).collect();
        if tokens.is_empty() {
            return Ok(());
        }
        tokens.sort_unstable();
        tokens.dedup();
        let living = sessions::living(&self.0.backend, &tokens).await?;
        self.room().seats.retain(|_, taken| {
            // Whoever sat down meanwhile was asked about a moment ago.
            if tokens.binary_search(&taken.listener.token).is_err() {
                return true;
            }
            let actor = living.get(&taken.listener.token);
            match actor {
                Some(actor) => taken.listener.actor.clone_from(actor),
                None => drop(taken.queue.try_send(bye())),
            }
            actor.is_some()
        });
        Ok(())
    }

    fn pass_on(&self, events: &[(Position, Event)], audiences: &[Audience]) {
        let mut room = self.room();
        for ((at, event), audience) in events.iter().zip(audiences) {
            // Written once for the one who did it and once for everybody else.
            let mut messages = [None, None];
            room.seats.retain(|_, taken| {
                if *at <= taken.after || !taken.listener.topics.iter().any(|topic| topic.is_of(event)) {
                    return true;
                }
                if audience.check(&taken.listener.actor).is_err() {
                    drop(taken.queue.try_send(bye()));
                    return false;
                }
                let own = event.actor_id == Some(taken.listener.actor.id);
                let message = messages[usize::from(own)].get_or_insert_with(|| message(*at, event, own));
                message.clone().is_none_or(|message| taken.queue.try_send(message).is_ok())
            });
            room.place = room.place.max(*at);
        }
    }

    async fn beginning(&self) -> Result<Position> {
        self.0.beginning.get_or_try_init(|| events::newest(&self.0.backend)).await.copied()
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // Nothing panics with the lock held; if it did, the seats would still be seats.
        self.0.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
