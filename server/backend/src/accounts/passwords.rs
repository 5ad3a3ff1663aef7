//! Passwords: how they are kept, which ones are good enough, changing and resetting them.
//!
//! Kept as argon2id with the parameters of OWASP's password storage cheat sheet (19 MiB, 2 passes, 1 lane). A hash with
//! other parameters is replaced at the next sign-in.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::policy::{Action, allows};
use domain::{Actor, PersonId, Refusal, limits};
use jiff_sqlx::ToSqlx;
use tokio::sync::Semaphore;

use super::{sessions, throttle};
use crate::{Backend, Error, Result, Subject};

/// KiB that one hash takes.
const MEMORY_KIB: u32 = 19_456;
/// Passes over that memory.
const PASSES: u32 = 2;
/// zxcvbn's estimate at least: 3 is "safely unguessable", more than 10^8 guesses.
const SCORE: u8 = 3;
/// Passwords hashed at the same time: each takes 19 MiB and a core.
const RUNNING: usize = 2;
/// Passwords that may wait for their turn; beyond that the answer is "busy" at once.
const WAITING: usize = 64;

/// The door to password hashing, so that many sign-ins at once take neither all memory nor all cores.
#[derive(Debug)]
pub(crate) struct Hasher {
    admitted: Semaphore,
    running: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { admitted: Semaphore::new(RUNNING + WAITING), running: Arc::new(Semaphore::new(RUNNING)) }
    }
}

impl Hasher {
    /// Runs `work` on a thread for slow things when it is its turn; busy when too many wait already.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let Ok(_admitted) = self.admitted.try_acquire() else {
            return Err(Refusal::Busy { retry_after_seconds: 2 }.into());
        };
        let turn = self.running.clone().acquire_owned().await.map_err(Error::internal)?;
        // The turn ends with the work itself, also when nobody waits for its result any more.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(Error::internal)
    }
}

/// What is known after a password was compared.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// It is another password, or there is none to compare with.
    Wrong,
    /// It is this password.
    Right,
    /// It is this password, kept with parameters that are no longer used.
    RightButOutdated,
}

/// Refuses, in words for `field`, what is too short, too long or too easy to guess. `known` is what an attacker knows of
/// the person.
pub fn check(field: &str, password: &str, known: &[&str]) -> Result<(), Refusal> {
    let length = password.chars().count();
    if length < limits::PASSWORD_MIN_CHARS {
        let message = format!("Use at least {} characters; this has {length}.", limits::PASSWORD_MIN_CHARS);
        return Err(Refusal::field(field, message));
    }
    if length > limits::PASSWORD_MAX_CHARS {
        let message = format!("Use at most {} characters; this has {length}.", limits::PASSWORD_MAX_CHARS);
        return Err(Refusal::field(field, message));
    }
    // Names whole and in parts: "grace.hopper" of "grace.hopper@example.com", then "grace" and "hopper".
    let parts = |text: &&str| -> Vec<String> {
        let words = text.split(|character: char| !character.is_alphanumeric());
        words.chain(text.split('@')).chain([*text]).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let known: Vec<String> = known.iter().flat_map(parts).chain(["plumbline".to_owned()]).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let estimate = zxcvbn::zxcvbn(password, &known);
    if u8::from(estimate.score()) >= SCORE {
        return Ok(());
    }
    let mut message = "This password is too easy to guess.".to_owned();
    if let Some(feedback) = estimate.feedback() {
        if let Some(warning) = feedback.warning() {
            message = format!("{message} {warning}");
        }
        for suggestion in feedback.suggestions() {
            message = format!("{message} {suggestion}");
        }
    }
    message.push_str(" Several unrelated words make a good one.");
    Err(Refusal::field(field, message))
}

/// What is kept of `password`.
pub(super) async fn hash(backend: &Backend, password: &str) -> Result<String> {
    let mut salt = [0; 16];
    backend.entropy().fill(&mut salt);
    let password = password.to_owned();
    let hashed = backend.hasher.run(move || {
        let salt = SaltString::encode_b64(&salt)?;
        hasher()?.hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
    });
    hashed.await?.map_err(Error::internal)
}

/// Compares `password` with what is kept. Where nothing is kept the same work is done for nothing, so that the time
/// does not tell who has an account.
pub(super) async fn compare(backend: &Backend, password: &str, kept: Option<String>) -> Result<Compared> {
    let password = password.to_owned();
    let compared = backend.hasher.run(move || {
        let hasher = hasher()?;
        let Some(kept) = kept else {
            hasher.hash_password_into(password.as_bytes(), b"nobody's own salt", &mut [0; 32])?;
            return Ok(Compared::Wrong);
        };
        let kept = PasswordHash::new(&kept)?;
        match hasher.verify_password(password.as_bytes(), &kept) {
            Ok(()) if is_current(&kept) => Ok(Compared::Right),
            Ok(()) => Ok(Compared::RightButOutdated),
            Err(argon2::password_hash::Error::Password) => Ok(Compared::Wrong),
            Err(error) => Err(error),
        }
    });
    compared.await?.map_err(|error: argon2::password_hash::Error| Error::internal(error))
}

fn hasher() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(MEMORY_KIB, PASSES, 1, None)?))
}

