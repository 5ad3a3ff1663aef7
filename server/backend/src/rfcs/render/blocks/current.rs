//! The block being written, and what it comes to.

use std::ops::Range;

use crate::rfcs::render::mapped::Mapped;
use crate::rfcs::render::sanitise::{sanitise, text_of};
use crate::rfcs::render::writer::{Writer, Written};
use crate::rfcs::render::{Block, BlockKind};

/// The block being written.
#[derive(Debug, Default)]
pub(super) struct Current {
    pub(super) writer: Writer,
    pub(super) block: Option<(BlockKind, Range<usize>)>,
    pub(super) heading: Option<String>,
}

impl Current {
    /// Sanitises what was written. `None` when nothing was: a comment, say.
    pub(super) fn into_block(self, source: &str) -> Option<Block> {
        let (kind, range) = self.block?;
        let (start, end) = trimmed(source, range);
        let mut block =
            Block { id: String::new(), start, end, kind, html: String::new(), runs: String::new(), heading: None };
        let mut written = self.writer.finish();
        if written.too_deep {
            block.kind = BlockKind::Plain;
            written = plain(source, start..end);
        } else {
            block.heading = self.heading;
        }
        block.html = sanitise(&written.html);
        block.runs = written.runs;
        let shown = text_of(&block.html);
        if shown != written.text {
            // HTML that browsers rearrange (text directly in a table): the block can only be taken whole.
            let units: usize = shown.chars().map(char::len_utf16).sum();
            block.runs = format!("{start}-{end}+{units}");
        }
        (!block.html.trim().is_empty()).then_some(block)
    }
}

/// A block that cannot be formatted, as its source.
fn plain(source: &str, range: Range<usize>) -> Written {
    let mut writer = Writer::default();
    writer.begin();
    writer.open("p", &[("class", "md-note")]);
    writer.generated("This part is nested too deeply to be formatted. Its source:");
    writer.end();
    let mut text = Mapped::default();
    text.push(source, &source[range.clone()], range);
    writer.begin();
    writer.open("pre", &[("class", "md-plain"), ("tabindex", "0")]);
    writer.text(&text, 0..text.as_str().len());
    writer.end();
    writer.finish()
}

/// A block's range from the beginning of its first line, without the white space at its end.
fn trimmed(source: &str, range: Range<usize>) -> (usize, usize) {
    let slice = &source[range.clone()];
    let start = range.start + (slice.len() - slice.trim_start().len());
    let end = (range.start + slice.trim_end().len()).max(start);
    let line = source[..start].rfind('\n').map_or(0, |at| at + 1);
    (if source[line..start].trim().is_empty() { line } else { start }, end)
}
