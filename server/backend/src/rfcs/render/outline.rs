//! The first pass over a document: what later parts must know before they come to it.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, Tag, TagEnd};

use super::raw_html::{Fate, TokenKind, fate, tokens};

/// What a link, a footnote mark or an open tag refers to further down.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Text and id of every heading, in document order.
    pub(super) headings: Vec<(String, String)>,
    /// The level of the highest heading, 1 to 6; 0 without any.
    pub(super) highest: u8,
    /// All heading slugs.
    slugs: HashSet<String>,
    /// Each footnote by its lower-case label.
    footnotes: HashMap<String, Footnote>,
    /// Ids the author gave to raw HTML.
    author_ids: HashSet<String>,
    /// Which of the kept start tags, counted in document order, have an end tag.
    matched: HashSet<usize>,
}

/// A footnote that is defined.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footnote {
    /// From 1: those referred to in the order they first are, then the others.
    pub(super) number: usize,
    /// How often it is referred to.
    pub(super) references: usize,
}

impl Outline {
    /// Reads the events of a whole document.
    pub(super) fn of<'e, 'a: 'e>(events: impl Iterator<Item = &'e Event<'a>>) -> Self {
        let mut outline = Self::default();
        let (mut referred, mut defined) = (Vec::new(), Vec::new());
        let mut heading: Option<String> = None;
        let mut html: Option<String> = None;
        let mut slugs = Slugs::default();
        let mut tags = TagMatcher::default();
        for event in events {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    heading = Some(String::new());
                    let level = *level as u8;
                    outline.highest = if outline.highest == 0 { level } else { outline.highest.min(level) };
                }
                Event::End(TagEnd::Heading(_)) => {
                    let text = heading.take().unwrap_or_default().trim().to_owned();
                    let slug = slugs.unique(&text);
                    outline.headings.push((text, format!("h-{slug}")));
                    outline.slugs.insert(slug);
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(text);
                    }
                }
                Event::SoftBreak | Event::HardBreak => {
                    if let Some(heading) = &mut heading {
                        heading.push(' ');
                    }
                }
                Event::FootnoteReference(label) => referred.push(label.to_lowercase()),
                Event::Start(Tag::FootnoteDefinition(label)) => defined.push(label.to_lowercase()),
                // A tag of a block may go over several lines, which are several events.
                Event::Start(Tag::HtmlBlock) => html = Some(String::new()),
                Event::Html(line) => match &mut html {
                    Some(html) => html.push_str(line),
                    None => outline.raw(line, &mut tags),
                },
                Event::End(TagEnd::HtmlBlock) => outline.raw(&html.take().unwrap_or_default(), &mut tags),
                Event::InlineHtml(tag) => outline.raw(tag, &mut tags),
                _ => {}
            }
        }
        outline.matched = tags.matched;
        let known: HashSet<&String> = defined.iter().collect();
        for (label, references) in referred.iter().map(|label| (label, 1)).chain(defined.iter().map(|label| (label, 0)))
        {
            if known.contains(label) {
                let number = outline.footnotes.len() + 1;
                let unseen = Footnote { number, references: 0 };
                outline.footnotes.entry(label.clone()).or_insert(unseen).references += references;
            }
        }
        outline
    }

    /// The footnote with this label, when it is defined.
    pub(super) fn footnote(&self, label: &str) -> Option<Footnote> {
        self.footnotes.get(&label.to_lowercase()).copied()
    }

    /// Whether the nth kept start tag of raw HTML has an end tag.
    pub(super) fn is_matched(&self, tag: usize) -> bool {
        self.matched.contains(&tag)
    }

    /// The id in the page that `#fragment` means: a heading's, else one the author set.
    pub(super) fn target(&self, fragment: &str) -> String {
        let slug = fragment.to_lowercase();
        if !self.slugs.contains(&slug) && self.author_ids.contains(fragment) {
            format!("user-content-{fragment}")
        } else {
            format!("h-{slug}")
        }
    }

    fn raw(&mut self, html: &str, tags: &mut TagMatcher) {
        for token in tokens(html) {
            match token.kind {
                TokenKind::Open { name, attributes } => {
                    if let Fate::Element(name) = fate(&name) {
                        tags.open(name);
                    }
                    let named = attributes.into_iter().filter(|(name, _)| name == "id" || name == "name");
                    self.author_ids.extend(named.map(|(_, id)| id));
                }
                TokenKind::Close { name } => tags.close(&name),
                TokenKind::Text | TokenKind::Comment => {}
            }
        }
    }
}

/// Pairs start and end tags by name.
#[derive(Debug, Default)]
struct TagMatcher {
    count: usize,
    open: HashMap<&'static str, Vec<usize>>,
    matched: HashSet<usize>,
}

impl TagMatcher {
    fn open(&mut self, name: &'static str) {
        self.open.entry(name).or_default().push(self.count);
        self.count += 1;
    }

    fn close(&mut self, name: &str) {
        self.matched.extend(self.open.get_mut(name).and_then(Vec::pop));
    }
}

/// Gives every heading a slug of its own.
#[derive(Debug, Default)]
struct Slugs {
    /// Each slug given, and the number tried next when its text comes again.
    given: HashMap<String, usize>,
}

impl Slugs {
    fn unique(&mut self, text: &str) -> String {
        let base = slug(text);
        let Some(mut next) = self.given.get(&base).copied() else {
            self.given.insert(base.clone(), 1);
            return base;
        };
        let unique = loop {
            let candidate = format!("{base}-{next}");
            next += 1;
            if !self.given.contains_key(&candidate) {
                break candidate;
            }
        };
        self.given.insert(base, next);
        self.given.insert(unique.clone(), 1);
        unique
    }
}

/// The slug GitHub gives to a heading: lower case, spaces as hyphens, no punctuation.
fn slug(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    let slug: String = kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
    if slug.is_empty() { "section".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_githubs_and_unique() {
        let mut slugs = Slugs::default();
        let given: Vec<_> =
            ["Why?", "Why", "why-1", "Why", "`a_b` & c", "???", "Ünïcode 表"].map(|t| slugs.unique(t)).into();
        assert_eq!(given, ["why", "why-1", "why-1-1", "why-2", "a_b--c", "section", "ünïcode-表"]);
    }
}
