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
    markdown_below(&corpora.join("rfc-histories"), &mut files);
    let (mut shown, mut verbatim, mut blocks, mut whole, mut plain) = (0, 0, 0, 0, 0);
    let mut slowest = (Duration::ZERO, 0, PathBuf::new());
    let mut total = Duration::ZERO;
    let mut largest = (0, Duration::ZERO);
    for file in &files {
        let body = fs::read_to_string(file).unwrap().replace("\r\n", "\n");
        let begun = Instant::now();
        let rendered = render(&body);
        let took = begun.elapsed();
        total += took;
        slowest = slowest.max((took, body.len(), file.clone()));
        largest = largest.max((body.len(), took));
        let (units, kept) = check_runs(&body, &rendered);
        (shown, verbatim, blocks) = (shown + units, verbatim + kept, blocks + rendered.blocks.len());
        for block in &rendered.blocks {
            check_safe(&block.html, true);
            plain += usize::from(block.kind == BlockKind::Plain);
            whole += usize::from(
                block.runs == format!("{}-{}+{}", block.start, block.end, super::tests::text_units(&block.html).len()),
            );
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    println!(
        "{} documents, {blocks} blocks ({plain} shown as source, {whole} taken whole), {shown} units, {verbatim} verbatim",
        files.len()
    );
    println!("rendered in {total:?}; slowest {slowest:?}; largest {largest:?}");
    assert_eq!(plain, 0, "no real document is nested too deeply");
    assert!(verbatim * 1000 > shown * 990, "nearly all text can be commented on word by word");
}
