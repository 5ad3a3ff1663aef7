//! Imports: files that people hand in on a page or over the API.
//!
//! A file is kept ([`begin`], [`add_part`], [`received`]; or [`hand_in`] for a short one), compared with what is here
//! (state `checking`), shown with its differences (`ready`), and applied when somebody says so ([`apply`]). Comparing and
//! applying are work in the outbox, kind `import`: whichever process claims it calls [`work`]. It writes in batches, each
//! a transaction with its own progress and its own lines of the report ([`Run::record`]): a process that dies leaves whole
//! batches, and the next one goes on from there.
//!
//! To add a kind: its word in [`Kind`] (`states.rs`) and in the migration, its arms in `work.rs`.

mod lines;
mod run;
mod states;
#[cfg(test)]
mod tests;
mod work;

use domain::policy::{Action, allows};
use domain::{Actor, Refusal, limits, text};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use crate::{Backend, Error, Page, PageRequest, Result, Subject, Tx};

pub use lines::{Change, Counts, Line, Outcome, Phase, Place, lines};
pub use run::{Go, Run};
pub use states::{Kind, State};
use work::{Task, check_options};
pub use work::{give_up_work, work};

/// Bytes of a file in one row.
pub const PART: usize = 1024 * 1024;
/// How long a file can be applied again; then its bytes go. The report stays.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long a file may take to arrive.
const ARRIVES_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// An import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Names it.
    pub id: i64,
    /// What the file holds.
    pub kind: Kind,
    /// What the file is called.
    pub name: String,
    /// What its kind has to know to read it.
    pub options: Map<String, Value>,
    /// Where it stands.
    pub state: State,
    /// How large the file is.
    pub bytes: i64,
    /// Units done of the present state's work.
    pub done: i64,
    /// Units in all, once that is known.
    pub total: Option<i64>,
    /// Why it failed; empty when it did not.
    pub problem: String,
    /// How many lines of each sort the comparison found.
    pub found: Counts,
    /// How many lines of each sort came of applying it.
    pub did: Counts,
    /// Counts the changes.
    pub version: i64,
    /// Who handed it in, by name.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Who applied it last, by name; nobody did since it was compared: nothing.
    pub applied_by: Option<String>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// Whether its bytes are still here.
    pub has_file: bool,
}

impl Import {
    /// An option by name.
    pub fn option(&self, name: &str) -> Option<&Value> {
        self.options.get(name)
    }
}

/// A file to be handed in.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// What it holds.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// What its kind has to know to read it.
    pub options: Map<String, Value>,
}

/// Begins to take a file in: its bytes follow with [`add_part`]. What a request is called is asked at its end only
/// ([`received`]): one that breaks off before leaves nothing that another try would be led to.
pub async fn begin(backend: &Backend, actor: &Actor, new: NewImport) -> Result<i64> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin_unsigned().await?;
    let id = insert(&mut tx, actor, new).await?;
    tx.commit(id).await
}

/// Keeps the next piece of a file that is arriving, at most [`PART`] bytes.
pub async fn add_part(backend: &Backend, id: i64, part: i32, bytes: &[u8]) -> Result<()> {
    let mut tx = backend.begin_unsigned().await?;
    put_part(&mut tx, id, part, bytes).await?;
    tx.commit(()).await
}

/// All bytes of a file are here: compares it with what is here as soon as a process is free. Answers the import that it
/// is: when this very request brought the same file before, that one, and nothing of this one stays.
pub async fn received(backend: &Backend, actor: &Actor, id: i64) -> Result<i64> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        drop(tx);
        give_up(backend, id).await?;
        return Ok(earlier);
    }
    let import = hold(&mut tx, id).await?;
    check_received(&mut tx, &import).await?;
    tx.commit(id).await
}

/// A file that cannot be taken in after all (too large, cut off): nothing of it stays.
pub async fn give_up(backend: &Backend, id: i64) -> Result<()> {
    sqlx::query!("delete from imports where id = $1 and state = 'receiving'", id).execute(backend.pool()).await?;
    Ok(())
}

