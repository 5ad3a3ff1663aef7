//! Walks the parser's events and makes the blocks.

mod current;
mod footnotes;
mod raw;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use sha2::{Digest, Sha256};

use self::current::Current;
use super::mapped::Mapped;
use super::outline::{Footnote, Outline};
use super::sanitise::safe_url;
use super::{Block, BlockKind, Rendered, TocEntry, front_matter, highlight, linkify};

/// Renders a document.
pub(super) fn document(body: &str) -> Rendered {
    let front = front_matter::range(body);
    let mut walk = Walk::new(body, front.as_ref().map_or(0, |front| front.end), true);
    if let Some(front) = front {
        walk.open_block(BlockKind::FrontMatter, front.clone());
        front_matter::write(&mut walk.current.writer, body, front);
        walk.close_block();
    }
    walk.run();
    walk.finish()
}

/// Renders a comment.
pub(super) fn comment(body: &str) -> String {
    let mut walk = Walk::new(body, 0, false);
    walk.run();
    walk.finish().html()
}

/// The state of the walk over one document or comment.
struct Walk<'s> {
    source: &'s str,
    events: Vec<(Event<'s>, Range<usize>)>,
    outline: Outline,
    /// A document has ids, footnotes and a table of contents; a comment has not.
    document: bool,
    current: Current,
    /// What was being written when a footnote's text began.
    interrupted: Option<Current>,
    /// Running text that is not written yet: an address may be several events.
    text: Mapped,
    blocks: Vec<Block>,
    footnotes: Vec<(usize, Block)>,
    toc: Vec<TocEntry>,
    /// Headings and kept start tags met so far, by which the outline knows them.
    headings: usize,
    raw_tags: usize,
    /// For each footnote number, how often it was referred to so far.
    referred: HashMap<usize, usize>,
    /// The numbers of the footnotes whose text was met.
    defined: HashSet<usize>,
    alignments: Vec<Alignment>,
    cell: usize,
    in_table_head: bool,
    /// For each image around this place, how much text there was before it.
    images: Vec<usize>,
    /// The footnote texts around this place.
    open_footnotes: Vec<Footnote>,
    highlight_budget: usize,
}

impl<'s> Walk<'s> {
    fn new(source: &'s str, from: usize, document: bool) -> Self {
        let mut options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
        options |= Options::ENABLE_GFM;
        if document {
            options |= Options::ENABLE_FOOTNOTES;
        }
        let parser = Parser::new_ext(&source[from..], options).into_offset_iter();
        let events: Vec<_> = parser.map(|(event, at)| (event, at.start + from..at.end + from)).collect();
        Self {
            source,
            outline: Outline::of(events.iter().map(|(event, _)| event)),
            events,
            document,
            current: Current::default(),
            interrupted: None,
            text: Mapped::default(),
            blocks: Vec::new(),
            footnotes: Vec::new(),
            toc: Vec::new(),
            headings: 0,
            raw_tags: 0,
            referred: HashMap::new(),
            defined: HashSet::new(),
            alignments: Vec::new(),
            cell: 0,
            in_table_head: false,
            images: Vec::new(),
            open_footnotes: Vec::new(),
            highlight_budget: highlight::MAX_EFFORT,
        }
    }

    fn run(&mut self) {
        let events = std::mem::take(&mut self.events);
        let mut at = 0;
        while let Some((event, range)) = events.get(at) {
            at += 1;
            if let Event::Text(text) = event {
                self.text.push(self.source, text, range.clone());
                continue;
            }
            self.flush_text();
            match event {
                // These two are read as a whole.
                Event::Start(Tag::CodeBlock(kind)) => {
                    let text = self.collect(&events, &mut at);
                    self.enter(BlockKind::Code, range.clone());
                    self.code_block(kind, &text);
                    self.leave();
                }
                Event::Start(Tag::HtmlBlock) => {
                    let html = self.collect(&events, &mut at);
                    self.enter(BlockKind::Html, range.clone());
                    self.raw_html(&html);
                    self.flush_text();
                    self.current.writer.close_unmatched();
                    self.leave();
                }
                Event::Start(tag) => self.start(tag, range.clone(), &events[at..]),
                Event::End(tag) => {
                    let footnote_ends = matches!(events.get(at), Some((Event::End(TagEnd::FootnoteDefinition), _)));
                    if *tag == TagEnd::Paragraph && footnote_ends {
                        self.back_links();
                    }
                    self.end(*tag);
                }
                event => self.leaf(event, range.clone()),
            }
        }
        self.flush_text();
        self.close_block();
    }

