//! From a selection in rendered text to the bytes of its source, and back.
//!
//! A browser counts UTF-16 units of the text it shows; a thread is anchored to bytes of the Markdown. Between them stand
//! the runs of a block (`data-runs`), separated by spaces, which describe the block's text without a hole:
//!
//! | run | meaning |
//! |---|---|
//! | `S+N` | N units that stand word for word in the source from byte S on |
//! | `S-E+N` | N units that stand for the bytes S..E as one piece; a selection takes it whole |
//! | `+N` | N units that have no source |
//!
//! Nothing here touches the page, so that it can be tested without one.

use std::ops::Range;

/// Where a run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Word for word from this byte on.
    Verbatim(usize),
    /// These bytes, indivisible.
    Whole(usize, usize),
    /// Nowhere.
    Generated,
}

/// One run: its origin and its length in UTF-16 units.
type Run = (Origin, usize);

/// Reads one run; `None` when it is none.
fn run(word: &str) -> Option<Run> {
    let (origin, units) = word.split_once('+')?;
    let origin = match origin.split_once('-') {
        Some((start, end)) => Origin::Whole(start.parse().ok()?, end.parse().ok()?),
        None if origin.is_empty() => Origin::Generated,
        None => Origin::Verbatim(origin.parse().ok()?),
    };
    Some((origin, units.parse().ok()?))
}

/// The bytes of the source that a selection of UTF-16 units of a block's text stands for. `None` when nothing of it has
/// a source.
pub fn source_of(runs: &str, text: &str, selected: Range<usize>) -> Option<Range<usize>> {
    let mut hull: Option<Range<usize>> = None;
    let mut at = 0;
    let mut rest = text;
    for (origin, units) in runs.split(' ').filter_map(run) {
        let (shown, after) = rest.split_at(byte_at(rest, units, Snap::After));
        let (from, to) = (selected.start.max(at), selected.end.min(at + units));
        if from < to {
            let piece = match origin {
                Origin::Verbatim(start) => {
                    let from = byte_at(shown, from - at, Snap::Before);
                    let to = byte_at(shown, to - at, Snap::After);
                    Some(start + from..start + to)
                }
                Origin::Whole(start, end) => Some(start..end),
                Origin::Generated => None,
            };
            hull = piece.map_or(hull.clone(), |piece| Some(join(hull, piece)));
        }
        at += units;
        rest = after;
        if at >= selected.end {
            break;
        }
    }
    hull.filter(|hull| hull.start < hull.end)
}

/// The UTF-16 units of a block's text that show a range of bytes of the source. `None` when nothing of it is shown.
pub fn units_of(runs: &str, text: &str, source: Range<usize>) -> Option<Range<usize>> {
    let mut hull: Option<Range<usize>> = None;
    let mut at = 0;
    let mut rest = text;
    for (origin, units) in runs.split(' ').filter_map(run) {
        let (shown, after) = rest.split_at(byte_at(rest, units, Snap::After));
        let piece = match origin {
            Origin::Verbatim(start) => {
                let (from, to) = (source.start.max(start), source.end.min(start + shown.len()));
                (from < to).then(|| {
                    let from = shown.floor_char_boundary(from - start);
                    let to = shown.ceil_char_boundary(to - start);
                    at + units_in(&shown[..from])..at + units_in(&shown[..to])
                })
            }
            Origin::Whole(start, end) => (start < source.end && source.start < end).then_some(at..at + units),
            Origin::Generated => None,
        };
        if let Some(piece) = piece {
            hull = Some(join(hull, piece));
        }
        at += units;
        rest = after;
    }
    hull.filter(|hull| hull.start < hull.end)
}

/// What to do with half a character: a surrogate pair is two units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Snap {
    Before,
    After,
}

/// The byte at which `units` UTF-16 units of `text` end.
fn byte_at(text: &str, units: usize, snap: Snap) -> usize {
    let mut seen = 0;
    for (byte, character) in text.char_indices() {
        if seen >= units {
            return byte;
        }
        seen += character.len_utf16();
        if seen > units {
            return if snap == Snap::Before { byte } else { byte + character.len_utf8() };
        }
    }
    text.len()
}

fn units_in(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn join(hull: Option<Range<usize>>, piece: Range<usize>) -> Range<usize> {
    hull.map_or(piece.clone(), |hull| hull.start.min(piece.start)..hull.end.max(piece.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_around_their_markup() {
        // Source: `a **bold** word` from byte 10 on; shown: `a bold word`.
        let (runs, text) = ("10+2 14+4 20+5", "a bold word");
        assert_eq!(source_of(runs, text, 2..6), Some(14..18));
        assert_eq!(source_of(runs, text, 0..11), Some(10..25));
        assert_eq!(source_of(runs, text, 4..8), Some(16..22));
        assert_eq!(units_of(runs, text, 14..18), Some(2..6));
        assert_eq!(units_of(runs, text, 12..20), Some(2..6), "the asterisks are not shown");
        assert_eq!(units_of(runs, text, 10..25), Some(0..11));
        assert_eq!(units_of(runs, text, 12..14), None, "only asterisks");
    }

    #[test]
    fn units_and_bytes_differ_outside_of_ascii() {
        // ñ: 1 unit, 2 bytes; 🧊: 2 units, 4 bytes.
        let (runs, text) = ("0+6", "añ🧊zü");
        assert_eq!(source_of(runs, text, 1..2), Some(1..3));
        assert_eq!(source_of(runs, text, 2..4), Some(3..7));
        assert_eq!(source_of(runs, text, 3..4), Some(3..7), "half a character is taken whole");
        assert_eq!(source_of(runs, text, 2..3), Some(3..7), "half a character is taken whole");
        assert_eq!(units_of(runs, text, 3..7), Some(2..4));
        assert_eq!(units_of(runs, text, 7..10), Some(4..6));
    }

    #[test]
    fn an_entity_is_one_piece_and_generated_text_is_nothing() {
        // Source: `a &amp; b`; then a label of the renderer's own.
        let (runs, text) = ("0+2 2-7+1 7+2 +5", "a & bLabel");
        assert_eq!(source_of(runs, text, 2..3), Some(2..7));
        assert_eq!(source_of(runs, text, 1..4), Some(1..8));
        assert_eq!(source_of(runs, text, 5..10), None);
        assert_eq!(source_of(runs, text, 3..10), Some(7..9));
        assert_eq!(units_of(runs, text, 4..5), Some(2..3), "any byte of it shows all of it");
    }

    #[test]
    fn nonsense_selects_nothing() {
        assert_eq!(source_of("", "", 0..0), None);
        assert_eq!(source_of("x y+ +z 3-+4", "text", 0..4), None);
        assert_eq!(source_of("5+4", "text", 2..2), None);
        assert_eq!(source_of("5+4", "text", 9..12), None);
        assert_eq!(units_of("5+4", "text", 0..5), None);
    }

    #[test]
    fn there_and_back_again() {
        let (runs, text) = ("3+4 10-15+1 15+3 +2 20+4", "añ🧊&x ü..end!");
        let all = units_in(text);
        for start in 0..all {
            for end in start + 1..=all {
                let Some(source) = source_of(runs, text, start..end) else { continue };
                let shown = units_of(runs, text, source.clone()).unwrap();
                assert_eq!(source_of(runs, text, shown.clone()), Some(source), "{start}..{end} {shown:?}");
            }
        }
    }
}