/// Takes in a file that is here as a whole.
pub async fn hand_in(backend: &Backend, actor: &Actor, new: NewImport, bytes: &[u8]) -> Result<Import> {
    allows(actor, Action::Administer)?;
    let kind = new.kind;
    if bytes.len() > kind.max_bytes() {
        return Err(too_large(kind).into());
    }
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let id = insert(&mut tx, actor, new).await?;
    for (part, piece) in (0..).zip(bytes.chunks(PART)) {
        put_part(&mut tx, id, part, piece).await?;
    }
    let import = hold(&mut tx, id).await?;
    check_received(&mut tx, &import).await?;
    let import = read(&mut tx, id).await?;
    tx.commit(import).await
}

/// The refusal of a file that is larger than its kind may be.
pub fn too_large(kind: Kind) -> Refusal {
    Refusal::TooLarge { field: "file".to_owned(), limit_bytes: kind.max_bytes() as u64 }
}

/// An import by its key.
pub async fn get(backend: &Backend, actor: &Actor, id: i64) -> Result<Import> {
    allows(actor, Action::Administer)?;
    let mut connection = backend.pool().acquire().await?;
    read(&mut connection, id).await
}

/// All imports, the newest first.
pub async fn list(backend: &Backend, actor: &Actor, page: &PageRequest) -> Result<Page<Import>> {
    allows(actor, Action::Administer)?;
    let rows = page.rows()?;
    let found = sqlx::query_as!(
        Row,
        r#"select imports.id, kind, imports.name, options, state, imports.bytes, done, total, problem, found, did,
                  imports.version, creator.name as created_by, imports.created_at, applier.name as "applied_by?",
                  finished_at,
                  exists (select from import_parts where import_id = imports.id) as "has_file!"
             from imports join people as creator on creator.id = created_by
                  left join people as applier on applier.id = applied_by
            where $1::bigint is null or imports.id < $1
            order by imports.id desc limit $2"#,
        page.after::<i64>()?,
        rows + 1,
    )
    .fetch_all(backend.pool())
    .await?;
    Page::new(found, rows, |row| row.id)?.try_map(Row::import)
}

