//! Incidents from files: CSV and JSON of sheets and incident tools.
//!
//! | file | what it holds |
//! |---|---|
//! | `text` | bytes to text: encodings |
//! | `rows` | text to rows: CSV, JSON |
//! | [`mapping`] | which column says what |
//! | [`dates`] | instants and durations as people write them |
//! | `parse` | a row to what it says |
//! | `reader` | a file to batches of that, a piece at a time |
//!
//! A file is read twice: once to learn its encoding, its columns and whether its dates begin with the day, once row by
//! row. Rows are written in batches, each in a transaction of its own (`incidents::upsert`). A row that cannot be taken
//! over is reported with its line and column; the rest goes in. An incident is known by its source and external id, so
//! that a second import changes nothing.

pub mod dates;
pub mod mapping;
mod parse;
mod reader;
mod rows;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::incident::Severity;
use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, Refusal, limits};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::content::Content;
use super::said::Said;
use super::upsert::{self, Became};
use crate::imports::{self, Change, Counts, Go, Line, Outcome, Place, Run};
use crate::{Backend, Error, Result, Subject, Tx};
use dates::Order;
use mapping::Field;
use reader::{Batch, Examined, File, Reader, Remarked};

/// How often a batch is tried while the database is busy, or somebody records the same incidents.
const TRIES: u32 = 5;
/// Lines of one outcome that a report keeps; all are counted.
const LINES: usize = 10_000;

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where incidents come from whose row does not say.
    pub source: String,
    /// How grave incidents are whose row does not say; such rows are refused when this is absent.
    pub severity: Option<Severity>,
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// Which comes first in `03/11/2026`, unless the file tells.
    pub dates: Option<Order>,
    /// Fields by the heading of their column, or by `#3`: see [`mapping`].
    pub map: BTreeMap<String, String>,
}

