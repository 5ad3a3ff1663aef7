//! The headings of a Markdown text, found without parsing it: enough to say which section a position is in.

/// The headings of a text, in order.
#[derive(Debug)]
pub(super) struct Outline<'a> {
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
    pub(super) fn of(text: &'a str) -> Self {
        let mut headings = Vec::new();
        let mut fence: Option<(char, usize)> = None;
        let mut above: Option<(usize, &str)> = None;
        let mut next = 0;
        for line in text.split_inclusive('\n') {
            let start = next;
            next += line.len();
            let body = line.trim();
            let paragraph = above.take();
            let marks = run(body, '#');
            if let Some((mark, length)) = fence {
                fence = fence.filter(|_| run(body, mark) < length || !body.trim_start_matches(mark).is_empty());
            } else if body.is_empty() || line.starts_with("    ") || line.starts_with('\t') {
                // Between paragraphs, or indented code.
            } else if let Some(mark) = ['`', '~'].into_iter().find(|&mark| run(body, mark) >= 3) {
                fence = Some((mark, run(body, mark)));
            } else if (1..=6).contains(&marks) && body[marks..].chars().next().is_none_or(char::is_whitespace) {
                headings.push(Heading { start, level: marks, title: body.trim_matches('#').trim() });
            } else if let (Some((start, title)), Some(level)) = (paragraph, underline(body)) {
                headings.push(Heading { start, level, title });
            } else {
                above = Some((start, body));
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

/// The level of the title above this line, if the line is only `=` or only `-`.
fn underline(line: &str) -> Option<usize> {
    ['=', '-'].into_iter().position(|mark| line.trim_matches(mark).is_empty()).map(|at| at + 1)
}
