//! The headings of a Markdown text, found without parsing it: enough to say which section a position is in.

/// The headings of a text, in order.
#[derive(Debug)]
pub struct Outline<'a> {
    headings: Vec<Heading<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heading<'a> {
    start: usize,
    /// 1 to 6.
    level: usize,
    title: &'a str,
}

impl<'a> Outline<'a> {
    /// Reads `# Title` and underlined titles; lines inside fenced code are no headings.
    pub fn of(text: &'a str) -> Self {
        let mut headings = Vec::new();
        let mut fence: Option<(char, usize)> = None;
        let mut above: Option<(usize, &str)> = None;
        let mut next = 0;
        for line in text.split_inclusive('\n') {
            let start = next;
            next += line.len();
            let body = line.trim();
            let paragraph = above.take();
            if let Some((mark, length)) = fence {
                fence = fence.filter(|_| run(body, mark) < length || !body.trim_start_matches(mark).is_empty());
                continue;
            }
            if line.starts_with("    ") || line.starts_with('\t') {
                continue; // indented code
            }
            match body.chars().next() {
                Some(mark @ ('`' | '~')) if run(body, mark) >= 3 => fence = Some((mark, run(body, mark))),
                Some('#') if is_marked(body) => {
                    let title = body.trim_matches('#').trim();
                    headings.push(Heading { start, level: run(body, '#'), title });
                }
                Some(mark @ ('=' | '-')) if body.trim_matches(mark).is_empty() => {
                    let level = if mark == '=' { 1 } else { 2 };
                    headings.extend(paragraph.map(|(start, title)| Heading { start, level, title }));
                }
                Some(_) => above = Some((start, body)),
                None => {}
            }
        }
        Self { headings }
    }

    /// Where the nearest heading at or above `position` of the `old` text is here: the one with the same title, and of
    /// several the one under the same parents.
    pub(super) fn nearest(&self, old: &Outline<'_>, position: usize) -> Option<usize> {
        let above = old.headings.partition_point(|heading| heading.start <= position);
        (0..above).rev().find_map(|at| {
            let mut same = (0..self.headings.len()).filter(|&here| self.headings[here].title == old.headings[at].title);
            let first = same.next()?;
            let here = match same.next() {
                None => first,
                Some(second) => {
                    [first, second].into_iter().chain(same).find(|&here| self.path(here) == old.path(at))?
                }
            };
            Some(self.headings[here].start)
        })
    }

    /// The titles of a heading and of those it stands under, from the inside out.
    fn path(&self, at: usize) -> Vec<&'a str> {
        let mut level = usize::MAX;
        let outward = self.headings[..=at].iter().rev().filter(|heading| {
            let outer = heading.level < level;
            level = level.min(heading.level);
            outer
        });
        outward.map(|heading| heading.title).collect()
    }
}

/// How often `mark` stands at the start of a line.
fn run(line: &str, mark: char) -> usize {
    line.chars().take_while(|&c| c == mark).count()
}

/// Whether a line that starts with `#` is a heading: at most six of them, then a space.
fn is_marked(line: &str) -> bool {
    let marks = run(line, '#');
    marks <= 6 && line[marks..].chars().next().is_none_or(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str) -> Vec<(usize, &str)> {
        Outline::of(text).headings.iter().map(|heading| (heading.level, heading.title)).collect()
    }

    #[test]
    fn marked_and_underlined_titles_are_headings() {
        let text = "# One #\n\n   ### Three\n\nFirst\n=====\n\nSecond\n---\n\n---\n#hashtag\n####### seven\n";
        assert_eq!(titles(text), [(1, "One"), (3, "Three"), (1, "First"), (2, "Second")]);
    }

    #[test]
    fn code_has_no_headings() {
        let text = "````sh\n# no\n```\n# no\n````\n# Yes\n\n    # no\n~~~\n# no, to the end\n";
        assert_eq!(titles(text), [(1, "Yes")]);
    }

    #[test]
    fn of_equal_titles_the_one_under_the_same_parents_is_nearest() {
        let old = "# A\n## Tests\n# B\n## Tests\ntext\n";
        let new = "# Intro\n# A\n## Tests\n# B\n## Tests\n";
        let position = old.find("text").unwrap();
        assert_eq!(Outline::of(new).nearest(&Outline::of(old), position), new.rfind("## Tests"));
        // The heading itself is gone: the one above it.
        assert_eq!(Outline::of("# A\n# B\n").nearest(&Outline::of(old), position), Some(4));
        assert_eq!(Outline::of("# C\n").nearest(&Outline::of(old), position), None);
    }
}
