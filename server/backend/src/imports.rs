//! Imports: files that people hand in on a page or over the API.
//!
//! A file is kept ([`begin`], [`add_part`], [`received`]; or [`hand_in`] for a short one), compared with what is here
//! (state `checking`), shown with its differences (`ready`), and applied when somebody says so ([`apply`]). Comparing and
//! applying are work in the outbox, kind `import`: whichever process claims it calls [`work`]. It writes in batches, each
//! a transaction with its own progress and its own lines of the report ([`Run::record`]): a process that dies leaves whole
//! batches, and the next one goes on from there.
//!
//! To add a kind: its word in [`Kind`] and in the migration, its arm in [`check_file`] and [`apply_file`].

mod lines;
mod run;
#[cfg(test)]
mod tests;

use std::time::Duration;

use domain::policy::{Action, allows};
use domain::{Actor, PersonId, Refusal, limits, text};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use crate::outbox::{self, Work};
use crate::{Backend, Error, Page, PageRequest, Result, Subject, Tx, accounts, services};

pub use lines::{Change, Counts, Line, Outcome, Phase, Place, lines};
pub use run::{Go, Run};

/// Bytes of a file in one row.
pub const PART: usize = 1024 * 1024;
/// How long a file can be applied again; then its bytes go. The report stays.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long a file may take to arrive.
const ARRIVES_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// How often work is tried again at once while the database is busy.
const TRIES: u32 = 5;

/// Makes an enum from a table of names and words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $word:literal)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its word in the table and the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}
use words;

words! {
    /// What a file holds.
    Kind {
        /// Services, teams and who needs what, in YAML.
        Catalog "catalog"
        /// Incidents, in CSV or JSON.
        Incidents "incidents"
    }
}

impl Kind {
    /// How large such a file may be.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Catalog => limits::CATALOG_FILE_BYTES,
            Self::Incidents => limits::INCIDENTS_FILE_BYTES,
        }
    }
}

words! {
    /// Where an import stands.
    State {
        /// Its bytes are arriving.
        Receiving "receiving"
        /// It is being compared with what is here.
        Checking "checking"
        /// Its differences are there to be read.
        Ready "ready"
        /// It is being applied.
        Applying "applying"
        /// All of it that could be applied was.
        Applied "applied"
        /// Somebody stopped it while it was being applied. What was done stays.
        Cancelled "cancelled"
        /// Somebody decided against it.
        Discarded "discarded"
        /// It cannot be read.
        Failed "failed"
    }
}

impl State {
    /// Whether a process is at work on it, or will be.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Receiving | Self::Checking | Self::Applying)
    }
}

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
    /// Who applied it, by name.
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

/// Begins to take a file in: its bytes follow with [`add_part`]. True: this very request began it before, its bytes are
/// on the way already.
pub async fn begin(backend: &Backend, actor: &Actor, new: NewImport) -> Result<(i64, bool)> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok((earlier, true));
    }
    let id = insert(&mut tx, actor, new).await?;
    Ok((tx.commit(id).await?, false))
}

/// Keeps the next piece of a file that is arriving, at most [`PART`] bytes.
pub async fn add_part(backend: &Backend, id: i64, part: i32, bytes: &[u8]) -> Result<()> {
    let mut tx = backend.begin_unsigned().await?;
    put_part(&mut tx, id, part, bytes).await?;
    tx.commit(()).await
}

/// All bytes of a file are here: compares it with what is here as soon as a process is free.
pub async fn received(backend: &Backend, actor: &Actor, id: i64) -> Result<Import> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    let import = hold(&mut tx, id).await?;
    check_received(&mut tx, &import).await?;
    let import = read(&mut tx, id).await?;
    tx.commit(import).await
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
        Kind::Incidents => Err(Refusal::conflict("Incidents cannot be imported yet.").into()),
    }
}

/// Applies a file, by its kind.
async fn apply_file(run: &mut Run) -> Result<Go> {
    match run.import().kind {
        Kind::Catalog => services::import::apply_import(run).await,
        Kind::Incidents => Err(Refusal::conflict("Incidents cannot be imported yet.").into()),
    }
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

/// What the outbox says about an import.
#[derive(Debug, Serialize, Deserialize)]
struct Task {
    import: i64,
    /// Of the state in which the work was put in: with another one it is no longer wanted.
    version: i64,
}

impl Task {
    fn work(&self, now: Timestamp) -> Result<Work> {
        let key = format!("import:{}:{}", self.import, self.version);
        Ok(Work { key, kind: outbox::Kind::Import, payload: serde_json::to_value(self)?, due_at: now })
    }
}

/// The person in whose name the work is done, who must still be allowed to.
async fn doer(backend: &Backend, id: i64, applying: bool) -> Result<Result<Actor, Refusal>> {
    let person: PersonId = sqlx::query_scalar!(
        r#"select (case when $2 then applied_by else created_by end) as "person!" from imports where id = $1"#,
        id,
        applying,
    )
    .fetch_one(backend.pool())
    .await?;
    let actor = accounts::actor_of(backend, person).await?;
    let actor = actor.ok_or_else(|| Refusal::not_allowed("Whoever asked for this has no access any more."));
    Ok(actor.and_then(|actor| allows(&actor, Action::Administer).map(|()| actor)))
}

async fn insert(tx: &mut Tx<'_>, actor: &Actor, new: NewImport) -> Result<i64> {
    let name = text::line("name", "The file's name", &new.name, limits::FILE_NAME_CHARS)?;
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
