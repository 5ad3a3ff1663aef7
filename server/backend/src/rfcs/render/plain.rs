//! Markdown as a line of plain words: what a reader would recognise in a list or above a thread.

use std::borrow::Cow;

use pulldown_cmark::{Event, Options, Parser, TagEnd};

/// What a piece of Markdown says, without its marks. Code keeps every character; so does what only looks like a mark.
pub fn plain(markdown: &str) -> Cow<'_, str> {
    // Most pieces are words: nothing to take away from them.
    if !markdown.contains(['*', '_', '`', '[', '|', '#', '>', '<', '~', '\\', '&', '-', '+', '=']) {
        return Cow::Borrowed(markdown);
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut words = String::with_capacity(markdown.len());
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) | Event::Html(text) => {
                words.push_str(&text);
            }
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell | TagEnd::CodeBlock,
            ) => words.push(' '),
            _ => {}
        }
    }
    Cow::Owned(words)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn marks_go_and_words_stay() {
        for (markdown, expected) in [
            ("Just words.", "Just words."),
            ("What if it is *older* than **that**?", "What if it is older than that?"),
            (
                "See [the runbook](https://example.com) or `open(a || b, **rest)`.",
                "See the runbook or open(a || b, **rest).",
            ),
            ("let all = one || two ** three;", "let all = one || two ** three;"),
            ("# Why\n\n- first\n- second", "Why first second"),
            ("| Gate | Now |\n| --- | --- |\n| A | `open()` |", "Gate Now A open()"),
            ("```rust\nlet a = \"**\";\n```", "let a = \"**\";"),
            ("a Vec<String> & more", "a Vec<String> & more"),
            ("cut in the **middle", "cut in the **middle"),
        ] {
            assert_eq!(plain(markdown).split_whitespace().collect::<Vec<_>>().join(" "), expected, "{markdown}");
        }
    }
}