fn is_current(kept: &PasswordHash<'_>) -> bool {
    let params = Params::try_from(kept);
    kept.algorithm == Algorithm::Argon2id.ident()
        && params.is_ok_and(|params| (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, 1))
}

/// Changes one's own password; `keep` is the session that stays, every other one ends. Needs the current password,
/// with as many tries as sign-in gives.
pub async fn change_own(
    backend: &Backend,
    actor: &Actor,
    current: &str,
    new: &str,
    keep: Option<&sessions::TokenHash>,
) -> Result<()> {
    allows(actor, Action::ManageOwnAccount)?;
    check("new_password", new, &[&actor.name, &actor.email])?;
    let attempt = throttle::begin(backend, &[throttle::Bucket::account(&actor.email)]).await?;
    let kept = sqlx::query_scalar!("select password_hash from people where id = $1", actor.id)
        .fetch_optional(backend.pool())
        .await?
        .flatten();
    match compare(backend, current, kept.clone()).await {
        Ok(Compared::Right | Compared::RightButOutdated) => {}
        Ok(Compared::Wrong) => {
            return Err(Refusal::field("current_password", "This is not your current password.").into());
        }
        Err(error) => {
            attempt.forget(backend).await?;
            return Err(error);
        }
    }
    let hashed = hash(backend, new).await?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    // Comparing takes its time: meanwhile an admin may have given a new password, which must not be undone.
    let now = sqlx::query_scalar!("select password_hash from people where id = $1 for no key update", actor.id)
        .fetch_one(&mut *tx)
        .await?;
    if now != kept {
        return Err(
            Refusal::field("current_password", "This is no longer your password: it was changed meanwhile.").into()
        );
    }
    throttle::clear(&mut tx, &throttle::Bucket::account(&actor.email)).await?;
    set(&mut tx, actor.id, &hashed, backend.now()).await?;
    sessions::delete_of(&mut tx, actor.id, keep).await?;
    tx.event("person.password_changed", &Subject::person(&actor.email), None, None).await?;
    tx.commit(()).await
}

/// Gives a person a new password and ends their sessions and tokens.
pub async fn reset(backend: &Backend, actor: &Actor, email: &str, new: &str) -> Result<()> {
    allows(actor, Action::Administer)?;
    let person = super::people::get(backend, actor, email).await?;
    check("password", new, &[&person.name, &person.email])?;
    let hashed = hash(backend, new).await?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let id = super::people::lock(&mut tx, &person.email).await?.id;
    set(&mut tx, id, &hashed, backend.now()).await?;
    throttle::clear(&mut tx, &throttle::Bucket::account(&person.email)).await?;
    let ended = super::people::end_access(&mut tx, id, backend.now()).await?;
    tx.event("person.password_reset", &Subject::person(&person.email), None, Some(ended)).await?;
    tx.commit(()).await
}

async fn set(tx: &mut crate::Tx<'_>, person: PersonId, hashed: &str, now: jiff::Timestamp) -> Result<()> {
    sqlx::query!("update people set password_hash = $2, updated_at = $3 where id = $1", person, hashed, now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
