//! What changed between two texts: lines first, then words inside the changed lines.
//!
//! Two readers: [`Mapping`] carries positions from the old text to the new one (anchors), and [`Diff::hunks`] is what a
//! diff view shows. Lines are compared with the histogram algorithm; only the lines that differ are compared word by
//! word, because a word diff of whole documents is slow and matches words that have nothing to do with each other.

mod align;
mod words;

use std::ops::Range;

use imara_diff::{Algorithm, Diff as Edits, InternedInput};

pub(crate) use words::words;

/// The histogram algorithm takes time that grows with the square of the lines when they repeat or alternate. More lines
/// than this on both sides together, several times what the longest real RFCs have, are compared otherwise.
const MOST_LINES: usize = 20_000;

/// A stretch of text found byte for byte in both texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Where it starts in the old text, in bytes.
    pub old: usize,
    /// Where it starts in the new text, in bytes.
    pub new: usize,
    /// Its length in bytes.
    pub len: usize,
}

impl Kept {
    fn old_end(self) -> usize {
        self.old + self.len
    }

    /// Where it ends in the new text, in bytes.
    pub fn new_end(self) -> usize {
        self.new + self.len
    }
}

/// Lines that were replaced, added or removed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The bytes of the lines removed from the old text; empty for an addition.
    pub old: Range<usize>,
    /// The bytes of the lines added to the new text; empty for a removal.
    pub new: Range<usize>,
    /// The words both sides share, in order, in bytes of the whole texts.
    pub kept: Vec<Kept>,
}

/// The difference between two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    hunks: Vec<Hunk>,
    old_len: usize,
}

impl Diff {
    /// Compares two texts. Deterministic; roughly linear in their size, whatever they contain.
    pub fn between(old: &str, new: &str) -> Self {
        let (old_lines, new_lines) = (line_starts(old), line_starts(new));
        let mut hunks: Vec<Hunk> = Vec::new();
        for (old_changed, new_changed) in changed_lines(&InternedInput::new(old, new)) {
            let old_bytes = old_lines[old_changed.start]..old_lines[old_changed.end];
            let new_bytes = new_lines[new_changed.start]..new_lines[new_changed.end];
            let kept = words::shared(old, old_bytes.clone(), new, new_bytes.clone());
            hunks.push(Hunk { old: old_bytes, new: new_bytes, kept });
        }
        Self { hunks, old_len: old.len() }
    }

    /// The changed lines, in order; what lies between two hunks is the same on both sides.
    pub fn hunks(&self) -> &[Hunk] {
        &self.hunks
    }
}

/// Where each byte of an old text is in a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// In order on both sides.
    kept: Vec<Kept>,
}

impl Mapping {
    /// Compares two texts, see [`Diff::between`].
    pub fn between(old: &str, new: &str) -> Self {
        let diff = Diff::between(old, new);
        let mut kept = Vec::new();
        let (mut old_at, mut new_at) = (0, 0);
        for hunk in &diff.hunks {
            push(&mut kept, Kept { old: old_at, new: new_at, len: hunk.old.start - old_at });
            hunk.kept.iter().for_each(|&run| push(&mut kept, run));
            (old_at, new_at) = (hunk.old.end, hunk.new.end);
        }
        push(&mut kept, Kept { old: old_at, new: new_at, len: diff.old_len - old_at });
        Self { kept }
    }

    /// What is left of a range of the old text, in order.
    pub fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = Kept> + '_ {
        let first = self.kept.partition_point(|run| run.old_end() <= range.start);
        self.kept[first..].iter().take_while(move |run| run.old < range.end).map(move |run| {
            let start = run.old.max(range.start);
            Kept { old: start, new: run.new + (start - run.old), len: run.old_end().min(range.end) - start }
        })
    }

    /// How many bytes both texts share.
    pub fn kept_bytes(&self) -> usize {
        self.kept.iter().map(|run| run.len).sum()
    }
}

/// The lines that differ, old and new, in order.
fn changed_lines(input: &InternedInput<&str>) -> Vec<(Range<usize>, Range<usize>)> {
    if input.before.len() + input.after.len() <= MOST_LINES {
        let edits = Edits::compute(Algorithm::Histogram, input);
        let wide = |lines: Range<u32>| lines.start as usize..lines.end as usize;
        return edits.hunks().map(|hunk| (wide(hunk.before), wide(hunk.after))).collect();
    }
    let mut changed = Vec::new();
    let (mut old, mut new) = (0, 0);
    let end = align::Block { old: input.before.len(), new: input.after.len(), len: 0 };
    for block in align::blocks(input).into_iter().chain([end]) {
        if old < block.old || new < block.new {
            changed.push((old..block.old, new..block.new));
        }
        (old, new) = (block.old + block.len, block.new + block.len);
    }
    changed
}

/// Adds a run, joined to the last one if they touch on both sides.
fn push(runs: &mut Vec<Kept>, run: Kept) {
    match runs.last_mut() {
        _ if run.len == 0 => {}
        Some(last) if last.old_end() == run.old && last.new_end() == run.new => last.len += run.len,
        _ => runs.push(run),
    }
}

/// The first byte of each line, and the end of the text.
fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}