impl Options {
    /// Reads the words of a form or an API call: `source`, `severity`, `zone`, `dates` (`day-first`, `month-first`) and
    /// `map`, an object or lines such as `Opened=started_at`.
    pub fn parse(backend: &Backend, options: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut fields = Fields::default();
        let word = |name: &str| match options.get(name) {
            Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        if let Some(name) =
            options.keys().find(|name| !["source", "severity", "zone", "dates", "map"].contains(&name.as_str()))
        {
            let message = format!("There is no option \"{name}\"; there are: source, severity, zone, dates, map.");
            fields.complain("options", message);
        }
        let source = domain::text::optional_line(
            "source",
            "The source",
            &word("source").unwrap_or_default(),
            limits::NAME_CHARS,
        );
        let source = fields.take(source)?;
        let severity = word("severity").map(|word| {
            let wrong = || Refusal::field("severity", "The severity is 1 (critical), 2 (major), 3 (minor) or 4 (low).");
            Severity::parse_word(&word).ok_or_else(wrong)
        });
        let severity = fields.take(severity.transpose())?;
        let zone = word("zone").map_or_else(
            || Ok(backend.time_zone().clone()),
            |name| {
                let wrong = |_| Refusal::field("zone", "Give a time zone such as Europe/Berlin or UTC.");
                TimeZone::get(&name).map_err(wrong)
            },
        );
        let zone = fields.take(zone)?;
        let dates = word("dates").map(|word| {
            Order::parse(&word).ok_or_else(|| Refusal::field("dates", "Dates are \"day-first\" or \"month-first\"."))
        });
        let dates = fields.take(dates.transpose())?;
        let map = fields.take(read_map(options.get("map")))?;
        let ((source, severity), (zone, dates, map)) = {
            use domain::refusal::Taken as _;
            fields.finish(((source, severity).all(), (zone, dates, map).all()))?
        };
        Ok(Self { source, severity, zone, dates, map })
    }
}

fn read_map(map: Option<&Value>) -> Result<BTreeMap<String, String>, Refusal> {
    let wrong = || Refusal::field("map", "Write one column a line, such as Opened=started_at.");
    match map {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(members)) => {
            let pair = |(column, field): (&String, &Value)| {
                Ok((column.clone(), field.as_str().map(str::trim).ok_or_else(wrong)?.to_owned()))
            };
            members.iter().map(pair).collect()
        }
        Some(Value::String(lines)) => {
            let lines = lines.lines().filter(|line| !line.trim().is_empty());
            // A heading may have an equals sign; a field has none.
            let pair = |line: &str| {
                let (column, field) = line.rsplit_once('=').ok_or_else(wrong)?;
                Ok((column.trim().to_owned(), field.trim().to_owned()))
            };
            lines.map(pair).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Rows done.
    pub done: i64,
    /// Rows in all.
    pub of: i64,
}

/// What came of an import, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The file in words: its format and encoding.
    pub read_as: String,
    /// Which column was read as what, in the file's order; columns that were not read last.
    pub columns: Vec<(String, Option<Field>)>,
    /// How many of each sort: `new incident`, `refused row`.
    pub counts: Counts,
    /// What there is to say, in the file's order; at most ten thousand of each outcome.
    pub lines: Vec<Line>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

impl Report {
    /// Rows that were not taken over.
    pub fn refused(&self) -> i64 {
        self.counts.with(Outcome::Refused)
    }
}

/// Imports a file of this machine in the name of `actor`; with `dry_run` it only says what would happen. `progress`
/// answers whether to go on: what is written stays, and another import does the rest.
pub async fn import(
    backend: &Backend,
    actor: &Actor,
    path: &Path,
    options: &Options,
    dry_run: bool,
    progress: impl FnMut(Progress) -> bool + Send,
) -> Result<Report> {
    import_file(backend, actor, File::Path(path), &file_name(path), options, dry_run, progress).await
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

async fn import_file(
    backend: &Backend,
    actor: &Actor,
    file: File<'_>,
    name: &str,
    options: &Options,
    dry_run: bool,
    mut progress: impl FnMut(Progress) -> bool + Send,
) -> Result<Report> {
    allows(actor, Action::Administer)?;
    let examined = reader::examine(file, options).await?;
    let mut work = Work::new(name, &examined, options);
    let mut report = Report { read_as: examined.read_as.clone(), ..Report::default() };
    report.columns = examined.columns.iter().map(|column| (column.heading.clone(), column.field)).collect();
    let keep = |lines: Vec<Line>, unchanged: i64, report: &mut Report| {
        for line in lines {
            report.counts.count(&line);
            if report.counts.with(line.outcome) <= i64::try_from(LINES).unwrap_or(i64::MAX) {
                report.lines.push(line);
            }
        }
        report.counts.add("unchanged incident", unchanged);
    };
    keep(work.first_lines(), 0, &mut report);
    let mut reader = Reader::new(file, &examined, options)?;
    while let Some(batch) = reader.next().await? {
        let mut tries = 1;
        let (lines, unchanged) = loop {
            match write(backend, actor, &mut work, &batch, dry_run).await {
                Ok(Some(done)) => break done,
                Ok(None) | Err(Error::Refused(Refusal::Busy { .. })) if tries < TRIES => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Ok(None) => return Err(Refusal::Busy { retry_after_seconds: 2 }.into()),
                Err(error) => return Err(error),
            }
            tries += 1;
        };
        keep(lines, unchanged, &mut report);
        if !progress(Progress { done: batch.upto, of: examined.rows }) && batch.upto < examined.rows {
            report.interrupted = true;
            break;
        }
    }
    let did = report.counts.with(Outcome::New) + report.counts.with(Outcome::Changed);
    if !dry_run && did > 0 {
        let mut tx = backend.begin(actor).await?;
        let after = json!({ "file": name, "counts": report.counts });
        tx.event("incidents.imported", &Subject::product("incidents"), None, Some(after)).await?;
        tx.commit(()).await?;
    }
    Ok(report)
}

/// Writes a batch; what there is to say about it, and how many said nothing new. `None`: try again.
async fn write(
    backend: &Backend,
    actor: &Actor,
    work: &mut Work<'_>,
    batch: &Batch,
    dry_run: bool,
) -> Result<Option<(Vec<Line>, i64)>> {
    let mut tx = backend.begin(actor).await?;
    let Some(done) = work.take(&mut tx, actor, batch, dry_run).await? else { return Ok(None) };
    if !dry_run {
        tx.commit(()).await?;
    }
    Ok(Some(work.said(batch, done)))
}

/// Compares a file that was handed in with what is here.
pub(crate) async fn check_import(run: &mut Run) -> Result<Go> {
    run_import(run, true).await
}

/// Applies a file that was handed in.
pub(crate) async fn apply_import(run: &mut Run) -> Result<Go> {
    run_import(run, false).await
}

async fn run_import(run: &mut Run, dry_run: bool) -> Result<Go> {
    let (backend, actor, import) = (run.backend().clone(), run.actor().clone(), run.import().clone());
    allows(&actor, Action::Administer)?;
    let options = Options::parse(&backend, &import.options)?;
    let file = File::Import(&backend, import.id);
    let examined = reader::examine(file, &options).await?;
    let mut work = Work::new(&import.name, &examined, &options);
    let mut first = if import.done == 0 { work.first_lines() } else { Vec::new() };
    let mut reader = Reader::new(file, &examined, &options)?;
    while let Some(batch) = reader.next().await? {
        // What a process before this one wrote.
        if batch.upto <= import.done {
            continue;
        }
        let mut tries = 1;
        loop {
            let mut tx = backend.begin(&actor).await?;
            if let Some(done) = work.take(&mut tx, &actor, &batch, dry_run).await? {
                if dry_run {
                    drop(tx);
                    tx = backend.begin_unsigned().await?;
                }
                let (lines, unchanged) = work.said(&batch, done);
                let lines: Vec<Line> = std::mem::take(&mut first).into_iter().chain(lines).collect();
                run.count("unchanged incident", unchanged);
                if run.record(&mut tx, batch.upto, examined.rows, &lines).await? == Go::Stop {
                    return Ok(Go::Stop);
                }
                tx.commit(()).await?;
                break;
            }
            if tries == TRIES {
                return Err(Refusal::Busy { retry_after_seconds: 2 }.into());
            }
            tries += 1;
        }
    }
    Ok(Go::On)
}

/// What the page shows of a file's columns, so that people say what each is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The file in words.
    pub read_as: String,
    /// Heading, what it is read as, and the first texts in it.
    pub columns: Vec<(String, Option<Field>, Vec<String>)>,
}

/// The columns of a file that was handed in.
pub async fn preview(backend: &Backend, actor: &Actor, import: i64) -> Result<Preview> {
    let import = imports::get(backend, actor, import).await?;
    let options = Options::parse(backend, &import.options).or_else(|_| Options::parse(backend, &Map::new()))?;
    let beginning = imports::part(backend, import.id, 0).await?.unwrap_or_default();
    let (read_as, columns) = reader::preview(&beginning, &options)?;
    let columns = columns.into_iter().map(|(column, texts)| (column.heading, column.field, texts)).collect();
    Ok(Preview { read_as, columns })
}

/// What the batches of one import have in common.
struct Work<'a> {
    file: &'a str,
    examined: &'a Examined,
    options: &'a Options,
    remarked: Remarked,
}

impl<'a> Work<'a> {
    fn new(file: &'a str, examined: &'a Examined, options: &'a Options) -> Self {
        Self { file, examined, options, remarked: Remarked::default() }
    }