/// Applies an import whose differences were shown, or goes on with one that was cancelled.
pub async fn apply(backend: &Backend, actor: &Actor, id: i64) -> Result<Import> {
    let (mut tx, import) = match change(backend, actor, id).await? {
        Held::Replayed(import) => return Ok(import),
        Held::Open(tx, import) => (tx, import),
    };
    if !matches!(import.state, State::Ready | State::Cancelled) {
        return Err(Refusal::conflict(format!(
            "This import {}; only one that is ready can be applied.",
            says(&import)
        ))
        .into());
    }
    if !import.has_file {
        let message = "The file was handed in more than 30 days ago and is no longer kept; hand it in again.";
        return Err(Refusal::conflict(message).into());
    }
    // What an earlier try reported is about another time.
    sqlx::query!("delete from import_lines where import_id = $1 and phase = 'apply'", id).execute(&mut *tx).await?;
    let now = tx.now();
    sqlx::query!(
        "update imports set state = 'applying', done = 0, total = null, did = '{}', applied_by = $2,
                version = version + 1, updated_at = $3, finished_at = null
          where id = $1",
        id,
        actor.id,
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    end_change(tx, id, "import.started", true).await
}

/// Compares a file anew, read in another way: its columns mean something else, its dates begin with the month.
pub async fn read_again(backend: &Backend, actor: &Actor, id: i64, options: Map<String, Value>) -> Result<Import> {
    let (mut tx, import) = match change(backend, actor, id).await? {
        Held::Replayed(import) => return Ok(import),
        Held::Open(tx, import) => (tx, import),
    };
    if !matches!(import.state, State::Ready | State::Failed) || !import.has_file {
        return Err(Refusal::conflict(format!("This import {}; it cannot be read anew.", says(&import))).into());
    }
    check_options(backend, import.kind, &options)?;
    sqlx::query!("delete from import_lines where import_id = $1", id).execute(&mut *tx).await?;
    let now = tx.now();
    // Whatever was applied before is not what this comparison is about.
    sqlx::query!(
        "update imports set state = 'checking', options = $2, problem = '', done = 0, total = null, found = '{}',
                did = '{}', applied_by = null, read_by = $4, version = version + 1, updated_at = $3, finished_at = null
          where id = $1",
        id,
        Value::Object(options),
        now.to_sqlx(),
        actor.id,
    )
    .execute(&mut *tx)
    .await?;
    end_change(tx, id, "import.read_again", true).await
}

/// Decides against an import that was not applied. Its bytes go.
pub async fn discard(backend: &Backend, actor: &Actor, id: i64) -> Result<Import> {
    let (mut tx, import) = match change(backend, actor, id).await? {
        Held::Replayed(import) => return Ok(import),
        Held::Open(tx, import) => (tx, import),
    };
    if !matches!(import.state, State::Checking | State::Ready | State::Failed | State::Cancelled) {
        return Err(Refusal::conflict(format!("This import {}; it cannot be discarded.", says(&import))).into());
    }
    sqlx::query!("delete from import_parts where import_id = $1", id).execute(&mut *tx).await?;
    end(&mut tx, id, State::Discarded, "").await?;
    end_change(tx, id, "import.discarded", false).await
}

/// Stops an import that is being applied, after the batch that is being written. What was done stays.
pub async fn cancel(backend: &Backend, actor: &Actor, id: i64) -> Result<Import> {
    let (mut tx, import) = match change(backend, actor, id).await? {
        Held::Replayed(import) => return Ok(import),
        Held::Open(tx, import) => (tx, import),
    };
    if import.state != State::Applying {
        return Err(Refusal::conflict(format!("This import {}; there is nothing to stop.", says(&import))).into());
    }
    end(&mut tx, id, State::Cancelled, "").await?;
    end_change(tx, id, "import.cancelled", false).await
}

/// A piece of a file by its number, from 0; nothing after the last.
pub(crate) async fn part(backend: &Backend, import: i64, part: i32) -> Result<Option<Vec<u8>>> {
    let bytes = sqlx::query_scalar!("select bytes from import_parts where import_id = $1 and part = $2", import, part);
    Ok(bytes.fetch_optional(backend.pool()).await?)
}

/// Removes the bytes of old imports, and what never arrived.
pub(crate) async fn delete_old(backend: &Backend) -> Result<u64> {
    let now = backend.now();
    let before = |age| now.checked_sub(age).unwrap_or(Timestamp::MIN).to_sqlx();
    sqlx::query!("delete from imports where state = 'receiving' and created_at <= $1", before(ARRIVES_WITHIN))
        .execute(backend.pool())
        .await?;
    let done = sqlx::query!(
        "delete from import_parts using imports
          where imports.id = import_id and imports.updated_at <= $1 and state not in ('checking', 'applying')",
        before(KEPT),
    )
    .execute(backend.pool())
    .await?;
    Ok(done.rows_affected())
}

async fn insert(tx: &mut Tx<'_>, actor: &Actor, new: NewImport) -> Result<i64> {
    let name = text::line("name", "The file's name", &new.name, limits::FILE_NAME_CHARS)?;
    check_options(tx.backend(), new.kind, &new.options)?;
    let id = sqlx::query_scalar!(
        "insert into imports (kind, name, options, state, created_by, created_at, updated_at)
         values ($1, $2, $3, 'receiving', $4, $5, $5) returning id",
        new.kind.as_str(),
        name,
        Value::Object(new.options),
        actor.id,
        tx.now().to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(id)
}

async fn put_part(tx: &mut Tx<'_>, id: i64, part: i32, bytes: &[u8]) -> Result<()> {
    let done = sqlx::query!(
        "update imports set bytes = bytes + $2 where id = $1 and state = 'receiving'",
        id,
        i64::try_from(bytes.len()).unwrap_or(i64::MAX),
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Refusal::conflict("This import takes no more bytes.").into());
    }
    sqlx::query!("insert into import_parts (import_id, part, bytes) values ($1, $2, $3)", id, part, bytes)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// From `receiving` to `checking`.
async fn check_received(tx: &mut Tx<'_>, import: &Import) -> Result<()> {
    if import.state != State::Receiving {
        return Err(Refusal::conflict(format!("This import {}.", says(import))).into());
    }
    if import.bytes == 0 {
        return Err(Refusal::field("file", "The file is empty. Choose one with something in it.").into());
    }
    let now = tx.now();
    sqlx::query!(
        "update imports set state = 'checking', version = version + 1, updated_at = $2 where id = $1",
        import.id,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    tx.put(&Task { import: import.id, version: import.version + 1 }.work(now)?).await?;
    let after = json!({ "name": import.name, "kind": import.kind, "bytes": import.bytes });
    tx.event("import.received", &Subject::import(import.id), None, Some(after)).await
}

/// A change of an import that somebody asked for.
enum Held<'a> {
    /// The same request was answered before.
    Replayed(Import),
    /// The import, held by this transaction.
    Open(Tx<'a>, Import),
}

async fn change<'a>(backend: &'a Backend, actor: &Actor, id: i64) -> Result<Held<'a>> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(Held::Replayed(earlier));
    }
    let import = hold(&mut tx, id).await?;
    tx.check_version(import.version)?;
    Ok(Held::Open(tx, import))
}

