//! Text that remembers where in the source it comes from.

use std::ops::Range;

/// A piece of [`Mapped`] text with one origin.
#[derive(Debug, Clone)]
struct Segment {
    /// Its bytes in the text.
    text: Range<usize>,
    /// Its bytes in the source.
    source: Range<usize>,
    /// Whether both are the same letters; otherwise the piece is indivisible.
    verbatim: bool,
}

/// Text collected from the source piece by piece.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    text: String,
    segments: Vec<Segment>,
}

/// Where a piece of shown text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Letter for letter from this byte on.
    Verbatim(usize),
    /// These bytes as a whole.
    Whole(Range<usize>),
    /// Nowhere: the renderer's own words.
    Generated,
}

impl Mapped {
    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Adds `text`, which the parser read from `source[range]`.
    pub(super) fn push(&mut self, source: &str, text: &str, range: Range<usize>) {
        match source.get(range.clone()) {
            Some(slice) if slice == text => self.segment(text, range, true),
            // An entity stands for what it names as a whole, even where that is its own first letter.
            Some(slice) if !(slice.starts_with('&') && slice.ends_with(';')) => self.align(text, slice, range),
            _ => self.segment(text, range, false),
        }
    }

    /// Adds `text` as one indivisible piece standing for `source`.
    pub(super) fn push_whole(&mut self, text: &str, source: Range<usize>) {
        self.segment(text, source, false);
    }

    /// Adds part of another text, origins included.
    pub(super) fn append(&mut self, other: &Self, range: Range<usize>) {
        for (text, origin) in other.pieces(range) {
            match origin {
                Origin::Verbatim(start) => self.segment(text, start..start + text.len(), true),
                Origin::Whole(source) => self.segment(text, source, false),
                Origin::Generated => {}
            }
        }
    }

    /// The bytes of the source from the first to the last of `range` of the text.
    pub(super) fn source_of(&self, range: Range<usize>) -> Range<usize> {
        let mut hull: Option<Range<usize>> = None;
        for (text, origin) in self.pieces(range) {
            let piece = match origin {
                Origin::Verbatim(start) => start..start + text.len(),
                Origin::Whole(source) => source,
                Origin::Generated => continue,
            };
            hull = Some(hull.map_or(piece.clone(), |hull| hull.start.min(piece.start)..hull.end.max(piece.end)));
        }
        hull.unwrap_or_default()
    }

    /// The pieces of `range` of the text, each with its origin.
    pub(super) fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = (&str, Origin)> {
        let first = self.segments.partition_point(|segment| segment.text.end <= range.start);
        let overlapping = self.segments[first..].iter().take_while(move |segment| segment.text.start < range.end);
        overlapping.map(move |segment| {
            let part = segment.text.start.max(range.start)..segment.text.end.min(range.end);
            let origin = if segment.verbatim {
                Origin::Verbatim(segment.source.start + (part.start - segment.text.start))
            } else {
                Origin::Whole(segment.source.clone())
            };
            (&self.text[part], origin)
        })
    }

    fn segment(&mut self, text: &str, source: Range<usize>, verbatim: bool) {
        if text.is_empty() {
            return;
        }
        let at = self.text.len();
        self.text.push_str(text);
        if verbatim
            && let Some(last) = self.segments.last_mut()
            && last.verbatim
            && last.source.end == source.start
        {
            last.text.end = self.text.len();
            last.source.end = source.end;
            return;
        }
        self.segments.push(Segment { text: at..self.text.len(), source, verbatim });
    }

    /// Text that differs from its source: letter by letter as far as the known differences explain it (a line break
    /// shown as a space, the `>` and indentation of a continued line, an escaped `|`), the rest as one piece.
    fn align(&mut self, text: &str, slice: &str, range: Range<usize>) {
        let (mut shown, mut read) = (0, 0);
        while shown < text.len() {
            let (rest, left) = (&text[shown..], &slice[read..]);
            let same = common_prefix(rest, left);
            if same > 0 {
                self.segment(&rest[..same], range.start + read..range.start + read + same, true);
                shown += same;
                read += same;
            } else if rest.starts_with(' ') && left.starts_with('\n') {
                self.segment(" ", range.start + read..range.start + read + 1, false);
                shown += 1;
                read += 1;
            } else if let Some(skipped) = skippable(left, rest) {
                read += skipped;
            } else {
                return self.segment(rest, range.start + read..range.end.max(range.start + read), false);
            }
        }
    }
}

fn common_prefix(a: &str, b: &str) -> usize {
    let same = a.chars().zip(b.chars()).take_while(|(x, y)| x == y);
    same.map(|(x, _)| x.len_utf8()).sum()
}

/// How many bytes of `left` to leave out so that it goes on as `text`: a backslash, or the start of a continued line.
fn skippable(left: &str, text: &str) -> Option<usize> {
    let next = text.chars().next()?;
    if let Some(escaped) = left.strip_prefix('\\') {
        return escaped.starts_with(next).then_some(1);
    }
    let prefix = left.len() - left.trim_start_matches([' ', '\t', '>', '\r']).len();
    (prefix > 0 && left[prefix..].starts_with(next)).then_some(prefix)
}