    fn line(&self, outcome: Outcome, sort: &str, line: u64, subject: &str, message: String) -> Line {
        let place = Place { file: self.file.to_owned(), line };
        Line { outcome, sort: sort.to_owned(), subject: subject.to_owned(), place, message, changes: Vec::new() }
    }

    /// How the file is read.
    fn first_lines(&self) -> Vec<Line> {
        let mut lines =
            vec![self.line(Outcome::Noted, "file", 0, self.file, format!("Read as {}.", self.examined.read_as))];
        if self.examined.replaced {
            let message = format!("Some bytes are no {}; they became �.", self.examined.read_as);
            lines.push(self.line(Outcome::Noted, "file", 0, self.file, message));
        }
        if let Some(order) = self.examined.order {
            let message = match order {
                Order::DayFirst => "Dates are read day first: 31/12/2026.",
                Order::MonthFirst => "Dates are read month first: 12/31/2026.",
            };
            lines.push(self.line(Outcome::Noted, "file", 0, self.file, message.to_owned()));
        }
        for column in &self.examined.columns {
            let message = match column.field {
                Some(field) => format!("Read as {}.", field.as_str()),
                None => "Not read.".to_owned(),
            };
            lines.push(self.line(Outcome::Noted, "column", 0, &column.heading, message));
        }
        lines
    }

