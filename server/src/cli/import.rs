//! `plumbline import …`: documents from files.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use backend::imports::{Line, Outcome};
use backend::incidents::import as incidents;
use backend::rfcs::import as rfcs;
use backend::services::import::{self as catalog, Catalog, Report};
use backend::{Backend, accounts};
use clap::{Args, Subcommand};
use domain::Actor;
use domain::rfc::Status;
use domain::service::Tier;

use super::CliError;
use super::progress::Progress;
use crate::config::Config;

/// What can be imported.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// RFCs from a directory of Markdown files
    Rfcs {
        /// A directory of `.md` files; a folder `<slug>/0001.md …` becomes one RFC with that many revisions
        dir: PathBuf,
        /// E-mail address of the person who becomes the author
        #[arg(long = "as", value_name = "EMAIL")]
        author: String,
        /// Status of new RFCs
        #[arg(long, default_value = "in_review")]
        status: String,
    },
    /// Services and teams from Backstage's catalog-info.yaml or a runbook-style service-catalog.yml
    Catalog {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Tier of new services of which the files say none: 1, 2 or 3
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i64).range(1..=3))]
        tier: i64,
        /// Print the differences and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Incidents from CSV or JSON
    Incidents(IncidentsArgs),
}

/// How a file of incidents is to be read.
#[derive(Debug, Args)]
pub struct IncidentsArgs {
    /// The file: CSV with a line of headings, a JSON list, or one JSON object a line
    file: PathBuf,
    /// What a column is, by its heading or as #3: for example `Opened=started_at` or `Owner=ignore`
    #[arg(long = "map", value_name = "COLUMN=FIELD")]
    map: Vec<String>,
    /// Zone of times that name none, for example Europe/Berlin (default: `PLUMBLINE_TIME_ZONE`)
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Which comes first in 03/11/2026: day-first or month-first (default: what the file's other dates tell)
    #[arg(long, value_name = "ORDER")]
    dates: Option<String>,
    /// Severity of incidents whose row says none: 1, 2, 3 or 4 (default: such rows are refused)
    #[arg(long, value_name = "NUMBER")]
    severity: Option<String>,
    /// Where they come from; two sources may give the same id to different incidents
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Print what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs one of them; fails when something was refused or it was stopped, after importing what could be.
pub async fn run(config: &Config, command: ImportCommand) -> Result<ExitCode, CliError> {
    match command {
        ImportCommand::Rfcs { dir, author, status } => import_rfcs(config, &dir, &author, &status).await,
        ImportCommand::Catalog { files, tier, dry_run } => import_catalog(config, &files, tier, dry_run).await,
        ImportCommand::Incidents(args) => import_incidents(config, &args).await,
    }
}

async fn import_rfcs(config: &Config, dir: &Path, author: &str, status: &str) -> Result<ExitCode, CliError> {
    let status = Status::parse("status", status).map_err(backend::Error::from)?;
    if !dir.is_dir() {
        return Err(CliError::Message(format!("{} is not a folder", dir.display())));
    }
    let bar = Progress::counted();
    let summary = super::with_backend(config, async |backend| {
        let actor = accounts::actor_by_email(&backend, author).await?;
        let show = |at: rfcs::Progress<'_>| bar.at(at.done as u64, at.of as u64, at.slug);
        let work = rfcs::import(&backend, &actor, dir, status, show);
        Ok(bar.during(work).await.transpose()?)
    })
    .await?;
    let Some(summary) = summary else { return dropped() };
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{} new, {} with new revisions, {} unchanged, {} revisions added, {} refused",
        summary.created,
        summary.revised,
        summary.unchanged,
        summary.revisions,
        summary.refused.len()
    )?;
    for refused in &summary.refused {
        writeln!(out, "refused {}: {}", refused.path, refused.reason)?;
    }
    stopped(summary.interrupted)?;
    Ok(code(summary.refused.is_empty() && !summary.interrupted))
}

/// The operator's own work: nobody is recorded as its actor but the product itself.
async fn import_catalog(config: &Config, files: &[PathBuf], tier: i64, dry_run: bool) -> Result<ExitCode, CliError> {
    let tier = Tier::parse(tier).map_err(backend::Error::from)?;
    let catalog = read(files)?;
    let bar = Progress::counted();
    let report = super::with_backend(config, async |backend: Backend| {
        let backend = backend.for_request("import-catalog", None);
        let actor = Actor::operator();
        if dry_run {
            return Ok(Some(catalog::plan(&backend, &actor, catalog, tier).await?));
        }
        let show = |at: catalog::Progress<'_>| bar.at(at.done.unsigned_abs(), at.of.unsigned_abs(), at.subject);
        let work = catalog::apply(&backend, &actor, catalog, tier, show);
        Ok(bar.during(work).await.transpose()?)
    })
    .await?;
    let Some(report) = report else { return dropped() };
    print(&report, dry_run)?;
    stopped(report.interrupted)?;
    Ok(code(report.refused() == 0 && !report.interrupted))
}

/// The operator's own work, too.
async fn import_incidents(config: &Config, args: &IncidentsArgs) -> Result<ExitCode, CliError> {
    let words = [("zone", &args.zone), ("dates", &args.dates), ("severity", &args.severity), ("source", &args.source)];
    let mut options: serde_json::Map<String, serde_json::Value> =
        words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word.clone()?.into()))).collect();
    options.insert("map".to_owned(), args.map.join("\n").into());
    if !args.file.is_file() {
        return Err(CliError::Message(format!("{} is not a file", args.file.display())));
    }
    let bar = Progress::counted();
    let report = super::with_backend(config, async |backend: Backend| {
        let backend = backend.for_request("import-incidents", None);
        let options = incidents::Options::parse(&backend, &options).map_err(backend::Error::from)?;
        let show = |at: incidents::Progress| bar.at(at.done.unsigned_abs(), at.of.unsigned_abs(), "rows");
        let operator = Actor::operator();
        let work = incidents::import(&backend, &operator, &args.file, &options, args.dry_run, show);
        Ok(bar.during(work).await.transpose()?)
    })
    .await?;
    let Some(report) = report else { return dropped() };
    let mut out = std::io::stdout().lock();
    let counts = &report.counts;
    if args.dry_run {
        writeln!(out, "dry run: nothing was changed")?;
    }
    writeln!(
        out,
        "incidents: {} new, {} changed, {} unchanged, {} rows refused",
        counts.of("new incident"),
        counts.of("changed incident"),
        counts.of("unchanged incident"),
        report.refused(),
    )?;
    // What is new needs no line of its own: there may be thousands.
    for line in report.lines.iter().filter(|line| line.outcome != Outcome::New) {
        writeln!(out, "{}", sentence(line))?;
    }
    drop(out);
    stopped(report.interrupted)?;
    Ok(code(report.refused() == 0 && !report.interrupted))
}

