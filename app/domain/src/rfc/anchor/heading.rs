//! The headings of a Markdown text, found without parsing it: enough to say which section a position is in.

use super::Span;

/// The headings of a text, as the spans of their lines, in order. Lines inside fenced code are no headings.
pub(super) fn headings(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut fence: Option<(char, usize)> = None;
    let mut above: Option<Span> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let span = Span { start, end: start + line.trim_end().len() };
        start += line.len();
        let indent = line.len() - line.trim_start_matches(' ').len();
        let body = line.trim();
        let paragraph = above.take();
        if let Some((mark, length)) = fence {
            if run(body, mark) >= length && body.trim_matches(mark).is_empty() {
                fence = None;
            }
        } else if indent > 3 || body.is_empty() {
        } else if let Some(opened) = ['`', '~'].into_iter().find(|&mark| run(body, mark) >= 3) {
            fence = Some((opened, run(body, opened)));
        } else if (1..=6).contains(&run(body, '#'))
            && matches!(body.trim_start_matches('#').chars().next(), None | Some(' ' | '\t'))
        {
            found.push(span);
        } else if let Some(title) =
            paragraph.filter(|_| body.trim_matches('=').is_empty() || body.trim_matches('-').is_empty())
        {
            found.push(title);
        } else {
            above = Some(span);
        }
    }
    found
}

/// How often `mark` stands at the start of a line.
fn run(line: &str, mark: char) -> usize {
    line.chars().take_while(|&c| c == mark).count()
}

/// The last heading that starts at or before `position`.
pub(super) fn heading_of(headings: &[Span], position: usize) -> Option<Span> {
    headings[..headings.partition_point(|heading| heading.start <= position)].last().copied()
}