    /// Takes a batch over. `None`: try again.
    async fn take(
        &mut self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        batch: &Batch,
        dry_run: bool,
    ) -> Result<Option<Vec<Became>>> {
        tx.take_time().await?;
        let said = batch.said.iter().map(|(_, said)| said.clone()).collect();
        let how = upsert::How { severity: self.options.severity, quietly: true, plan: dry_run };
        upsert::upsert(tx, actor, said, how).await
    }

    /// What there is to say about a batch, in the file's order, and how many said nothing new.
    fn said(&mut self, batch: &Batch, became: Vec<Became>) -> (Vec<Line>, i64) {
        let mut lines = Vec::new();
        let mut unchanged = 0;
        for (line, subject, reason) in &batch.refused {
            lines.push(self.line(Outcome::Refused, "row", *line, subject, reason.clone()));
        }
        for (line, subject, note) in &batch.noted {
            match note {
                parse::Note::Time(note) => {
                    lines.push(self.line(Outcome::Noted, "time", *line, subject, note.clone()));
                }
                parse::Note::Severity(note) if self.remarked.is_new("severity", note) => {
                    lines.push(self.line(Outcome::Noted, "severity", *line, subject, note.clone()));
                }
                parse::Note::Severity(_) => {}
            }
        }
        for ((line, said), became) in batch.said.iter().zip(became) {
            let subject = reader::subject(said);
            match became {
                Became::Unchanged(_) => unchanged += 1,
                Became::Refused(refusal) => {
                    lines.push(self.line(Outcome::Refused, "row", *line, &subject, self.explain(&refusal)));
                }
                Became::Recorded(_, after) => {
                    let title = said.title.clone().filter(|title| *title != subject).unwrap_or_default();
                    lines.push(self.line(Outcome::New, "incident", *line, &subject, title));
                    self.remark(&mut lines, *line, &after);
                }
                Became::Changed(_, states) => {
                    let (before, after) = *states;
                    let mut changed = self.line(Outcome::Changed, "incident", *line, &subject, String::new());
                    changed.changes = differences(&before, &after);
                    lines.push(changed);
                    self.remark(&mut lines, *line, &after);
                }
            }
        }
        lines.sort_by_key(|line| line.place.line);
        (lines, unchanged)
    }

    /// Says each word once that nobody knows.
    fn remark(&mut self, lines: &mut Vec<Line>, line: u64, content: &Content) {
        if !content.type_word.is_empty() && self.remarked.is_new("unknown type", &content.type_word) {
            let message = "No type is called so; such incidents are of the type unknown.".to_owned();
            lines.push(self.line(Outcome::Noted, "unknown type", line, &content.type_word, message));
        }
        for name in &content.unknown_services {
            if self.remarked.is_new("unknown service", name) {
                let message = "No service is called so; it waits until somebody says which one is meant.".to_owned();
                lines.push(self.line(Outcome::Noted, "unknown service", line, name, message));
            }
        }
    }

    /// A refusal with the headings of the columns it is about.
    fn explain(&self, refusal: &Refusal) -> String {
        let Refusal::Invalid { fields } = refusal else { return refusal.to_string() };
        let explain = |error: &domain::FieldError| {
            let column = self
                .examined
                .columns
                .iter()
                .find(|column| column.field.is_some_and(|field| field.as_str() == error.field));
            match column {
                Some(column) => format!("{}: {}", column.heading, error.message),
                None if error.field == "severity" => "The severity is missing, and no default was chosen.".to_owned(),
                None => error.message.clone(),
            }
        };
        fields.iter().map(explain).collect::<Vec<_>>().join(" ")
    }
}

/// What differs between two states, as people read it.
fn differences(before: &Content, after: &Content) -> Vec<Change> {
    let members = |content: &Content| match serde_json::to_value(content) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let said = |value: Option<&Value>| {
        let text = match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            Some(other) => other.to_string(),
        };
        text.chars().take(200).collect()
    };
    let (before, after) = (members(before), members(after));
    let differ = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    differ
        .map(|(name, value)| Change { field: name.clone(), before: said(before.get(name)), after: said(Some(value)) })
        .collect()
}
