//! The work on one import, batch by batch.

use domain::Actor;
use jiff_sqlx::ToSqlx as _;
use serde_json::{Value, json};

use super::lines::{Counts, Line, Outcome, Phase};
use super::{Import, State};
use crate::{Backend, Result, Subject, Tx};

/// Lines of one outcome that are kept to be read; all are counted.
const LINES: i64 = 10_000;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// There is more to do, or all was done.
    On,
    /// Somebody stopped it, or another process has it: write nothing more.
    Stop,
}

/// An import at work: its file, and the only way to write what came of it.
pub struct Run {
    backend: Backend,
    actor: Actor,
    import: Import,
    phase: Phase,
    counts: Counts,
}

impl Run {
    pub(super) fn new(backend: Backend, actor: Actor, import: Import) -> Self {
        let (phase, counts) = match import.state {
            State::Applying => (Phase::Apply, import.did.clone()),
            _ => (Phase::Check, import.found.clone()),
        };
        Self { backend, actor, import, phase, counts }
    }

    /// The use cases, on behalf of this import.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// In whose name it is done.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The import, as it was when the work was begun or gone on with; `done` is where to go on.
    pub fn import(&self) -> &Import {
        &self.import
    }

    /// The whole file. For kinds whose files are small.
    pub async fn file(&self) -> Result<Vec<u8>> {
        let mut file = Vec::new();
        let mut part = 0;
        while let Some(bytes) = self.part(part).await? {
            file.extend(bytes);
            part += 1;
        }
        Ok(file)
    }

    /// A piece of the file by its number, from 0; nothing after the last. For kinds whose files are large.
    pub async fn part(&self, part: i32) -> Result<Option<Vec<u8>>> {
        let bytes = sqlx::query_scalar!(
            "select bytes from import_parts where import_id = $1 and part = $2",
            self.import.id,
            part,
        );
        Ok(bytes.fetch_optional(self.backend.pool()).await?)
    }

    /// Counts something in the next batch of which no line is kept.
    pub fn count(&mut self, what: &str, n: i64) {
        self.counts.add(what, n);
    }

    /// Writes down, in the transaction of a batch, that it takes the work from where it was to `done` of `total` units,
    /// and the lines that came of it. [`Go::Stop`]: drop the transaction, nothing more is to be written.
    ///
    /// It holds the import's row until the transaction ends: call it last.
    pub async fn record(&mut self, tx: &mut Tx<'_>, done: i64, total: i64, lines: &[Line]) -> Result<Go> {
        for line in lines {
            self.counts.count(line);
        }
        let counts = serde_json::to_value(&self.counts)?;
        let now = tx.now().to_sqlx();
        let applying = self.phase == Phase::Apply;
        let moved = sqlx::query!(
            "update imports set done = $4, total = $5, updated_at = $6,
                    found = case when $8 then found else $7 end, did = case when $8 then $7 else did end
              where id = $1 and version = $2 and done = $3 and state in ('checking', 'applying')",
            self.import.id,
            self.import.version,
            self.import.done,
            done,
            total,
            now,
            counts,
            applying,
        )
        .execute(&mut **tx)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(Go::Stop);
        }
        (self.import.done, self.import.total) = (done, Some(total));
        let mut kept = Vec::with_capacity(lines.len());
        for outcome in Outcome::ALL {
            let of_it: Vec<&Line> = lines.iter().filter(|line| line.outcome == *outcome).collect();
            let before = self.counts.with(*outcome) - i64::try_from(of_it.len()).unwrap_or(i64::MAX);
            let room = usize::try_from(LINES - before).unwrap_or(0);
            kept.extend(of_it.into_iter().take(room));
        }
        let outcomes: Vec<String> = kept.iter().map(|line| line.outcome.as_str().to_owned()).collect();
        // A NUL cannot be kept by Postgres; only what a file says could have one.
        let said = kept.iter().map(|line| Ok(without_nul(serde_json::to_value(line)?)));
        let said: Vec<Value> = said.collect::<Result<_>>()?;
        sqlx::query!(
            "insert into import_lines (import_id, phase, outcome, line)
             select $1, $2, outcome, line
               from unnest($3::text[], $4::jsonb[]) with ordinality as n (outcome, line, position) order by position",
            self.import.id,
            self.phase.as_str(),
            &outcomes,
            &said,
        )
        .execute(&mut **tx)
        .await?;
        Ok(Go::On)
    }

    /// The same without changes beside: for a comparison.
    pub async fn note(&mut self, done: i64, total: i64, lines: &[Line]) -> Result<Go> {
        let backend = self.backend.clone();
        let mut tx = backend.begin_unsigned().await?;
        let go = self.record(&mut tx, done, total, lines).await?;
        if go == Go::On {
            tx.commit(()).await?;
        }
        Ok(go)
    }

    /// All is done.
    pub(super) async fn finish(self) -> Result<()> {
        let mut tx = self.backend.begin(&self.actor).await?;
        let import = super::hold(&mut tx, self.import.id).await?;
        if import.version != self.import.version || !matches!(import.state, State::Checking | State::Applying) {
            return Ok(());
        }
        let now = tx.now().to_sqlx();
        let state = if self.phase == Phase::Apply { State::Applied } else { State::Ready };
        sqlx::query!(
            "update imports set state = $2, version = version + 1, updated_at = $3,
                    finished_at = case when $2 = 'applied' then $3::timestamptz end
              where id = $1",
            import.id,
            state.as_str(),
            now,
        )
        .execute(&mut *tx)
        .await?;
        let verb = if self.phase == Phase::Apply { "import.applied" } else { "import.compared" };
        let after = json!({ "name": import.name, "kind": import.kind, "counts": self.counts });
        tx.event(verb, &Subject::import(import.id), None, Some(after)).await?;
        tx.commit(()).await
    }
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, without_nul(value))).collect())
        }
        other => other,
    }
}