/// Puts the work in that the new state needs, writes the event and commits.
async fn end_change(mut tx: Tx<'_>, id: i64, verb: &str, needs_work: bool) -> Result<Import> {
    let import = read(&mut tx, id).await?;
    if needs_work {
        let now = tx.now();
        tx.put(&Task { import: id, version: import.version }.work(now)?).await?;
    }
    let after = json!({ "name": import.name, "kind": import.kind });
    tx.event(verb, &Subject::import(id), None, Some(after)).await?;
    tx.commit(import).await
}

/// The end of an import, or of its work.
async fn end(tx: &mut Tx<'_>, id: i64, state: State, problem: &str) -> Result<()> {
    let now = tx.now();
    let problem: String = problem.chars().filter(|character| *character != '\0').take(2000).collect();
    sqlx::query!(
        "update imports set state = $2, problem = $3, version = version + 1, updated_at = $4, finished_at = $4
          where id = $1",
        id,
        state.as_str(),
        problem,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Where an import stands, as the end of "This import …".
fn says(import: &Import) -> &'static str {
    match import.state {
        State::Receiving => "is still arriving",
        State::Checking => "is still being compared with what is here",
        State::Ready => "is ready to be applied",
        State::Applying => "is being applied",
        State::Applied => "was applied already",
        State::Cancelled => "was stopped",
        State::Discarded => "was discarded",
        State::Failed if import.applied_by.is_some() => "was stopped by a fault",
        State::Failed => "could not be read",
    }
}

/// An import, held until the transaction ends.
async fn hold(tx: &mut Tx<'_>, id: i64) -> Result<Import> {
    sqlx::query!("select id from imports where id = $1 for no key update", id).fetch_optional(&mut **tx).await?;
    read(tx, id).await
}

async fn read(connection: &mut PgConnection, id: i64) -> Result<Import> {
    sqlx::query_as!(
        Row,
        r#"select imports.id, kind, imports.name, options, state, imports.bytes, done, total, problem, found, did,
                  imports.version, creator.name as created_by, imports.created_at, applier.name as "applied_by?",
                  finished_at,
                  exists (select from import_parts where import_id = imports.id) as "has_file!"
             from imports join people as creator on creator.id = created_by
                  left join people as applier on applier.id = applied_by
            where imports.id = $1"#,
        id,
    )
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| Refusal::not_found("import"))?
    .import()
}

/// An import as the database gives it.
struct Row {
    id: i64,
    kind: String,
    name: String,
    options: Value,
    state: String,
    bytes: i64,
    done: i64,
    total: Option<i64>,
    problem: String,
    found: Value,
    did: Value,
    version: i64,
    created_by: String,
    created_at: jiff_sqlx::Timestamp,
    applied_by: Option<String>,
    finished_at: Option<jiff_sqlx::Timestamp>,
    has_file: bool,
}

impl Row {
    fn import(self) -> Result<Import> {
        let unknown = || Error::internal("the database holds an import of an unknown kind or state");
        Ok(Import {
            id: self.id,
            kind: Kind::parse(&self.kind).ok_or_else(unknown)?,
            name: self.name,
            options: serde_json::from_value(self.options)?,
            state: State::parse(&self.state).ok_or_else(unknown)?,
            bytes: self.bytes,
            done: self.done,
            total: self.total,
            problem: self.problem,
            found: serde_json::from_value(self.found)?,
            did: serde_json::from_value(self.did)?,
            version: self.version,
            created_by: self.created_by,
            created_at: self.created_at.to_jiff(),
            applied_by: self.applied_by,
            finished_at: self.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
            has_file: self.has_file,
        })
    }
}
