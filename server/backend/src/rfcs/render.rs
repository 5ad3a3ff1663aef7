//! Markdown to HTML: what an RFC or a comment looks like.
//!
//! `pulldown-cmark` parses, [`blocks`] walks its events and writes HTML that is balanced by construction (raw HTML of
//! the author included, see [`raw_html`]), [`highlight`] colours code, and [`sanitise`] passes every block through an
//! allowlist as the last step. Everything here is pure: the same text gives the same [`Rendered`], which is why it is
//! kept per revision in `rfc_renderings` under [`RENDERER_VERSION`].
//!
//! # How a page shows it
//! One `<div class="block" id="…" data-start="…" data-end="…" data-runs="…">html</div>` per [`Block`], in order, with
//! the block's threads beside it. Ids in the page: `b-…` a block, `h-…` a heading, `fn-…` and `fnref-…` footnotes,
//! `user-content-…` what the author named. Nothing else of the page may begin like these.
//!
//! # From a selection to the source: [`Block::runs`]
//! Take the concatenated text of the block's text nodes in document order (the DOM's `textContent` of the block's
//! element, every element included), counted in UTF-16 units. The runs describe that text from its first unit to its
//! last without a hole, separated by spaces:
//!
//! | run | meaning |
//! |---|---|
//! | `S+N` | the next N units stand word for word in the source from byte S on: byte = S + UTF-8 length of the text before |
//! | `S-E+N` | the next N units stand for the source bytes S..E as one piece (an entity, an expanded tab, a footnote mark): a selection takes it whole |
//! | `+N` | the next N units have no source (a label, the arrow of a footnote): skip them |
//!
//! All offsets are byte offsets in the revision's body. A selection that begins between two runs begins at the run
//! after; one that ends there ends at the run before. What lies between two runs in the source (markup) belongs to
//! neither, so that a selected bold word does not take its asterisks along.

mod blocks;
pub(crate) mod front_matter;
mod highlight;
mod linkify;
mod mapped;
mod outline;
mod plain;
mod raw_html;
mod sanitise;
mod writer;

#[cfg(test)]
pub(in crate::rfcs) mod corpora_tests;
#[cfg(test)]
mod safety_tests;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use corpora_tests::corpora;

use std::ops::Range;

pub use plain::plain;
use serde::{Deserialize, Serialize};

/// Names what [`render`] makes. Raised with every change of its output, so that kept renderings are made anew.
pub const RENDERER_VERSION: i32 = 3;

/// A rendered document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// The top-level blocks in the order they are shown: document order, then the footnotes.
    pub blocks: Vec<Block>,
    /// The top-level headings in document order.
    pub toc: Vec<TocEntry>,
}

/// A top-level block: the unit beside which threads are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// `b-` and a hash of the block's source, with its occurrence number when the same text comes again: a link to it
    /// survives changes elsewhere in the document.
    pub id: String,
    /// First byte of the block in the source.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// What it is.
    pub kind: BlockKind,
    /// Sanitised, balanced HTML.
    pub html: String,
    /// Where each piece of its text comes from; the format is in the module's documentation.
    pub runs: String,
    /// The id inside `html` when the block is a heading.
    pub heading: Option<String>,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading.
    Heading,
    /// A paragraph.
    Paragraph,
    /// A bulleted, numbered or task list.
    List,
    /// A fenced or indented code block.
    Code,
    /// A table.
    Table,
    /// A block quote or an alert.
    Quote,
    /// Raw HTML, with the Markdown between its tags.
    Html,
    /// A paragraph of nothing but images.
    Image,
    /// A footnote's text.
    Footnote,
    /// A thematic break.
    Rule,
    /// The `---` lines at the top of the document.
    FrontMatter,
    /// Nested too deeply to be formatted: shown as its source.
    Plain,
}

/// A line of the table of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TocEntry {
    /// 1 to 6, as written in the source (in the HTML the document's highest headings are `h2`, below the page's own title).
    pub level: u8,
    /// The heading's text without markup.
    pub text: String,
    /// The heading's id in the page.
    pub id: String,
}

impl Rendered {
    /// All blocks as one piece of HTML, for readers that need no threads (the API's `html`).
    pub fn html(&self) -> String {
        self.blocks.iter().flat_map(|block| [block.html.as_str(), "\n"]).collect()
    }
}

/// Renders a document. Never fails: what cannot be formatted is shown as its source.
pub fn render(body: &str) -> Rendered {
    blocks::document(body)
}

/// Renders a comment: as [`render`], but with neither ids nor front matter nor footnotes, because a page shows many.
pub fn render_comment(body: &str) -> String {
    blocks::comment(body)
}

/// The index of the first block, in the order shown, that overlaps the source range; else of the block that ends
/// nearest before it, else of the first. `None` only when there is no block.
pub fn block_at(rendered: &Rendered, range: Range<usize>) -> Option<usize> {
    let end = range.end.max(range.start + 1);
    let overlapping = rendered.blocks.iter().position(|block| block.start < end && range.start < block.end);
    overlapping.or_else(|| {
        let before = rendered.blocks.iter().enumerate().filter(|(_, block)| block.end <= range.start);
        let nearest = before.max_by_key(|(index, block)| (block.end, std::cmp::Reverse(*index)));
        nearest.map(|(index, _)| index).or(if rendered.blocks.is_empty() { None } else { Some(0) })
    })
}
