//! The catalogue from files: Backstage's `catalog-info.yaml` and the runbooks' `service-catalog.yml`.
//!
//! Files are read into a [`Catalog`] (`catalog.rs`, with `backstage.rs` and `runbook.rs` for the formats and `yaml.rs`
//! below them), taken apart into steps (`steps.rs`: teams, then services, what a service needs before it), and each step is decided
//! (`decide.rs`, by the rules of `merge.rs`) against what is here (`world.rs`). [`plan`] decides all of them and writes
//! nothing; [`apply`] and an import that was handed in write each in a transaction of its own: interrupted anywhere,
//! whole services are there, and a second run completes them.
//!
//! What is never done: a service, owner, label, link or dependency taken away because a file no longer has it; a value
//! overwritten that somebody changed by hand; an archived service brought back. Each of these is reported.

mod backstage;
mod catalog;
mod decide;
mod merge;
mod runbook;
mod steps;
#[cfg(test)]
mod tests;
mod world;
mod yaml;

use std::time::Duration;

use domain::policy::{Action, allows};
use domain::service::Tier;
use domain::{Actor, Refusal};
use jiff_sqlx::ToSqlx as _;
use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::change::{Content, put_content};
use super::{Link, ServiceInput};
use crate::accounts::teams;
use crate::imports::{Counts, Go, Line, Outcome, Place, Run};
use crate::{Backend, Error, Expected, Result, Tx};

pub use catalog::Catalog;
use decide::Decision;
use steps::{Step, Work, prepare};
use world::{Names, World};

/// How often a step is tried while the database is busy.
const TRIES: u32 = 5;
/// Lines of a comparison that are written at a time.
const LINES: usize = 500;

/// What came of an import, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many of each sort.
    pub counts: Counts,
    /// Everything there is to say, in the order of the work.
    pub lines: Vec<Line>,
    /// Whether it was interrupted before its end.
    pub interrupted: bool,
}

impl Report {
    fn add(&mut self, lines: Vec<Line>, counts: &Counts) {
        for line in &lines {
            self.counts.count(line);
        }
        for (what, n) in &counts.0 {
            self.counts.add(what, *n);
        }
        self.lines.extend(lines);
    }

    /// Files and entries that could not be taken over.
    pub fn refused(&self) -> i64 {
        self.counts.with(Outcome::Refused)
    }
}

/// What [`apply`] would do now. Writes nothing.
pub async fn plan(backend: &Backend, actor: &Actor, catalog: Catalog, tier: Tier) -> Result<Report> {
    allows(actor, Action::Administer)?;
    let mut connection = backend.pool().acquire().await?;
    let work = prepare(&mut connection, catalog, tier).await?;
    let mut world = World::load(&mut connection, &work.names()).await?;
    let mut report = Report::default();
    for step in &work.steps {
        match *step {
            Step::Files => report.add(work.catalog.lines.clone(), &Counts::default()),
            Step::Team(index) => {
                let team = &work.catalog.teams[index];
                let decision = decide::team(&world, &work.catalog, team);
                report.add(decision.lines.clone(), &decision.counts);
                world.with_team(work.catalog.source(&team.place), decision);
            }
            Step::Service(index) | Step::Needs(index) => {
                let service = &work.catalog.services[index];
                let last = matches!(step, Step::Needs(_));
                let decision = decide::service(&world, &work, service, last);
                report.add(decision.lines.clone(), &decision.counts);
                world.with_service(work.catalog.source(&service.place), decision);
            }
            Step::Missing => report.add(missing(&mut connection, &work.catalog).await?, &Counts::default()),
        }
    }
    Ok(report)
}

/// How far an import is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Steps done.
    pub done: i64,
    /// Steps in all.
    pub of: i64,
    /// What the one just done was about.
    pub subject: &'a str,
}

