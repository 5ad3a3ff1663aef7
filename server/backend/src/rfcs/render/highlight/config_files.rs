//! Colours for the configuration files that syntect's own set lacks: TOML, INI, HCL (Terraform), Dockerfiles.
//!
//! A line at a time and by what they have in common: comments, `[sections]`, `key =`, words that begin a block or an
//! instruction, strings, numbers. What spans lines (a string in `"""`) is not followed.

use std::ops::Range;

/// Whether this language is coloured here.
pub(super) fn is_known(language: &str) -> bool {
    matches!(language, "toml" | "ini" | "cfg" | "conf" | "hcl" | "terraform" | "tf" | "dockerfile" | "containerfile")
}

/// The parts of a line that have a class, in order.
pub(super) fn classes(line: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    let mut at = line.len() - line.trim_start().len();
    let body = &line[at..];
    if body.starts_with(['#', ';']) || body.starts_with("//") {
        return vec![(at..line.len(), "hl-comment")];
    }
    if body.starts_with('[')
        && let Some(end) = body.rfind(']')
        && !body.contains(['=', ','])
    {
        return vec![(at..at + end + 1, "hl-type")];
    }
    let first = word(body);
    if !first.is_empty() {
        let after = body[first.len()..].trim_start();
        if after.starts_with('=') && !after.starts_with("==") {
            found.push((at..at + first.len(), "hl-attribute"));
            at += first.len();
        } else if after.trim_end().ends_with('{') || first.bytes().all(|byte| byte.is_ascii_uppercase()) {
            found.push((at..at + first.len(), "hl-keyword"));
            at += first.len();
        }
    }
    while let Some(next) = line[at..].chars().next() {
        let rest = &line[at..];
        let (len, class) = match next {
            '"' | '\'' => (string_len(rest, next), Some("hl-string")),
            '#' => (rest.len(), Some("hl-comment")),
            _ if next.is_alphanumeric() || next == '_' => {
                let word = word(rest);
                let value = next.is_ascii_digit() || matches!(word, "true" | "false" | "null");
                (word.len(), value.then_some("hl-number"))
            }
            _ => (next.len_utf8(), None),
        };
        found.extend(class.map(|class| (at..at + len, class)));
        at += len;
    }
    found
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).unwrap_or(text.len())]
}

/// The length of the string at the start of `text`, to its closing quote or the end of the line.
fn string_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = quote == '"',
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Vec<(&str, &str)> {
        classes(line).into_iter().map(|(range, class)| (&line[range], &class[3..])).collect()
    }

    #[test]
    fn lines_of_configuration() {
        assert_eq!(parts("[package.x] \n"), [("[package.x]", "type")]);
        assert_eq!(parts("  # note\n"), [("  # note\n".trim_start(), "comment")]);
        assert_eq!(
            parts("edition.workspace = true # x\n"),
            [("edition.workspace", "attribute"), ("true", "number"), ("# x\n", "comment")]
        );
        assert_eq!(
            parts(r#"a = ["\"b", 'c\', 1.5]"#),
            [("a", "attribute"), (r#""\"b""#, "string"), (r"'c\'", "string"), ("1.5", "number")]
        );
        assert_eq!(
            parts("resource \"a\" \"b\" {\n"),
            [("resource", "keyword"), ("\"a\"", "string"), ("\"b\"", "string")]
        );
        assert_eq!(parts("FROM rust:1 AS build"), [("FROM", "keyword"), ("1", "number")]);
        assert_eq!(parts("a = \"open\n"), [("a", "attribute"), ("\"open", "string")]);
        assert_eq!(parts("é == 1"), [("1", "number")]);
        assert_eq!(parts(""), []);
    }
}
