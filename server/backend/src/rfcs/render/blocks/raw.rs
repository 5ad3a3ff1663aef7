//! The author's own HTML, written anew: the part of the walk that handles [`raw_html`](crate::rfcs::render::raw_html).

use std::borrow::Cow;
use std::ops::Range;

use super::{Walk, borrowed};
use crate::rfcs::render::mapped::Mapped;
use crate::rfcs::render::raw_html::{Fate, TokenKind, entity, fate, kept_attributes, tokens};

impl Walk<'_> {
    pub(super) fn raw_html(&mut self, html: &Mapped) {
        for token in tokens(html.as_str()) {
            match token.kind {
                TokenKind::Comment => {}
                TokenKind::Text => self.raw_text(html, token.range),
                TokenKind::Open { name, attributes } => self.raw_open(html, token.range, &name, &attributes),
                TokenKind::Close { name } => match fate(&name) {
                    Fate::Text => self.raw_text(html, token.range),
                    Fate::Element(_) => {
                        self.flush_text();
                        self.current.writer.close_raw(&name);
                    }
                    Fate::Void(_) | Fate::Image | Fate::Transparent => {}
                },
            }
        }
    }

    /// Text between the author's tags: it has entities, but no Markdown.
    fn raw_text(&mut self, html: &Mapped, range: Range<usize>) {
        let (mut done, mut at) = (range.start, range.start);
        while let Some(found) = html.as_str()[at..range.end].find('&') {
            at += found;
            if let Some((shown, len)) = entity(&html.as_str()[at..range.end]) {
                self.text.append(html, done..at);
                self.text.push_whole(&shown, html.source_of(at..at + len));
                done = at + len;
            }
            at = done.max(at + 1);
        }
        self.text.append(html, done..range.end);
    }

    fn raw_open(&mut self, html: &Mapped, range: Range<usize>, name: &str, attributes: &[(String, String)]) {
        let fate = fate(name);
        if fate == Fate::Text {
            return self.raw_text(html, range);
        }
        self.flush_text();
        let get = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let id = get("id").or_else(|| get("name").filter(|_| name == "a"));
        let id = id.filter(|id| {
            self.document && !id.is_empty() && !id.contains(|c: char| c.is_whitespace() || c.is_control())
        });
        let id = id.map(|id| format!("user-content-{id}"));
        match fate {
            Fate::Text | Fate::Transparent => {}
            Fate::Void(tag) => self.current.writer.void(tag, &[]),
            Fate::Image => {
                let mut alt = Mapped::default();
                alt.push_whole(get("alt").unwrap_or_default().trim(), html.source_of(range));
                self.current.writer.begin();
                self.start_image(get("src").unwrap_or_default(), get("title").unwrap_or_default());
                self.current.writer.text(&alt, 0..alt.as_str().len());
                self.end_image();
                self.current.writer.end();
            }
            Fate::Element("a") => {
                // One without an address only names a place.
                let title = get("title").unwrap_or_default();
                let (element, mut kept) = get("href").map_or(("span", Vec::new()), |href| self.link(href, title));
                kept.extend(id.as_deref().map(|id| ("id", Cow::Borrowed(id))));
                let matched = self.next_raw_tag();
                self.current.writer.open_raw(element, &borrowed(&kept), "a", matched);
            }
            Fate::Element(tag) => {
                let mut kept = kept_attributes(tag, attributes);
                kept.extend(id.as_deref().map(|id| ("id", id)));
                let matched = self.next_raw_tag();
                self.current.writer.open_raw(tag, &kept, tag, matched);
            }
        }
    }

    /// Whether the end tag of the kept start tag met now comes later.
    fn next_raw_tag(&mut self) -> bool {
        self.raw_tags += 1;
        self.outline.is_matched(self.raw_tags - 1)
    }
}
