//! Real documents: 648 RFCs and 20 histories, where the corpora stand beside the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::safety_tests::check_safe;
use super::tests::check_runs;
use super::*;

/// The folder of corpora: `../shared/corpora` beside the repository, or beside the folder of its worktrees.
pub(in crate::rfcs) fn corpora() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("shared/corpora")).find(|folder| folder.is_dir())
}

fn markdown_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            markdown_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
}

/// What rendering some documents came to.
#[derive(Debug, Default)]
struct Tally {
    documents: usize,
    blocks: usize,
    /// UTF-16 units shown, and those of them that stand verbatim in the source.
    units: usize,
    verbatim: usize,
    /// Blocks shown as their source, and blocks that can only be taken whole.
    plain: usize,
    whole: usize,
    took: Duration,
    slowest: (Duration, PathBuf),
}

impl Tally {
    fn add(&mut self, file: &Path) {
        let body = fs::read_to_string(file).unwrap().replace("\r\n", "\n");
        let begun = Instant::now();
        let rendered = render(&body);
        let took = begun.elapsed();
        self.took += took;
        self.slowest = std::mem::take(&mut self.slowest).max((took, file.to_owned()));
        let (units, verbatim) = check_runs(&body, &rendered);
        self.documents += 1;
        self.blocks += rendered.blocks.len();
        self.units += units;
        self.verbatim += verbatim;
        for block in &rendered.blocks {
            check_safe(&block.html, true);
            self.plain += usize::from(block.kind == BlockKind::Plain);
            self.whole += usize::from(block.runs.starts_with(&format!("{}-{}+", block.start, block.end)));
        }
    }

    fn of(files: impl Iterator<Item = PathBuf>) -> Self {
        let mut tally = Self::default();
        files.for_each(|file| tally.add(&file));
        tally
    }

    fn plus(self, other: Self) -> Self {
        Self {
            documents: self.documents + other.documents,
            blocks: self.blocks + other.blocks,
            units: self.units + other.units,
            verbatim: self.verbatim + other.verbatim,
            plain: self.plain + other.plain,
            whole: self.whole + other.whole,
            took: self.took + other.took,
            slowest: self.slowest.max(other.slowest),
        }
    }
}

#[test]
fn every_document_of_the_corpora_renders_safely_with_true_runs() {
    let Some(corpora) = corpora() else { return eprintln!("skipped: corpora not beside the repo") };
    let folder = std::env::temp_dir().join(format!("plumbline-corpora-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let tar =
        Command::new("tar").arg("-xJf").arg(corpora.join("rust-rfcs-text.tar.xz")).arg("-C").arg(&folder).status();
    assert!(tar.is_ok_and(|status| status.success()), "tar with xz unpacks the corpus");
    let mut files = Vec::new();
    markdown_below(&folder, &mut files);
    assert_eq!(files.len(), 648);
    // Of each history the newest revision: those before differ from it in a few lines.
    for history in fs::read_dir(corpora.join("rfc-histories")).unwrap().map(|entry| entry.unwrap().path()) {
        let mut revisions = Vec::new();
        markdown_below(&history, &mut revisions);
        files.extend(revisions.pop());
    }
    assert_eq!(files.len(), 668);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tally = std::thread::scope(|scope| {
        let part = |offset: usize| files.iter().skip(offset).step_by(threads).cloned();
        let running: Vec<_> = (0..threads).map(|offset| scope.spawn(move || Tally::of(part(offset)))).collect();
        running.into_iter().map(|part| part.join().unwrap()).fold(Tally::default(), Tally::plus)
    });
    fs::remove_dir_all(&folder).unwrap();
    println!("{tally:#?}");
    assert_eq!(tally.documents, 668);
    assert_eq!(tally.plain, 0, "no real document is nested too deeply");
    assert!(tally.verbatim * 1000 > tally.units * 999, "nearly every word can be commented on");
}
