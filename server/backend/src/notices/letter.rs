//! How mails look: one template, written as plain text and as HTML.

use std::fmt::Write as _;

use domain::notice::{Kind, Reason};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::About;

/// What a mail is about, and its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Title {
    pub(super) words: String,
    pub(super) path: String,
}

impl Title {
    pub(super) fn of(about: &About) -> Self {
        let words = if about.tag.is_empty() { about.title.clone() } else { format!("{} {}", about.tag, about.title) };
        Self { words, path: about.path.clone() }
    }
}

/// What a mail says.
pub(super) struct Letter {
    /// What it is about.
    pub(super) title: String,
    /// The page of that.
    pub(super) link: String,
    /// What there is to tell.
    pub(super) blocks: Vec<Block>,
    /// How much more there was.
    pub(super) more: usize,
}

/// One thing that a mail tells.
pub(super) struct Block {
    pub(super) heading: String,
    pub(super) at: Option<Timestamp>,
    /// What was said; may be empty.
    pub(super) quote: String,
    /// Where to read on; may be empty.
    pub(super) link: String,
    /// Words and where they lead.
    pub(super) lines: Vec<(String, String)>,
}

/// Writes a letter for somebody in `zone`, as text and as HTML. `why` says for each kind of news in it why they get it,
/// and how to have no more of it.
pub(super) fn write(
    letter: &Letter,
    why: &[(Kind, Reason, Option<String>)],
    preferences: &str,
    zone: &TimeZone,
) -> (String, String) {
    let time = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%-d %b %Y, %H:%M %Z").to_string();
    (text(letter, why, preferences, &time), html(letter, why, preferences, &time))
}

type Why = [(Kind, Reason, Option<String>)];

fn text(letter: &Letter, why: &Why, preferences: &str, time: &dyn Fn(Timestamp) -> String) -> String {
    let mut text = format!("{}\n{}\n", letter.title, letter.link);
    // Writing to a String cannot fail.
    for block in &letter.blocks {
        let _ = write!(text, "\n{}", block.heading);
        if let Some(at) = block.at {
            let _ = write!(text, " · {}", time(at));
        }
        text.push('\n');
        if !block.quote.is_empty() {
            let _ = writeln!(text, "> {}", block.quote);
        }
        for (words, link) in &block.lines {
            let _ = writeln!(text, "- {words}\n  {link}");
        }
        if !block.link.is_empty() {
            let _ = writeln!(text, "{}", block.link);
        }
    }
    if letter.more > 0 {
        let _ = writeln!(text, "\nAnd {} more.", letter.more);
    }
    text.push_str("\n-- \n");
    for (kind, reason, link) in why {
        let _ = writeln!(text, "You get this because {} ({}).", reason.because(), kind.label());
        if let Some(link) = link {
            let _ = writeln!(text, "No more mail of this kind: {link}");
        }
    }
    let _ = writeln!(text, "What you are told, and when: {preferences}");
    text
}

fn html(letter: &Letter, why: &Why, preferences: &str, time: &dyn Fn(Timestamp) -> String) -> String {
    let link = |link: &str, words: &str| format!("<a href=\"{}\">{}</a>", escape(link), escape(words));
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"color-scheme\" content=\"light dark\"></head>\n\
         <body style=\"font-family:system-ui,sans-serif;line-height:1.5;max-width:40rem\">\n",
    );
    let _ = writeln!(html, "<h1 style=\"font-size:1.1rem\">{}</h1>", link(&letter.link, &letter.title));
    for block in &letter.blocks {
        let heading = if block.link.is_empty() { escape(&block.heading) } else { link(&block.link, &block.heading) };
        let at = block.at.map(|at| format!(" · {}", escape(&time(at)))).unwrap_or_default();
        let _ = writeln!(html, "<p style=\"margin-bottom:.25rem\"><b>{heading}</b>{at}</p>");
        if !block.quote.is_empty() {
            let quote = escape(&block.quote);
            let _ = writeln!(
                html,
                "<blockquote style=\"margin:0;padding-left:.75rem;border-left:3px solid #999\">{quote}</blockquote>"
            );
        }
        if !block.lines.is_empty() {
            html.push_str("<ul style=\"margin-top:0\">\n");
            for (words, to) in &block.lines {
                let _ = writeln!(html, "<li>{}</li>", link(to, words));
            }
            html.push_str("</ul>\n");
        }
    }
    if letter.more > 0 {
        let _ = writeln!(html, "<p>And {} more.</p>", letter.more);
    }
    html.push_str("<hr>\n<p style=\"font-size:.85rem\">");
    for (kind, reason, off) in why {
        let _ = write!(html, "You get this because {} ({}).", reason.because(), escape(kind.label()));
        if let Some(off) = off {
            let _ = write!(html, " {}.", link(off, "No more mail of this kind"));
        }
        html.push_str("<br>\n");
    }
    let _ = writeln!(html, "{}</p>\n</body></html>", link(preferences, "What you are told, and when"));
    html
}

/// Text as HTML, also within quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}