/// Takes a catalogue over. `progress` is told of every step that is certain, and answers whether to go on: when not, what
/// was done is reported as far as it came. A busy database is waited for.
pub async fn apply(
    backend: &Backend,
    actor: &Actor,
    catalog: Catalog,
    tier: Tier,
    mut progress: impl FnMut(Progress<'_>) -> bool + Send,
) -> Result<Report> {
    allows(actor, Action::Administer)?;
    let work = {
        let mut connection = backend.pool().acquire().await?;
        prepare(&mut connection, catalog, tier).await?
    };
    let mut report = Report::default();
    let of = work.total();
    for (done, step) in (1..).zip(&work.steps) {
        let mut tries = 1;
        let (lines, counts) = loop {
            let answer = async {
                let mut tx = backend.begin(actor).await?;
                let (tx, lines, counts) = match perform(&mut tx, actor, &work, *step).await {
                    Ok((lines, counts)) => (tx, lines, counts),
                    Err(error) => {
                        drop(tx);
                        (backend.begin(actor).await?, vec![refused(&work, *step, error)?], Counts::default())
                    }
                };
                tx.commit(()).await?;
                Ok((lines, counts))
            };
            match answer.await {
                Err(Error::Refused(Refusal::Busy { .. } | Refusal::OutcomeUnknown)) if tries < TRIES => {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    tries += 1;
                }
                answer => break answer?,
            }
        };
        report.add(lines, &counts);
        if !progress(Progress { done, of, subject: work.subject(*step) }) && done < of {
            report.interrupted = true;
            break;
        }
    }
    Ok(report)
}

/// Compares a catalogue that was handed in with what is here.
pub(crate) async fn check_import(run: &mut Run) -> Result<Go> {
    let (catalog, tier) = read_import(run).await?;
    let backend = run.backend().clone();
    let report = plan(&backend, run.actor(), catalog, tier).await?;
    let counted = report.lines.iter().fold(Counts::default(), |mut counts, line| {
        counts.count(line);
        counts
    });
    // One unit is one line, and one more for what has none.
    let total = count(report.lines.len()) + 1;
    let done = run.import().done;
    if done == 0 {
        for (what, n) in &report.counts.0 {
            run.count(what, n - counted.of(what));
        }
        if run.note(1, total, &[]).await? == Go::Stop {
            return Ok(Go::Stop);
        }
    }
    let from = usize::try_from(done - 1).unwrap_or(0);
    let mut done = count(from) + 1;
    for lines in report.lines.get(from..).unwrap_or_default().chunks(LINES) {
        done += count(lines.len());
        if run.note(done, total, lines).await? == Go::Stop {
            return Ok(Go::Stop);
        }
    }
    Ok(Go::On)
}

/// Takes a catalogue over that was handed in.
pub(crate) async fn apply_import(run: &mut Run) -> Result<Go> {
    let (catalog, tier) = read_import(run).await?;
    let (backend, actor) = (run.backend().clone(), run.actor().clone());
    let work = {
        let mut connection = backend.pool().acquire().await?;
        prepare(&mut connection, catalog, tier).await?
    };
    let from = usize::try_from(run.import().done).unwrap_or(0);
    for (done, step) in (1..).zip(&work.steps).skip(from) {
        let mut tx = backend.begin(&actor).await?;
        let (mut tx, lines, counts) = match perform(&mut tx, &actor, &work, *step).await {
            Ok((lines, counts)) => (tx, lines, counts),
            Err(error) => {
                drop(tx);
                (backend.begin(&actor).await?, vec![refused(&work, *step, error)?], Counts::default())
            }
        };
        for (what, n) in &counts.0 {
            run.count(what, *n);
        }
        if run.record(&mut tx, done, work.total(), &lines).await? == Go::Stop {
            return Ok(Go::Stop);
        }
        tx.commit(()).await?;
    }
    Ok(Go::On)
}

/// The tier of new services of which the file says none, by the options of an import.
pub(crate) fn tier_of(options: &Map<String, Value>) -> Result<Tier, Refusal> {
    if let Some(name) = options.keys().find(|name| *name != "tier") {
        return Err(Refusal::field("options", format!("There is no option \"{name}\"; there is: tier.")));
    }
    let number = match options.get("tier") {
        None | Some(Value::Null) => Some(3),
        // Forms send words.
        Some(Value::String(word)) if word.trim().is_empty() => Some(3),
        Some(Value::String(word)) => word.trim().parse().ok(),
        Some(other) => other.as_i64(),
    };
    Tier::parse(number.unwrap_or_default())
}

/// The file of an import, read. One that cannot be read is refused with the reason.
async fn read_import(run: &Run) -> Result<(Catalog, Tier)> {
    let tier = tier_of(&run.import().options)?;
    let (name, bytes) = (run.import().name.clone(), run.file().await?);
    let read = move || {
        let mut catalog = Catalog::default();
        catalog.add(&name, &bytes);
        catalog.close();
        catalog
    };
    let catalog = tokio::task::spawn_blocking(read).await.map_err(Error::internal)?;
    if let Some(line) = catalog.lines.iter().find(|line| catalog.is_unread() && line.outcome == Outcome::Refused) {
        let at = if line.place.line == 0 { String::new() } else { format!("Line {}: ", line.place.line) };
        return Err(Refusal::conflict(format!("{at}{}", line.message)).into());
    }
    Ok((catalog, tier))
}

/// Does one step as a part of a transaction; what there is to say about it.
async fn perform(tx: &mut Tx<'_>, actor: &Actor, work: &Work, step: Step) -> Result<(Vec<Line>, Counts)> {
    tx.take_time().await?;
    let mut names = Names::default();
    match step {
        Step::Files => Ok((work.catalog.lines.clone(), Counts::default())),
        Step::Team(index) => {
            let team = &work.catalog.teams[index];
            sqlx::query!("select id from teams where slug = $1 for no key update", team.slug)
                .fetch_optional(&mut **tx)
                .await?;
            work.name_team(index, &mut names);
            let world = World::load(tx, &names).await?;
            let Decision { slug, write, said, lines, counts } = decide::team(&world, &work.catalog, team);
            if let Some((name, members)) = write {
                teams::put_in(tx, &slug, Expected::Any, &name, Some(&members)).await?;
            }
            if let Some(said) = said {
                let now = tx.now().to_sqlx();
                sqlx::query!(
                    "insert into team_imports (team_id, source, said, said_at)
                     select id, $2, $3, $4 from teams where slug = $1
                     on conflict (team_id) do update
                        set source = excluded.source, said = excluded.said, said_at = excluded.said_at",
                    slug,
                    work.catalog.source(&team.place),
                    serde_json::to_value(said)?,
                    now,
                )
                .execute(&mut **tx)
                .await?;
            }
            Ok((lines, counts))
        }
        Step::Service(index) | Step::Needs(index) => {
            let service = &work.catalog.services[index];
            sqlx::query!(
                "select id from services
                  where slug = $1 or id = (select service_id from service_former_slugs where slug = $1)
                    for no key update",
                service.slug,
            )
            .fetch_optional(&mut **tx)
            .await?;
            work.name_service(index, &mut names);
            let world = World::load(tx, &names).await?;
            let last = matches!(step, Step::Needs(_));
            let Decision { slug, write, said, lines, counts } = decide::service(&world, work, service, last);
            if let Some(content) = write {
                let content = Content::check(input(content))?;
                put_content(tx, actor, &slug, Expected::Any, content).await?;
            }
            if let Some(said) = said {
                let now = tx.now().to_sqlx();
                sqlx::query!(
                    "insert into service_imports (service_id, source, said, said_at)
                     select id, $2, $3, $4 from services where slug = $1
                     on conflict (service_id) do update
                        set source = excluded.source, said = excluded.said, said_at = excluded.said_at",
                    slug,
                    work.catalog.source(&service.place),
                    serde_json::to_value(said)?,
                    now,
                )
                .execute(&mut **tx)
                .await?;
            }
            Ok((lines, counts))
        }
        Step::Missing => Ok((missing(tx, &work.catalog).await?, Counts::default())),
    }
}

/// A step that was refused, as a line. What time mends, and what is our own mistake, is an error.
fn refused(work: &Work, step: Step, error: Error) -> Result<Line> {
    let refusal = match error {
        Error::Refused(refusal) if !matches!(refusal, Refusal::Busy { .. } | Refusal::OutcomeUnknown) => refusal,
        error => return Err(error),
    };
    let place = match step {
        Step::Team(index) => work.catalog.teams[index].place.clone(),
        Step::Service(index) | Step::Needs(index) => work.catalog.services[index].place.clone(),
        Step::Files | Step::Missing => Place::default(),
    };
    Ok(catalog::line(Outcome::Refused, place, "entry", work.subject(step), refusal.to_string()))
}

/// What came from these files once and is no longer in them.
async fn missing(connection: &mut PgConnection, catalog: &Catalog) -> Result<Vec<Line>> {
    let services: Vec<String> = catalog.services.iter().map(|service| service.slug.clone()).collect();
    let teams: Vec<String> = catalog.teams.iter().map(|team| team.slug.clone()).collect();
    let sources = catalog.sources();
    let gone = sqlx::query!(
        r#"select 'service' as "sort!", slug as "slug!", source as "source!"
             from service_imports join services on services.id = service_id
            where source = any($1) and archived_at is null and slug <> all($2)
              and not exists (select from service_former_slugs as former
                               where former.service_id = services.id and former.slug = any($2))
           union all
           select 'team', slug, source from team_imports join teams on teams.id = team_id
            where source = any($1) and archived_at is null and slug <> all($3)
            order by 1, 2"#,
        &sources,
        &services,
        &teams,
    )
    .fetch_all(connection)
    .await?;
    let line = |sort: &str, slug: &str, source: &str| {
        let message = format!("This {sort} is no longer in the file; it stays as it is.");
        let place = Place { file: catalog.file(source).to_owned(), line: 0 };
        catalog::line(Outcome::Kept, place, &format!("missing {sort}"), slug, message)
    };
    Ok(gone.into_iter().map(|row| line(&row.sort, &row.slug, &row.source)).collect())
}

fn input(content: Content) -> ServiceInput {
    let Content { name, tier, team, description, depends_on, links, labels } = content;
    let links: Vec<Link> = links;
    ServiceInput { name, tier: i64::from(tier.number()), team, description, depends_on, links, labels }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