    /// The text of the events up to the end tag of the element that was just entered.
    fn collect(&self, events: &[(Event<'s>, Range<usize>)], at: &mut usize) -> Mapped {
        let mut collected = Mapped::default();
        while let Some((event, range)) = events.get(*at) {
            *at += 1;
            match event {
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                    collected.push(self.source, text, range.clone());
                }
                Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock) => break,
                _ => {}
            }
        }
        collected
    }

    fn start(&mut self, tag: &Tag<'s>, range: Range<usize>, next: &[(Event<'s>, Range<usize>)]) {
        if let Tag::FootnoteDefinition(label) = tag {
            return self.start_footnote(label, range);
        }
        let kind = match tag {
            Tag::Heading { .. } => BlockKind::Heading,
            Tag::BlockQuote(_) => BlockKind::Quote,
            Tag::List(_) => BlockKind::List,
            Tag::Table(_) => BlockKind::Table,
            Tag::Paragraph if only_images(next) => BlockKind::Image,
            _ => BlockKind::Paragraph,
        };
        self.enter(kind, range);
        let writer = &mut self.current.writer;
        let top = writer.is_top();
        writer.begin();
        match tag {
            Tag::Paragraph => writer.open("p", &[]),
            Tag::Heading { level, .. } => self.start_heading(*level as u8, top),
            Tag::BlockQuote(None) => writer.open("blockquote", &[]),
            Tag::BlockQuote(Some(kind)) => {
                let (class, title) = alert(*kind);
                writer.open("div", &[("class", class), ("role", "note")]);
                writer.begin();
                writer.open("p", &[("class", "md-alert-title")]);
                writer.generated(title);
                writer.end();
            }
            Tag::List(None) => writer.open("ul", &[]),
            Tag::List(Some(1)) => writer.open("ol", &[]),
            Tag::List(Some(start)) => writer.open("ol", &[("start", &start.to_string())]),
            Tag::Item if is_task(next) => writer.open("li", &[("class", "md-task")]),
            Tag::Item => writer.open("li", &[]),
            Tag::Table(alignments) => {
                self.alignments.clone_from(alignments);
                // The wrapper scrolls on small screens, so the keyboard must reach it.
                writer.open(
                    "div",
                    &[("class", "md-table"), ("tabindex", "0"), ("role", "group"), ("aria-label", "Table")],
                );
                writer.open("table", &[]);
            }
            Tag::TableHead => {
                (self.cell, self.in_table_head) = (0, true);
                writer.open("thead", &[]);
                writer.open("tr", &[]);
            }
            Tag::TableRow => {
                self.cell = 0;
                writer.open("tr", &[]);
            }
            Tag::TableCell => self.start_cell(),
            Tag::Emphasis => writer.open("em", &[]),
            Tag::Strong => writer.open("strong", &[]),
            Tag::Strikethrough => writer.open("s", &[]),
            Tag::Link { link_type, dest_url, title, .. } => {
                let mail = *link_type == LinkType::Email;
                let url = if mail { format!("mailto:{dest_url}") } else { dest_url.to_string() };
                let (element, attributes) = self.link(&url, title);
                self.current.writer.open(element, &borrowed(&attributes));
            }
            Tag::Image { dest_url, title, .. } => self.start_image(dest_url, title),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::FootnoteDefinition => return self.end_footnote(),
            TagEnd::Heading(_) if self.document => {
                let id = self.outline.headings.get(self.headings - 1).map_or("", |(_, id)| id.as_str());
                let link =
                    [("class", "md-anchor"), ("href", &format!("#{id}")), ("aria-label", "Link to this section")];
                self.current.writer.begin();
                self.current.writer.open("a", &link);
                self.current.writer.end();
            }
            TagEnd::Image => self.end_image(),
            _ => {}
        }
        self.current.writer.end();
        match tag {
            TagEnd::TableHead => {
                self.in_table_head = false;
                self.current.writer.open("tbody", &[]);
            }
            TagEnd::TableCell => self.cell += 1,
            _ => {}
        }
        self.leave();
    }

    fn leaf(&mut self, event: &Event<'s>, range: Range<usize>) {
        match event {
            Event::Code(code) => {
                let code = self.code_span(code, range);
                self.current.writer.begin();
                self.current.writer.open("code", &[]);
                self.current.writer.text(&code, 0..code.as_str().len());
                self.current.writer.end();
            }
            Event::InlineHtml(html) | Event::Html(html) => {
                let mut raw = Mapped::default();
                raw.push(self.source, html, range);
                self.raw_html(&raw);
            }
            Event::SoftBreak => self.text.push(self.source, "\n", range),
            Event::HardBreak => self.current.writer.void("br", &[]),
            Event::Rule => {
                self.enter(BlockKind::Rule, range);
                self.current.writer.void("hr", &[]);
                self.leave();
            }
            Event::FootnoteReference(label) => self.footnote_mark(label, range),
            Event::TaskListMarker(done) => {
                let label = if *done { "Done" } else { "To do" };
                let mut attributes = vec![("type", "checkbox"), ("disabled", ""), ("aria-label", label)];
                if *done {
                    attributes.push(("checked", ""));
                }
                self.current.writer.void("input", &attributes);
            }
            // Math is off, and the others are handled where they are met.
            _ => {}
        }
    }

    /// Begins a block unless this is inside one.
    fn enter(&mut self, kind: BlockKind, range: Range<usize>) {
        if self.current.writer.is_top() {
            match &mut self.current.block {
                // An element the author left open takes in what follows.
                Some((_, block)) => block.end = block.end.max(range.end),
                None => self.open_block(kind, range),
            }
        }
    }

    /// Ends the block unless something is still open.
    fn leave(&mut self) {
        if self.current.writer.is_closed() {
            self.close_block();
        }
    }

    fn open_block(&mut self, kind: BlockKind, range: Range<usize>) {
        self.current.block = Some((kind, range));
    }

    fn close_block(&mut self) {
        let current = std::mem::take(&mut self.current);
        if let Some(block) = current.into_block(self.source) {
            self.blocks.push(block);
        }
    }

    /// Writes the running text, with bare addresses as links.
    fn flush_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        let (mut done, end) = (0, text.as_str().len());
        if !self.current.writer.in_link() {
            for (link, bare) in linkify::links(text.as_str()) {
                self.current.writer.text(&text, done..link.start);
                let url = &text.as_str()[link.clone()];
                let url = if bare { format!("https://{url}") } else { url.to_owned() };
                self.current.writer.begin();
                self.current.writer.open("a", &[("href", &url)]);
                self.current.writer.text(&text, link.clone());
                self.current.writer.end();
                done = link.end;
            }
        }
        self.current.writer.text(&text, done..end);
    }

    fn start_heading(&mut self, level: u8, top: bool) {
        const TAGS: [&str; 6] = ["h2", "h3", "h4", "h5", "h6", "h6"];
        // The page's own title is its h1, so the document's highest headings are h2; in a comment they are smaller still.
        let below = if self.document { level.saturating_sub(self.outline.highest) } else { level + 1 };
        let tag = TAGS[usize::from(below).min(TAGS.len() - 1)];
        self.headings += 1;
        let heading = self.outline.headings.get(self.headings - 1).filter(|_| self.document);
        let Some((text, id)) = heading else { return self.current.writer.open(tag, &[]) };
        self.current.writer.open(tag, &[("id", id)]);
        if self.current.block.as_ref().is_some_and(|(kind, _)| *kind == BlockKind::Heading) {
            self.current.heading = Some(id.clone());
        }
        if top {
            self.toc.push(TocEntry { level, text: text.clone(), id: id.clone() });
        }
    }

    fn start_cell(&mut self) {
        let class = match self.alignments.get(self.cell) {
            Some(Alignment::Left) => Some(("class", "md-left")),
            Some(Alignment::Center) => Some(("class", "md-center")),
            Some(Alignment::Right) => Some(("class", "md-right")),
            Some(Alignment::None) | None => None,
        };
        let (tag, scope) = if self.in_table_head { ("th", Some(("scope", "col"))) } else { ("td", None) };
        let attributes: Vec<_> = scope.into_iter().chain(class).collect();
        self.current.writer.open(tag, &attributes);
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'_>, code: &Mapped) {
        let language = match kind {
            CodeBlockKind::Fenced(info) => highlight::language(info),
            CodeBlockKind::Indented => String::new(),
        };
        let class = if language == "mermaid" { "md-code md-mermaid" } else { "md-code" };
        let mut attributes = vec![("class", class), ("tabindex", "0")];
        if !language.is_empty() {
            attributes.push(("data-lang", &language));
        }
        let writer = &mut self.current.writer;
        writer.begin();
        writer.open("pre", &attributes);
        writer.open("code", &[]);
        self.highlight_budget -= highlight::write(writer, &language, code, self.highlight_budget);
        writer.end();
    }

    /// The text of inline code, which stands between backticks and perhaps a space on either side.
    fn code_span(&self, code: &str, range: Range<usize>) -> Mapped {
        let slice = &self.source[range.clone()];
        let inner = slice.trim_matches('`');
        let fence = slice.len() - slice.trim_start_matches('`').len();
        let padded = inner.starts_with([' ', '\n']) && inner.ends_with([' ', '\n']) && !inner.trim().is_empty();
        let start = range.start + fence + usize::from(padded);
        let mut mapped = Mapped::default();
        mapped.push(self.source, code, start..(start + inner.len() - 2 * usize::from(padded)));
        mapped
    }

    /// The element for a link: `a`, or `span` where no link may be.
    fn link<'u>(&self, url: &'u str, title: &'u str) -> (&'static str, Vec<(&'static str, Cow<'u, str>)>) {
        let titled = (!title.is_empty()).then_some(("title", Cow::Borrowed(title)));
        let href = match url.strip_prefix('#') {
            Some(fragment) if self.document => Some(Cow::Owned(format!("#{}", self.outline.target(fragment)))),
            Some(_) => None,
            None => safe_url(url).map(Cow::Borrowed),
        };
        match href {
            // Links cannot hold links.
            _ if self.current.writer.in_link() => ("span", titled.into_iter().collect()),
            Some(href) => ("a", [("href", href)].into_iter().chain(titled).collect()),
            // Where a relative address leads is not known here: the text stays, with the address as its title.
            None => ("span", vec![("class", "md-unlinked".into()), titled.unwrap_or(("title", url.into()))]),
        }
    }

    /// The policy of the page forbids foreign images, so an image is a link to it.
    fn start_image(&mut self, url: &str, title: &str) {
        let writer = &mut self.current.writer;
        self.images.push(writer.text_len());
        let href = safe_url(url).filter(|url| url.starts_with("https://") && !writer.in_link());
        let shown = if title.is_empty() { url } else { title };
        match href {
            Some(href) => writer.open("a", &[("class", "md-image"), ("href", href), ("title", shown)]),
            None => writer.open("span", &[("class", "md-image"), ("title", shown)]),
        }
        writer.generated("Image: ");
    }

    fn end_image(&mut self) {
        let before = self.images.pop().unwrap_or(0);
        if self.current.writer.text_len() == before + "Image: ".len() {
            self.current.writer.generated("no description");
        }
    }

    /// Footnotes to the end, and an id for every block.
    fn finish(mut self) -> Rendered {
        self.footnotes.sort_by_key(|(number, block)| (*number, block.start));
        self.blocks.extend(self.footnotes.into_iter().map(|(_, block)| block));
        let mut seen: HashMap<String, usize> = HashMap::new();
        for block in &mut self.blocks {
            let hash = Sha256::digest(&self.source[block.start..block.end]);
            block.id = hash.iter().take(6).fold("b-".to_owned(), |id, byte| format!("{id}{byte:02x}"));
            let occurrence = seen.entry(block.id.clone()).or_insert(0);
            *occurrence += 1;
            if *occurrence > 1 {
                block.id = format!("{}-{occurrence}", block.id);
            }
        }
        Rendered { blocks: self.blocks, toc: self.toc }
    }
}

