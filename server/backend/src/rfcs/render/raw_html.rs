//! The author's own HTML: split into tags, and told which of them may stay.
//!
//! Three fates: a tag of [`Fate::Element`] is written anew with the few attributes it may have; one of
//! [`Fate::Transparent`] only styles and goes, its content stays; anything else (`<script>`, a `Vec<T>` in running
//! text) is shown as the text that was typed, because a reviewer must see what is in the source. Comments go.

use std::ops::Range;

use pulldown_cmark::{Event, Parser};

/// A piece of raw HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Its bytes in the HTML.
    pub(super) range: Range<usize>,
    pub(super) kind: TokenKind,
}

/// What a piece of raw HTML is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Text,
    /// A comment, a doctype, a processing instruction, a CDATA section.
    Comment,
    Open {
        name: String,
        attributes: Vec<(String, String)>,
    },
    Close {
        name: String,
    },
}

/// What becomes of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Kept as this element.
    Element(&'static str),
    /// Kept; it has no content and no end tag.
    Void(&'static str),
    /// An image, shown as a link.
    Image,
    /// Left out, its content stays.
    Transparent,
    /// Shown as text.
    Text,
}

/// Elements kept as they are: what GitHub keeps, without what needs scripts, styles or other hosts.
const ELEMENTS: [&str; 57] = [
    "a",
    "abbr",
    "b",
    "bdo",
    "blockquote",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];
const VOID: [&str; 3] = ["br", "hr", "wbr"];
const TRANSPARENT: [&str; 18] = [
    "article", "aside", "big", "body", "center", "col", "colgroup", "font", "footer", "header", "html", "main", "nav",
    "nobr", "picture", "section", "source", "video",
];

/// The longest entity looked for, in bytes.
const MAX_ENTITY: usize = 33;

/// Failed attempts to read a tag after which the rest is text: each may look at all that follows.
const MAX_FAILURES: usize = 64;

/// What becomes of a tag of this lower-case name.
pub(super) fn fate(name: &str) -> Fate {
    let known = |names: &[&'static str]| names.iter().copied().find(|known| *known == name);
    if let Some(name) = known(&ELEMENTS) {
        Fate::Element(name)
    } else if let Some(name) = known(&VOID) {
        Fate::Void(name)
    } else if name == "img" {
        Fate::Image
    } else if known(&TRANSPARENT).is_some() {
        Fate::Transparent
    } else {
        Fate::Text
    }
}

/// The attributes a kept element keeps, besides its id and a link's address. `align` becomes a class.
pub(super) fn kept_attributes<'a>(tag: &str, attributes: &'a [(String, String)]) -> Vec<(&'static str, &'a str)> {
    let mut kept: Vec<(&'static str, &'a str)> = Vec::new();
    for (name, value) in attributes {
        let number = || value.parse().is_ok_and(|number: u16| (1..=1000).contains(&number));
        let attribute = match (name.as_str(), tag) {
            ("title", _) => ("title", value.as_str()),
            ("lang", _) if value.len() <= 35 => ("lang", value.as_str()),
            ("dir", _) if matches!(value.as_str(), "ltr" | "rtl" | "auto") => ("dir", value.as_str()),
            ("align", _) => match value.to_ascii_lowercase().as_str() {
                "left" => ("class", "md-left"),
                "center" => ("class", "md-center"),
                "right" => ("class", "md-right"),
                _ => continue,
            },
            ("open", "details") => ("open", ""),
            ("reversed", "ol") => ("reversed", ""),
            ("start", "ol") if number() => ("start", value.as_str()),
            ("colspan", "td" | "th") if number() => ("colspan", value.as_str()),
            ("rowspan", "td" | "th") if number() => ("rowspan", value.as_str()),
            ("datetime", "time") => ("datetime", value.as_str()),
            _ => continue,
        };
        // Of repeated attributes the first counts, as in browsers.
        if kept.iter().all(|(name, _)| *name != attribute.0) {
            kept.push(attribute);
        }
    }
    kept
}

/// Splits HTML into its tags and the text between them. The ranges follow each other without a gap.
pub(super) fn tokens(html: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut failures = 0;
    let (mut at, mut text_from) = (0, 0);
    while let Some(found) = html[at..].find('<') {
        let start = at + found;
        let read = if failures < MAX_FAILURES { markup(html, start) } else { None };
        let Some((kind, end)) = read else {
            failures += 1;
            at = start + 1;
            continue;
        };
        if text_from < start {
            tokens.push(Token { range: text_from..start, kind: TokenKind::Text });
        }
        tokens.push(Token { range: start..end, kind });
        (at, text_from) = (end, end);
    }
    if text_from < html.len() {
        tokens.push(Token { range: text_from..html.len(), kind: TokenKind::Text });
    }
    tokens
}

/// The markup that begins with the `<` at `start`, and where it ends.
fn markup(html: &str, start: usize) -> Option<(TokenKind, usize)> {
    let rest = &html[start..];
    let until = |mark: &str, from: usize| {
        let found = rest.get(from..).and_then(|tail| tail.find(mark));
        Some((TokenKind::Comment, found.map_or(html.len(), |at| start + from + at + mark.len())))
    };
    if rest.starts_with("<!-->") {
        return Some((TokenKind::Comment, start + 5));
    }
    if rest.starts_with("<!--") {
        return until("-->", 4);
    }
    if rest.starts_with("<![CDATA[") {
        return until("]]>", 9);
    }
    if rest.starts_with("<?") {
        return until("?>", 2);
    }
    if rest.starts_with("<!") {
        return until(">", 2);
    }
    let (name_at, closing) = if rest.starts_with("</") { (2, true) } else { (1, false) };
    if !rest[name_at..].starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let name_len = rest[name_at..].find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '<'))?;
    let name = rest[name_at..name_at + name_len].to_ascii_lowercase();
    let (attributes, end) = attributes(rest, name_at + name_len)?;
    let kind = if closing { TokenKind::Close { name } } else { TokenKind::Open { name, attributes } };
    Some((kind, start + end))
}

