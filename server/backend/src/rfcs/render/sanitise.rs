//! The allowlist every block passes last. The walker writes nothing else; this is what makes that certain.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

const TAGS: [&str; 61] = [
    "a",
    "abbr",
    "b",
    "bdo",
    "blockquote",
    "br",
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
    "hr",
    "i",
    "input",
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
    "wbr",
];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes: [(&str, &[&str]); 10] = [
        ("a", &["href", "aria-label"]),
        ("details", &["open"]),
        ("div", &["tabindex", "role", "aria-label"]),
        ("input", &["type", "checked", "disabled", "aria-label"]),
        ("ol", &["start", "reversed"]),
        ("pre", &["tabindex", "data-lang"]),
        ("td", &["colspan", "rowspan"]),
        ("th", &["colspan", "rowspan", "scope"]),
        ("time", &["datetime"]),
        ("bdo", &["dir"]),
    ];
    let attributes: HashMap<_, HashSet<_>> =
        attributes.into_iter().map(|(tag, names)| (tag, names.iter().copied().collect())).collect();
    let mut builder = Builder::empty();
    builder
        .tags(TAGS.into())
        .clean_content_tags(["script", "style"].into())
        .tag_attributes(attributes)
        .generic_attributes(["class", "id", "title", "lang", "dir"].into())
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(UrlRelative::Custom(Box::new(fragment)))
        .link_rel(Some("nofollow noopener noreferrer"))
        .attribute_filter(|element, attribute, value| keep(element, attribute, value).then_some(Cow::Borrowed(value)))
        .strip_comments(true);
    builder
});

/// Passes HTML through the allowlist.
pub(super) fn sanitise(html: &str) -> String {
    SANITISER.clean(html).to_string()
}

/// Of relative addresses only those into this page stay.
fn fragment(url: &str) -> Option<Cow<'_, str>> {
    url.starts_with('#').then_some(Cow::Borrowed(url))
}

/// Attributes whose values are the renderer's own: one that is not as the renderer writes it goes.
fn keep(element: &str, attribute: &str, value: &str) -> bool {
    match attribute {
        "class" => {
            !value.is_empty() && value.split(' ').all(|class| class.starts_with("md-") || class.starts_with("hl-"))
        }
        "id" => {
            ["h-", "fn-", "fnref-", "user-content-"].iter().any(|prefix| value.starts_with(prefix))
                && !value.contains(char::is_whitespace)
        }
        "tabindex" => value == "0",
        "role" => matches!(value, "group" | "note"),
        "type" => element == "input" && value == "checkbox",
        "dir" => matches!(value, "ltr" | "rtl" | "auto"),
        _ => true,
    }
}

/// The address as it may be written into `href`: http, https, mailto or a fragment. Everything else, relative
/// addresses included, is `None`: what they are relative to is not here.
pub(super) fn safe_url(url: &str) -> Option<&str> {
    let url = url.trim();
    let scheme = ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let clean = !url.contains(|c: char| c.is_control());
    (clean && (scheme || url.starts_with('#'))).then_some(url)
}

/// The text a browser shows for sanitised HTML.
pub(super) fn text_of(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('<') { &rest[tag_len(rest)..] } else { entity(rest, &mut text) };
    }
    text.push_str(rest);
    text
}

/// The length of the tag `html` begins with; a `>` inside a quoted value does not end it.
fn tag_len(html: &str) -> usize {
    let mut quoted = false;
    let end = html.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    end.map_or(html.len(), |at| at + 1)
}

/// Appends what the entity at the start of `html` stands for; the serialiser writes only these.
fn entity<'h>(html: &'h str, text: &mut String) -> &'h str {
    for (entity, shown) in [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&nbsp;", '\u{a0}')] {
        if let Some(rest) = html.strip_prefix(entity) {
            text.push(shown);
            return rest;
        }
    }
    text.push('&');
    &html[1..]
}
