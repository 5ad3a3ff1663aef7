//! Writes one block: HTML that is always balanced, and the run table of its text.

use std::fmt::Write as _;
use std::ops::Range;

use super::mapped::{Mapped, Origin};

/// Elements inside each other beyond which a block is shown as its source. Real documents stay below twenty; what lies
/// far above only exists to make parsers slow.
pub(super) const MAX_DEPTH: usize = 64;

/// The longest text node, in bytes. The sanitiser's serialiser looks at the rest of a node after every character it
/// escapes, which takes quadratic time.
const MAX_NODE: usize = 16 * 1024;

/// An element that is open.
#[derive(Debug)]
struct Open {
    tag: &'static str,
    raw: Option<Raw>,
}

/// What is known of an element the author wrote as HTML.
#[derive(Debug)]
struct Raw {
    /// Its name in the author's text, by which its end tag finds it.
    name: &'static str,
    /// Its end tag comes somewhere later in the document.
    matched: bool,
    /// Its end tag came, inside a Markdown element that has to end first.
    ending: bool,
}

/// A stretch of the block's text with one origin.
#[derive(Debug)]
struct Run {
    /// Its length in UTF-16 units.
    units: usize,
    /// Its length in bytes.
    bytes: usize,
    origin: Origin,
}

/// One block in the making.
#[derive(Debug, Default)]
pub(super) struct Writer {
    html: String,
    text: String,
    runs: Vec<Run>,
    stack: Vec<Open>,
    /// For each open Markdown element, how many elements were open before it.
    marks: Vec<usize>,
    links: usize,
    /// The length of the text node being written.
    node: usize,
    /// A `pre` was opened and has nothing in it yet.
    fresh_pre: bool,
    too_deep: bool,
}

/// What a block came to.
#[derive(Debug)]
pub(super) struct Written {
    /// Balanced HTML, not yet sanitised.
    pub(super) html: String,
    /// Its text.
    pub(super) text: String,
    /// The run table, in the format of the parent module's documentation.
    pub(super) runs: String,
    /// It went beyond [`MAX_DEPTH`]: the rest is not worth showing.
    pub(super) too_deep: bool,
}

impl Writer {
    /// Begins a Markdown element: everything opened from here on ends with [`Writer::end`].
    pub(super) fn begin(&mut self) {
        self.marks.push(self.stack.len());
    }

    /// Ends the Markdown element begun last, with whatever is still open in it.
    pub(super) fn end(&mut self) {
        let mark = self.marks.pop().unwrap_or(0);
        self.close_to(mark);
        while self.stack.len() > self.mark() && self.stack.last().is_some_and(Open::is_ending) {
            self.close_to(self.stack.len() - 1);
        }
    }

    /// Opens an element of the renderer's own.
    pub(super) fn open(&mut self, tag: &'static str, attributes: &[(&str, &str)]) {
        self.push(tag, attributes, None);
    }

    /// Opens `tag` for an element the author wrote as `name`; `matched` when its end tag comes later.
    pub(super) fn open_raw(
        &mut self,
        tag: &'static str,
        attributes: &[(&str, &str)],
        name: &'static str,
        matched: bool,
    ) {
        self.push(tag, attributes, Some(Raw { name, matched, ending: false }));
    }

    /// The author's end tag: closes its element, now or as soon as the Markdown around the tag ends.
    pub(super) fn close_raw(&mut self, name: &str) {
        let named = |open: &Open| open.raw.as_ref().is_some_and(|raw| raw.name == name && !raw.ending);
        let Some(at) = self.stack.iter().rposition(named) else { return };
        if at >= self.mark() {
            self.close_to(at);
        } else if let Some(Open { raw: Some(raw), .. }) = self.stack.get_mut(at) {
            raw.ending = true;
        }
    }

    /// Ends the author's elements on top for which no end tag comes: they reach as far as their HTML block.
    pub(super) fn close_unmatched(&mut self) {
        while self.stack.len() > self.mark()
            && self.stack.last().is_some_and(|open| open.raw.as_ref().is_some_and(|raw| !raw.matched))
        {
            self.close_to(self.stack.len() - 1);
        }
    }

    /// An element without content.
    pub(super) fn void(&mut self, tag: &'static str, attributes: &[(&str, &str)]) {
        self.tag(tag, attributes);
    }

    /// Part of a mapped text.
    pub(super) fn text(&mut self, mapped: &Mapped, range: Range<usize>) {
        for (text, origin) in mapped.pieces(range) {
            self.piece(text, origin);
        }
    }

    /// The renderer's own words.
    pub(super) fn generated(&mut self, text: &str) {
        self.piece(text, Origin::Generated);
    }

    /// Whether a link is open: links cannot hold links.
    pub(super) fn in_link(&self) -> bool {
        self.links > 0
    }

    /// Whether nothing is open.
    pub(super) fn is_closed(&self) -> bool {
        self.stack.is_empty() && self.marks.is_empty()
    }