/// The attributes from `at` to the tag's `>`, and the position after it: names in lower case, entities in values resolved.
fn attributes(tag: &str, mut at: usize) -> Option<(Vec<(String, String)>, usize)> {
    let mut attributes = Vec::new();
    loop {
        at = tag.len() - tag[at..].trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/').len();
        if tag[at..].starts_with('>') {
            return Some((attributes, at + 1));
        }
        let name_len = tag[at..].find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='))?;
        // A lone `=` begins a name, says the HTML standard.
        let name_len = name_len.max(usize::from(tag[at..].starts_with('=')));
        let name = tag[at..at + name_len].to_ascii_lowercase();
        at += name_len;
        let after = tag[at..].trim_start();
        let Some(value) = after.strip_prefix('=') else {
            attributes.push((name, String::new()));
            continue;
        };
        let value = value.trim_start();
        at = tag.len() - value.len();
        let (value, end) = if let Some(quote @ ('"' | '\'')) = value.chars().next() {
            let len = value[1..].find(quote)?;
            (&value[1..=len], at + len + 2)
        } else {
            let len = value.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
            (&value[..len], at + len)
        };
        attributes.push((name, unescape(value)));
        at = end;
    }
}

/// The entity at the start of `text`: what it stands for, and its length. `None` when it is none.
pub(super) fn entity(text: &str) -> Option<(String, usize)> {
    let len = text.bytes().take(MAX_ENTITY).position(|byte| byte == b';')? + 1;
    let named = text[1..len - 1].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#');
    // Markdown has the same entities, and its parser has the table.
    match Parser::new(text.get(..len).filter(|_| named)?).nth(1)? {
        Event::Text(shown) if *shown != text[..len] => Some((shown.into_string(), len)),
        _ => None,
    }
}

/// Resolves the entities in an attribute's value.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (shown, len) = entity(rest).unwrap_or_else(|| ("&".to_owned(), 1));
        text.push_str(&shown);
        rest = &rest[len..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(html: &str) -> Vec<String> {
        let describe = |token: &Token| match &token.kind {
            TokenKind::Text => format!("text {}", &html[token.range.clone()]),
            TokenKind::Comment => "comment".to_owned(),
            TokenKind::Open { name, attributes } => format!("<{name} {attributes:?}"),
            TokenKind::Close { name } => format!("</{name}"),
        };
        tokens(html).iter().map(describe).collect()
    }

    #[test]
    fn reads_tags_attributes_and_comments() {
        assert_eq!(
            names("a<B Href='x>y' open data-x=1 = />c</B ><!-- <i> -->d"),
            [
                "text a",
                r#"<b [("href", "x>y"), ("open", ""), ("data-x", "1"), ("=", "")]"#,
                "text c",
                "</b",
                "comment",
                "text d"
            ]
        );
    }

    #[test]
    fn what_is_no_tag_is_text() {
        assert_eq!(names("1 < 2 <3 <a href='"), ["text 1 < 2 <3 <a href='"]);
        assert_eq!(names("<"), ["text <"]);
        assert_eq!(names("</>"), ["text </>"]);
        assert_eq!(names("<a b=\u{e9}>"), [r#"<a [("b", "é")]"#]);
    }

    #[test]
    fn an_open_comment_reaches_to_the_end() {
        assert_eq!(names("a<!-- b <i>"), ["text a", "comment"]);
        assert_eq!(names("<!-->a"), ["comment", "text a"]);
        assert_eq!(
            names("<!DOCTYPE html>a<?php x ?>b<![CDATA[ c ]]>"),
            ["comment", "text a", "comment", "text b", "comment"]
        );
    }

    #[test]
    fn entities_are_resolved_in_attributes() {
        assert_eq!(names("<a href='?a=1&amp;b&copy;&#x41;&nope;&'>"), [r#"<a [("href", "?a=1&b©A&nope;&")]"#]);
        assert_eq!(entity("&rarr; x"), Some(("\u{2192}".to_owned(), 6)));
        for text in ["&;", "&", "& amp;", "&amp", "&#x;", "&*a*;", "&é;"] {
            assert_eq!(entity(text), None, "{text}");
        }
    }

    #[test]
    fn tokens_cover_the_text_without_a_gap() {
        for html in ["<a><b c=d", "x<!--", "<<<>>>", "</a\n>", "é<p é=é>é", "<a =\"'>\">"] {
            let mut at = 0;
            for token in tokens(html) {
                assert_eq!(token.range.start, at, "{html}");
                at = token.range.end;
            }
            assert_eq!(at, html.len(), "{html}");
        }
    }
}
