//! The work on an import that waits in the outbox: whichever process claims it.

use std::time::Duration;

use domain::policy::{Action, allows};
use domain::{Actor, PersonId, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Go, Import, Kind, Run, State, end, hold, read};
use crate::outbox::{self, Work};
use crate::{Backend, Error, Result, Subject, accounts, incidents, services};

/// How often work is tried again at once while the database is busy.
const TRIES: u32 = 5;

/// Does what the outbox says about an import: compares its file, or applies it. An error is worth another try, unless it
/// is a refusal: what is wrong with the file itself is the import's `problem` and no error.
pub async fn work(backend: &Backend, payload: &Value) -> Result<()> {
    let task = Task::deserialize(payload)?;
    let backend = backend.for_request(&format!("import-{}", task.import), None);
    let mut tries = 1;
    loop {
        // What a batch wrote before the database went away is found when the import is read again.
        let pause = match work_once(&backend, &task).await {
            Err(Error::Refused(Refusal::Busy { retry_after_seconds })) if tries < TRIES => retry_after_seconds,
            Err(Error::Refused(Refusal::OutcomeUnknown)) if tries < TRIES => 1,
            Err(Error::Refused(refusal @ (Refusal::Busy { .. } | Refusal::OutcomeUnknown))) => {
                return Err(refusal.into());
            }
            Err(Error::Refused(refusal)) => {
                return fail(&backend, task.import, task.version, &refusal.to_string()).await;
            }
            answer => return answer,
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
        tries += 1;
    }
}

async fn work_once(backend: &Backend, task: &Task) -> Result<()> {
    let Some(import) = wanted(backend, task).await? else { return Ok(()) };
    let applying = import.state == State::Applying;
    let actor = doer(backend, import.id, applying).await??;
    let mut run = Run::new(backend.clone(), actor, import);
    let go = if applying { apply_file(&mut run).await? } else { check_file(&mut run).await? };
    match go {
        Go::On => run.finish().await,
        // Somebody decided otherwise, or another process does it: that one may die yet.
        Go::Stop if wanted(backend, task).await?.is_some() => Err(Error::internal("another process is at this import")),
        Go::Stop => Ok(()),
    }
}

/// The import, when its work is still to be done.
async fn wanted(backend: &Backend, task: &Task) -> Result<Option<Import>> {
    let mut connection = backend.pool().acquire().await?;
    match read(&mut connection, task.import).await {
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
        Ok(import) => {
            let busy = matches!(import.state, State::Checking | State::Applying);
            Ok(Some(import).filter(|import| busy && import.version == task.version))
        }
    }
}

/// Work on an import failed for good, and why (a mistake of ours, or a database that stayed away): says so on its page.
pub async fn give_up_work(backend: &Backend, payload: &Value, why: &str) -> Result<()> {
    let task = Task::deserialize(payload)?;
    fail(backend, task.import, task.version, why).await
}

/// Compares a file with what is here, by its kind.
async fn check_file(run: &mut Run) -> Result<Go> {
    match run.import().kind {
        Kind::Catalog => services::import::check_import(run).await,
        Kind::Incidents => incidents::import::check_import(run).await,
    }
}

/// Applies a file, by its kind.
async fn apply_file(run: &mut Run) -> Result<Go> {
    match run.import().kind {
        Kind::Catalog => services::import::apply_import(run).await,
        Kind::Incidents => incidents::import::apply_import(run).await,
    }
}

/// Refuses options that a file's kind cannot be read with, each as the field `options.…`.
pub(super) fn check_options(backend: &Backend, kind: Kind, options: &Map<String, Value>) -> Result<(), Refusal> {
    let read = match kind {
        Kind::Catalog => services::import::tier_of(options).map(drop),
        Kind::Incidents => incidents::import::Options::parse(backend, options).map(drop),
    };
    read.map_err(|refusal| match refusal {
        Refusal::Invalid { mut fields } => {
            for wrong in fields.iter_mut().filter(|wrong| wrong.field != "options") {
                wrong.field = format!("options.{}", wrong.field);
            }
            Refusal::Invalid { fields }
        }
        other => other,
    })
}

/// What the outbox says about an import.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) import: i64,
    /// Of the state in which the work was put in: with another one it is no longer wanted.
    pub(super) version: i64,
}

impl Task {
    pub(super) fn work(&self, now: Timestamp) -> Result<Work> {
        let key = format!("import:{}:{}", self.import, self.version);
        Ok(Work { key, kind: outbox::Kind::Import, payload: serde_json::to_value(self)?, due_at: now })
    }
}

/// The person in whose name the work is done, who must still be allowed to.
async fn doer(backend: &Backend, id: i64, applying: bool) -> Result<Result<Actor, Refusal>> {
    let person: PersonId = sqlx::query_scalar!(
        r#"select (case when $2 then applied_by else coalesce(read_by, created_by) end) as "person!"
             from imports where id = $1"#,
        id,
        applying,
    )
    .fetch_one(backend.pool())
    .await?;
    let actor = accounts::actor_of(backend, person).await?;
    let actor = actor.ok_or_else(|| Refusal::not_allowed("Whoever asked for this has no access any more."));
    Ok(actor.and_then(|actor| allows(&actor, Action::Administer).map(|()| actor)))
}

/// The work on an import cannot be done. Nothing happens when it stands elsewhere meanwhile.
async fn fail(backend: &Backend, id: i64, version: i64, why: &str) -> Result<()> {
    let mut tx = backend.begin_unsigned().await?;
    let import = hold(&mut tx, id).await?;
    if import.version != version {
        return Ok(());
    }
    end(&mut tx, id, State::Failed, why).await?;
    let after = json!({ "name": import.name, "kind": import.kind, "why": why });
    tx.event("import.failed", &Subject::import(id), None, Some(after)).await?;
    tx.commit(()).await
}
