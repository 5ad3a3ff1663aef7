//! The demo's RFCs: written, reviewed and revised through the use cases by the people of the demo, some weeks ago.

mod scripts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Actor;
use domain::text::slugify;
use jiff::SignedDuration;

use crate::accounts::actor_by_email;
use crate::rfcs::create::{NewRfc, create};
use crate::rfcs::revisions::{NewRevision, publish_revision};
use crate::rfcs::status::{ChangeStatus, change_status};
use crate::rfcs::threads::{NewThread, Opened, Reattach};
use crate::rfcs::update::{UpdateRfc, update};
use crate::rfcs::{comments, read, threads};
use crate::{Backend, Error, Expected, FixedClock, Once, Result, SystemEntropy, entropy};
use scripts::SCRIPTS;

/// How an RFC came to be what it is.
struct Script {
    title: &'static str,
    kind: &'static str,
    services: &'static [&'static str],
    author: &'static str,
    body: &'static str,
    /// When it was first saved: days before today.
    days_ago: i64,
    /// The time between two steps.
    hours_between: i64,
    steps: &'static [Step],
}

/// What happened next. People are named by the part of their address before the `@`, threads by a word of the script.
enum Step {
    /// The author publishes the draft.
    Publish,
    /// The author withdraws it.
    Withdraw { reason: &'static str },
    /// The author names all authors.
    Authors(&'static [&'static str]),
    /// The author shares the draft.
    Share(&'static [&'static str]),
    /// The author replaces pieces of the newest text.
    Revise { summary: &'static str, major: bool, edits: &'static [(&'static str, &'static str)] },
    /// Somebody opens a thread on a quote of the newest text; an empty quote stands for the whole RFC.
    Thread { thread: &'static str, by: &'static str, severity: &'static str, on: &'static str, says: &'static str },
    /// Somebody answers.
    Reply { thread: &'static str, by: &'static str, says: &'static str },
    /// Somebody says their first comment in other words.
    Edit { thread: &'static str, by: &'static str, says: &'static str },
    /// Somebody answers and takes it back.
    Regret { thread: &'static str, by: &'static str, says: &'static str },
    /// Somebody says that it is done.
    Resolve { thread: &'static str, by: &'static str },
    /// Somebody takes that back.
    Reopen { thread: &'static str, by: &'static str },
    /// Somebody puts a thread on a quote of the newest text.
    Reattach { thread: &'static str, by: &'static str, on: &'static str },
}

/// Enters the RFCs that are missing; their authors and services must be there. What exists under their names stays as it
/// is, but one whose script was cut off is played to its end: every step has an idempotency key, so that playing it again
/// does what is missing.
pub async fn rfcs(backend: &Backend) -> Result<()> {
    for script in SCRIPTS {
        let known = sqlx::query!(
            r#"select exists (select from rfcs where slug = $1) as "there!",
                 exists (select from idempotency_keys where key = $2) as "begun!",
                 exists (select from idempotency_keys where key = $3) as "ended!""#,
            script.slug(),
            script.key(0),
            script.key(script.steps.len()),
        )
        .fetch_one(backend.pool())
        .await?;
        if !known.there || (known.begun && !known.ended) {
            play(backend, script).await?;
        }
    }
    Ok(())
}

impl Script {
    fn slug(&self) -> String {
        slugify(self.title, "rfc")
    }

    /// The idempotency key of a step; 0 is the first save.
    fn key(&self, step: usize) -> String {
        format!("demo:{}:{step}", self.slug())
    }

    /// The backend on behalf of that step.
    fn at(&self, backend: &Backend, step: usize) -> Backend {
        let key = self.key(step);
        let request_hash = entropy::hash(&key);
        backend.for_request("demo", Some(Once { key, request_hash }))
    }
}

async fn play(backend: &Backend, script: &Script) -> Result<()> {
    let begin = backend.now().checked_sub(SignedDuration::from_hours(24 * script.days_ago)).map_err(Error::internal)?;
    let clock = Arc::new(FixedClock::at(begin));
    let then = Backend::new(backend.pool().clone(), clock.clone(), Arc::new(SystemEntropy));
    let author = person(&then, script.author).await?;
    let new = NewRfc {
        title: script.title.to_owned(),
        kind: script.kind.to_owned(),
        body: script.body.to_owned(),
        services: script.services.iter().map(|&slug| slug.to_owned()).collect(),
    };
    let number = create(&script.at(&then, 0), &author, new).await?.number;
    let mut played = Played {
        backend: then.clone(),
        author,
        number,
        body: script.body.to_owned(),
        revision: 1,
        threads: BTreeMap::new(),
    };
    for (number, step) in (1..).zip(script.steps) {
        clock.advance(SignedDuration::from_hours(script.hours_between));
        played.backend = script.at(&then, number);
        played.step(step).await?;
    }
    Ok(())
}

/// How far a script is.
struct Played {
    /// The backend on behalf of the step at hand.
    backend: Backend,
    author: Actor,
    number: i64,
    /// The newest text.
    body: String,
    /// Its revision.
    revision: i64,
    threads: BTreeMap<&'static str, Opened>,
}

impl Played {
    async fn step(&mut self, step: &Step) -> Result<()> {
        let (backend, number) = (&self.backend, self.number);
        match *step {
            Step::Publish => self.status("in_review", "").await?,
            Step::Withdraw { reason } => self.status("withdrawn", reason).await?,
            Step::Authors(people) => {
                self.change(UpdateRfc { authors: Some(addresses(people)), ..UpdateRfc::default() }).await?;
            }
            Step::Share(people) => {
                self.change(UpdateRfc { shared_with: Some(addresses(people)), ..UpdateRfc::default() }).await?;
            }
            Step::Revise { summary, major, edits } => {
                for (old, new) in edits {
                    self.find(old)?;
                    self.body = self.body.replacen(old, new, 1);
                }
                let new = NewRevision {
                    body: self.body.clone(),
                    summary: summary.to_owned(),
                    base_revision: self.revision,
                    major,
                };
                self.revision = publish_revision(backend, &self.author, number, new).await?.revision.into();
            }
            Step::Thread { thread, by, severity, on, says } => {
                let range = if on.is_empty() { None } else { Some(self.find(on)?) };
                let new = NewThread {
                    revision: self.revision,
                    start: range.map(|(start, _)| start),
                    end: range.map(|(_, end)| end),
                    body: says.to_owned(),
                    severity: severity.to_owned(),
                };
                let opened = threads::open(backend, &person(backend, by).await?, number, new).await?;
                self.threads.insert(thread, opened);
            }
            Step::Reply { thread, by, says } => {
                comments::reply(backend, &person(backend, by).await?, &self.thread(thread)?.id, says).await?;
            }
            Step::Edit { thread, by, says } => {
                let comment = &self.thread(thread)?.comment_id;
                comments::edit(backend, &person(backend, by).await?, comment, Expected::Any, says).await?;
            }
            Step::Regret { thread, by, says } => {
                let by = person(backend, by).await?;
                let posted = comments::reply(backend, &by, &self.thread(thread)?.id, says).await?;
                comments::delete(&backend.next_step(), &by, &posted.id, Expected::Any).await?;
            }
            Step::Resolve { thread, by } => {
                threads::resolve(backend, &person(backend, by).await?, &self.thread(thread)?.id).await?;
            }
            Step::Reopen { thread, by } => {
                threads::reopen(backend, &person(backend, by).await?, &self.thread(thread)?.id).await?;
            }
            Step::Reattach { thread, by, on } => {
                let (start, end) = self.find(on)?;
                let to = Reattach { revision: self.revision, start: Some(start), end: Some(end) };
                threads::reattach(backend, &person(backend, by).await?, &self.thread(thread)?.id, to).await?;
            }
        }
        Ok(())
    }

    async fn status(&self, to: &str, reason: &str) -> Result<()> {
        let change = ChangeStatus { to: to.to_owned(), reason: Some(reason.to_owned()) };
        change_status(&self.backend, &self.author, self.number, change).await.map(drop)
    }

    async fn change(&self, change: UpdateRfc) -> Result<()> {
        let version = read::read(&self.backend, &self.author, self.number, None).await?.version;
        update(&self.backend, &self.author, self.number, Expected::Version(version), change).await.map(drop)
    }

    fn thread(&self, word: &str) -> Result<&Opened> {
        self.threads.get(word).ok_or_else(|| Error::internal(format!("the script has no thread {word}")))
    }

    /// Where a quote stands in the newest text.
    fn find(&self, quote: &str) -> Result<(i64, i64)> {
        let start = self.body.find(quote).and_then(|start| i64::try_from(start).ok());
        let start = start.ok_or_else(|| Error::internal(format!("the text has no \"{quote}\"")))?;
        Ok((start, start + i64::try_from(quote.len()).map_err(Error::internal)?))
    }
}

async fn person(backend: &Backend, name: &str) -> Result<Actor> {
    actor_by_email(backend, &address(name)).await
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

fn addresses(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| address(name)).collect()
}