    /// Whether no Markdown element is open.
    pub(super) fn is_top(&self) -> bool {
        self.marks.is_empty()
    }

    /// How much text there is, in bytes.
    pub(super) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Ends everything and hands it over.
    pub(super) fn finish(mut self) -> Written {
        self.marks.clear();
        self.close_to(0);
        let mut runs = String::with_capacity(self.runs.len() * 10);
        for Run { units, origin, .. } in &self.runs {
            let gap = if runs.is_empty() { "" } else { " " };
            // Writing to a string cannot fail.
            let _ = match origin {
                Origin::Verbatim(start) => write!(runs, "{gap}{start}+{units}"),
                Origin::Whole(source) => write!(runs, "{gap}{}-{}+{units}", source.start, source.end),
                Origin::Generated => write!(runs, "{gap}+{units}"),
            };
        }
        Written { html: self.html, text: self.text, runs, too_deep: self.too_deep }
    }

    fn mark(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn push(&mut self, tag: &'static str, attributes: &[(&str, &str)], raw: Option<Raw>) {
        if self.stack.len() >= MAX_DEPTH {
            self.too_deep = true;
            return;
        }
        self.tag(tag, attributes);
        self.fresh_pre = tag == "pre";
        self.links += usize::from(tag == "a");
        self.stack.push(Open { tag, raw });
    }

    fn tag(&mut self, tag: &'static str, attributes: &[(&str, &str)]) {
        self.fresh_pre = false;
        self.node = 0;
        if self.too_deep {
            return;
        }
        self.html.push('<');
        self.html.push_str(tag);
        for (name, value) in attributes {
            self.html.push(' ');
            self.html.push_str(name);
            self.html.push_str("=\"");
            escape(&mut self.html, value);
            self.html.push('"');
        }
        self.html.push('>');
    }

    /// Text, in nodes of bounded length: the sanitiser takes the comments between them out.
    fn escaped(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            if self.node >= MAX_NODE {
                self.html.push_str("<!---->");
                self.node = 0;
            }
            let (now, later) = rest.split_at(rest.floor_char_boundary(MAX_NODE + 4 - self.node));
            escape(&mut self.html, now);
            self.node += now.len();
            rest = later;
        }
    }

    fn close_to(&mut self, len: usize) {
        while self.stack.len() > len {
            let Some(open) = self.stack.pop() else { break };
            self.fresh_pre = false;
            self.node = 0;
            self.links -= usize::from(open.tag == "a");
            if !self.too_deep {
                self.html.push_str("</");
                self.html.push_str(open.tag);
                self.html.push('>');
            }
        }
    }

    fn piece(&mut self, text: &str, origin: Origin) {
        if self.too_deep || text.is_empty() {
            return;
        }
        // HTML parsers change these two, so they are changed here, where the run still knows that it is not verbatim.
        if text.contains(['\r', '\0']) {
            let changed = text.replace('\r', " ").replace('\0', "\u{fffd}");
            let origin = match origin {
                Origin::Verbatim(start) => Origin::Whole(start..start + text.len()),
                other => other,
            };
            return self.piece(&changed, origin);
        }
        // Parsers drop a line break right after <pre>, the sanitiser's and then the browser's: it is left out at once.
        let skipped = if self.fresh_pre { text.len() - text.trim_start_matches('\n').len() } else { 0 };
        if skipped > 0 {
            let origin = match origin {
                Origin::Verbatim(start) => Origin::Verbatim(start + skipped),
                other => other,
            };
            return self.piece(&text[skipped..], origin);
        }
        self.fresh_pre = false;
        self.escaped(text);
        let run = Run { units: text.chars().map(char::len_utf16).sum(), bytes: text.len(), origin };
        match self.runs.last_mut() {
            Some(last) if last.continues_in(&run) => {
                last.units += run.units;
                last.bytes += run.bytes;
            }
            _ => self.runs.push(run),
        }
        self.text.push_str(text);
    }
}

impl Run {
    /// Whether `next` is more of the same, so that one run can stand for both.
    fn continues_in(&self, next: &Self) -> bool {
        match (&self.origin, &next.origin) {
            (Origin::Verbatim(start), Origin::Verbatim(next)) => start + self.bytes == *next,
            // One indivisible piece, cut in two by the highlighter for example.
            (Origin::Whole(this), Origin::Whole(next)) => this == next,
            (Origin::Generated, Origin::Generated) => true,
            _ => false,
        }
    }
}

impl Open {
    fn is_ending(&self) -> bool {
        self.raw.as_ref().is_some_and(|raw| raw.ending)
    }
}

/// Appends `text` with the characters that mean something in HTML escaped, fit for content and quoted attributes.
pub(super) fn escape(html: &mut String, text: &str) {
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => continue,
        };
        html.push_str(&text[copied..at]);
        html.push_str(entity);
        copied = at + 1;
    }
    html.push_str(&text[copied..]);
}