fn alert(kind: BlockQuoteKind) -> (&'static str, &'static str) {
    match kind {
        BlockQuoteKind::Note => ("md-alert md-alert-note", "Note"),
        BlockQuoteKind::Tip => ("md-alert md-alert-tip", "Tip"),
        BlockQuoteKind::Important => ("md-alert md-alert-important", "Important"),
        BlockQuoteKind::Warning => ("md-alert md-alert-warning", "Warning"),
        BlockQuoteKind::Caution => ("md-alert md-alert-caution", "Caution"),
    }
}

/// Whether the paragraph just entered holds nothing but images.
fn only_images(events: &[(Event<'_>, Range<usize>)]) -> bool {
    let (mut inside, mut images) = (0_usize, 0_usize);
    for (event, _) in events {
        match event {
            Event::Start(Tag::Image { .. }) => (inside, images) = (inside + 1, images + 1),
            Event::End(TagEnd::Image) => inside -= 1,
            Event::End(TagEnd::Paragraph) => break,
            Event::SoftBreak | Event::HardBreak => {}
            Event::Text(text) if text.trim().is_empty() => {}
            _ if inside > 0 => {}
            _ => return false,
        }
    }
    images > 0
}

/// Whether the list item just entered begins with a checkbox.
fn is_task(events: &[(Event<'_>, Range<usize>)]) -> bool {
    let mut events = events.iter().map(|(event, _)| event);
    match events.next() {
        Some(Event::Start(Tag::Paragraph)) => matches!(events.next(), Some(Event::TaskListMarker(_))),
        event => matches!(event, Some(Event::TaskListMarker(_))),
    }
}

fn borrowed<'a>(attributes: &'a [(&'static str, Cow<'_, str>)]) -> Vec<(&'static str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_ref())).collect()
}
