//! How well threads survive on real review histories: `cargo xtask bench anchors DIR`.
//!
//! `DIR` holds a folder for each document: its revisions `0001.md …` and `anchors.json`, a list of quotes with the
//! revision and bytes where a thread is opened, and what became of them in the last revision. Every thread is opened
//! where its quote says, then the later revisions are published one by one through [`Publication::carry`], the function
//! that the product calls. Judged is the place in the last revision: right if it overlaps the true one by half
//! (intersection over union), wrong if not, lost if there is none. A suggestion waits for a person: it counts as no place.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::rfc::anchor::{Anchor, AnchorState, Origin, Publication, Span};
use serde::Deserialize;

use crate::Outcome;

/// The bars, set for the 1,299 surviving and 117 deleted quotes of the corpus; shares, so that they hold for any other.
const RIGHT_AT_LEAST: Share = Share(994, 1000);
const WRONG_AT_MOST: Share = Share(2, 1299);
const DELETED_ANCHORED_AT_MOST: Share = Share(7, 117);

/// One line of `anchors.json`.
#[derive(Debug, Deserialize)]
struct Quote {
    /// The revision in which the thread is opened, from 1.
    revision: usize,
    start: usize,
    end: usize,
    #[serde(flatten)]
    fate: Fate,
}

/// What became of a quote by the last revision.
#[derive(Debug, Deserialize)]
#[serde(tag = "truth", rename_all = "snake_case")]
enum Fate {
    Survived { at: (usize, usize) },
    Deleted,
}

/// One document: its revisions and quotes.
struct History {
    name: String,
    bodies: Vec<String>,
    quotes: Vec<Quote>,
}

/// What was counted.
#[derive(Debug, Default)]
struct Tally {
    survived: usize,
    right: usize,
    wrong: usize,
    lost: usize,
    /// Of the lost ones: the true place is suggested.
    suggested: usize,
    deleted: usize,
    deleted_anchored: usize,
    deleted_suggested: usize,
    /// Threads without an answer, or with one that is not a place in the text.
    missing: usize,
    times: Vec<Duration>,
}

/// Measures, prints, and refuses when a bar is missed.
pub fn run(folder: &Path) -> Outcome {
    let histories = read(folder)?;
    let mut tally = Tally::default();
    for history in &histories {
        tally.add(history);
    }
    println!("\n{} histories, {} publications\n{tally}", histories.len(), tally.times.len());
    let bars = [
        (Share(tally.right, tally.survived).at_least(RIGHT_AT_LEAST), format!("right ≥ {RIGHT_AT_LEAST}")),
        (Share(tally.wrong, tally.survived).at_most(WRONG_AT_MOST), format!("wrong ≤ {WRONG_AT_MOST}")),
        (
            Share(tally.deleted_anchored, tally.deleted).at_most(DELETED_ANCHORED_AT_MOST),
            format!("deleted but anchored ≤ {DELETED_ANCHORED_AT_MOST}"),
        ),
        (tally.missing == 0, "missing = 0".to_owned()),
    ];
    for (met, bar) in &bars {
        println!("{} {bar}", if *met { "met   " } else { "MISSED" });
    }
    if bars.iter().all(|(met, _)| *met) { Ok(()) } else { Err("a bar is missed".into()) }
}