/// The files. One that cannot be opened is a mistake of the command line: nothing is done.
fn read(files: &[PathBuf]) -> Result<Catalog, CliError> {
    let mut catalog = Catalog::default();
    for path in files {
        let name = path.display().to_string();
        let name = name.trim_start_matches("./").to_owned();
        let bytes =
            std::fs::read(path).map_err(|error| CliError::Message(format!("{name} cannot be read: {error}")))?;
        // The same file from wherever the command is called.
        let whole = std::fs::canonicalize(path).map_or_else(|_| name.clone(), |whole| whole.display().to_string());
        catalog.add_from(&name, &whole, &bytes);
    }
    catalog.close();
    Ok(catalog)
}

/// The summary, then every line there is to say.
fn print(report: &Report, dry_run: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let counts = &report.counts;
    let sorts = |outcome: Outcome, sort: &str| counts.of(&format!("{} {sort}", outcome.as_str()));
    if dry_run {
        writeln!(out, "dry run: nothing was changed")?;
    }
    writeln!(
        out,
        "services: {} new, {} changed, {} unchanged",
        sorts(Outcome::New, "service"),
        sorts(Outcome::Changed, "service"),
        counts.of("unchanged service"),
    )?;
    writeln!(
        out,
        "teams: {} new, {} changed, {} unchanged",
        sorts(Outcome::New, "team"),
        sorts(Outcome::Changed, "team"),
        counts.of("unchanged team"),
    )?;
    writeln!(
        out,
        "dependencies: {} made, {} reported",
        counts.of("counted dependency"),
        sorts(Outcome::Noted, "dependency"),
    )?;
    writeln!(
        out,
        "reported: {} repeated names, {} kept as they are here, {} refused, {} in all",
        sorts(Outcome::Noted, "repeated name"),
        counts.with(Outcome::Kept),
        report.refused(),
        counts.with(Outcome::Noted) + counts.with(Outcome::Kept) + report.refused(),
    )?;
    for line in &report.lines {
        writeln!(out, "{}", sentence(line))?;
    }
    Ok(())
}

/// `noted FILE:LINE dependency checkout: why`, then what differs.
fn sentence(line: &Line) -> String {
    let mut said = line.outcome.as_str().to_owned();
    if !line.place.file.is_empty() {
        let _ = write!(said, " {}", line.place.file);
        if line.place.line > 0 {
            let _ = write!(said, ":{}", line.place.line);
        }
    }
    let _ = write!(said, " {} {}", line.sort, line.subject);
    if !line.message.is_empty() {
        let _ = write!(said, ": {}", line.message);
    }
    for change in &line.changes {
        let _ = write!(said, "\n    {}: {} -> {}", change.field, change.before, change.after);
    }
    said
}

fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn stopped(interrupted: bool) -> std::io::Result<()> {
    if interrupted {
        writeln!(std::io::stdout(), "stopped before its end: what is listed is done; run it again to do the rest")?;
    }
    Ok(())
}

/// Whoever pressed Ctrl+C twice does not want to wait for the list.
fn dropped() -> Result<ExitCode, CliError> {
    writeln!(std::io::stdout(), "stopped: what was committed stays; run it again to do the rest")?;
    Ok(ExitCode::FAILURE)
}
