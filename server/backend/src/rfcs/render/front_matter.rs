//! The `---` lines some documents begin with: names and values above the text.

use std::ops::Range;

use super::mapped::Mapped;
use super::writer::Writer;

/// The bytes of the front matter, both fences included. `None` when the document has none.
///
/// Only at the very beginning and only with a name in its first line, so that two thematic breaks stay what they are.
pub(crate) fn range(body: &str) -> Option<Range<usize>> {
    let mut lines = body.split_inclusive('\n');
    let opening = lines.next().filter(|line| line.trim_end() == "---")?;
    let mut end = opening.len();
    for (number, line) in lines.enumerate() {
        end += line.len();
        if matches!(line.trim_end(), "---" | "...") {
            return (number > 0).then_some(0..end);
        }
        if number == 0 {
            entry(line)?;
        }
    }
    None
}

/// The names and values in front matter, with the bytes of each in `body`. A value goes on over the lines that begin
/// with white space, a hyphen or a hash sign.
pub(crate) fn entries(body: &str, range: Range<usize>) -> Vec<(Range<usize>, Range<usize>)> {
    let mut entries: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let mut at = range.start;
    for line in body[range].split_inclusive('\n') {
        let start = at;
        at += line.len();
        let text = line.trim_end();
        if text.is_empty() || text == "---" || text == "..." {
            continue;
        }
        if let Some((name, value)) = entry(text) {
            let value_start = start + text.len() - value.len();
            entries.push((start..start + name.len(), value_start..start + text.len()));
        } else if let Some((_, value)) = entries.last_mut() {
            value.end = start + text.len();
        }
    }
    entries
}

/// Splits `name: value`.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.');
    let named = name.starts_with(char::is_alphanumeric) && name.chars().all(plain);
    (named && (value.is_empty() || value.starts_with(char::is_whitespace))).then_some((name, value.trim()))
}

/// Writes front matter as a list of names and values.
pub(super) fn write(writer: &mut Writer, body: &str, range: Range<usize>) {
    writer.begin();
    writer.open("dl", &[("class", "md-front-matter")]);
    for (name, value) in entries(body, range) {
        for (tag, part) in [("dt", name), ("dd", value)] {
            let mut text = Mapped::default();
            text.push(body, &body[part.clone()], part);
            writer.begin();
            writer.open(tag, &[]);
            writer.text(&text, 0..text.as_str().len());
            writer.end();
        }
    }
    writer.end();
}