fn read(folder: &Path) -> Outcome<Vec<History>> {
    let unreadable = |path: &Path, error: &dyn fmt::Display| format!("cannot read {}: {error}", path.display());
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("anchors.json").is_file())
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(format!("no folder with an anchors.json in {}", folder.display()));
    }
    let mut histories = Vec::with_capacity(paths.len());
    for path in paths {
        let mut bodies = Vec::new();
        loop {
            let file = path.join(format!("{:04}.md", bodies.len() + 1));
            if !file.is_file() {
                break;
            }
            bodies.push(fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?.replace("\r\n", "\n"));
        }
        let file = path.join("anchors.json");
        let json = fs::read(&file).map_err(|error| unreadable(&file, &error))?;
        let quotes = serde_json::from_slice(&json).map_err(|error| unreadable(&file, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        histories.push(History { name, bodies, quotes });
    }
    Ok(histories)
}

impl Tally {
    /// Publishes a history and judges where its threads ended.
    fn add(&mut self, history: &History) {
        let anchors = self.publish(history);
        let last = history.bodies.last().map_or("", String::as_str);
        for (quote, anchor) in history.quotes.iter().zip(anchors) {
            let sound = |span: Span| Span::checked(span.start, span.end, last).is_some();
            let Some(anchor) = anchor.filter(|anchor| match anchor.span {
                Some(span) => sound(span),
                None => anchor.state == AnchorState::Orphaned,
            }) else {
                self.missing += 1;
                println!(
                    "{:>20} {}: revision {}, bytes {}–{}",
                    "missing", history.name, quote.revision, quote.start, quote.end
                );
                continue;
            };
            if let Some(verdict) = self.judge(&quote.fate, &anchor) {
                let place = anchor.span.map_or("nowhere".to_owned(), |span| format!("at {}–{}", span.start, span.end));
                println!(
                    "{verdict:>20} {}: revision {}, bytes {}–{} {place}",
                    history.name, quote.revision, quote.start, quote.end
                );
            }
        }
    }

    /// Opens each thread in its revision and carries it to the last one.
    fn publish(&mut self, history: &History) -> Vec<Option<Anchor>> {
        let mut threads: Vec<Option<(Origin<'_>, Anchor)>> = vec![None; history.quotes.len()];
        for (number, body) in (1usize..).zip(&history.bodies) {
            if let Some(previous) = number.checked_sub(2).and_then(|at| history.bodies.get(at)) {
                let begun = Instant::now();
                let publication = Publication::new(previous, body);
                for (origin, anchor) in threads.iter_mut().flatten() {
                    *anchor = publication.carry(origin, anchor);
                }
                self.times.push(begun.elapsed());
            }
            for (thread, quote) in threads.iter_mut().zip(&history.quotes) {
                if quote.revision == number {
                    *thread = Span::checked(quote.start, quote.end, body)
                        .map(|span| (Origin { body, span }, Anchor::selected(span)));
                }
            }
        }
        threads.into_iter().map(|thread| thread.map(|(_, anchor)| anchor)).collect()
    }

    /// Counts one thread; what is not as it should be has a name.
    fn judge(&mut self, fate: &Fate, anchor: &Anchor) -> Option<&'static str> {
        let place = anchor.span.filter(|_| anchor.state.is_anchored());
        let overlaps = |at: (usize, usize), span: Span| {
            let both = span.end.min(at.1).saturating_sub(span.start.max(at.0));
            2 * both >= span.len() + (at.1 - at.0) - both
        };
        match *fate {
            Fate::Survived { at } => {
                self.survived += 1;
                match place {
                    Some(span) if overlaps(at, span) => {
                        self.right += 1;
                        None
                    }
                    Some(_) => {
                        self.wrong += 1;
                        Some("wrong")
                    }
                    None => {
                        self.lost += 1;
                        self.suggested += usize::from(anchor.span.is_some_and(|span| overlaps(at, span)));
                        Some("lost")
                    }
                }
            }
            Fate::Deleted => {
                self.deleted += 1;
                self.deleted_suggested += usize::from(anchor.state == AnchorState::Suggested);
                self.deleted_anchored += usize::from(place.is_some());
                place.map(|_| "deleted but anchored")
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, part: usize, whole: usize| writeln!(f, "{name:<32} {}", Share(part, whole));
        line("right", self.right, self.survived)?;
        line("wrong", self.wrong, self.survived)?;
        line("lost", self.lost, self.survived)?;
        line("  of these: rightly suggested", self.suggested, self.survived)?;
        line("deleted but anchored", self.deleted_anchored, self.deleted)?;
        line("  besides: suggested", self.deleted_suggested, self.deleted)?;
        line("threads missing", self.missing, self.survived + self.deleted + self.missing)?;
        let mut times = self.times.clone();
        times.sort_unstable();
        let milliseconds = |time: Option<&Duration>| time.copied().unwrap_or_default().as_secs_f64() * 1000.0;
        let (median, longest) = (milliseconds(times.get(times.len() / 2)), milliseconds(times.last()));
        let build = if cfg!(debug_assertions) { " (debug build)" } else { "" };
        writeln!(f, "one publication, all its threads {median:>7.1} ms median, {longest:.1} ms at most{build}")
    }
}

/// So many of so many.
#[derive(Debug, Clone, Copy)]
struct Share(usize, usize);

impl Share {
    fn at_least(self, bar: Self) -> bool {
        self.0 * bar.1 >= bar.0 * self.1
    }

    fn at_most(self, bar: Self) -> bool {
        self.0 * bar.1 <= bar.0 * self.1
    }
}

impl fmt::Display for Share {
    #[expect(clippy::cast_precision_loss, reason = "counts of threads")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.0 as f64 / self.1.max(1) as f64;
        write!(f, "{:>6} of {:>6} = {percent:.2} %", self.0, self.1)
    }
}
