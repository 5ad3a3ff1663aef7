//! Text to rows, piece by piece: CSV as sheets and tools write it, JSON as a list or one object a line. No row is ever
//! longer than [`LONGEST`], so that a quote that is never closed does not take the rest of the file with it.

use serde_json::{Deserializer, Map, Value};

/// Bytes of one row at most: 1 MiB.
pub(super) const LONGEST: usize = 1024 * 1024;
/// Cells of a first row of several lines at most.
const WIDEST: usize = 1000;
/// JSON: how much of the text is waited for to see where the entries begin.
const BEGINNING: usize = 4096;
/// What the list of incidents is called in the object that holds it.
const LISTS: [&str; 5] = ["incidents", "items", "data", "results", "records"];

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Its first line, from 1.
    pub(super) line: u64,
    pub(super) cells: Cells,
}

/// What stands in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cells {
    /// By column.
    Csv(Vec<String>),
    /// By name.
    Json(Map<String, Value>),
}

/// What cannot be read, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: u64,
    pub(super) reason: String,
}

/// How a file is to be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv { delimiter: u8 },
    Json,
}

impl Format {
    /// The format that the beginning of the text speaks for.
    pub(super) fn guess(beginning: &str) -> Self {
        if beginning.trim_start().starts_with(['[', '{']) {
            return Self::Json;
        }
        // What stands most often between the words of the first line.
        let line = beginning.trim_start_matches(['\r', '\n']).split(['\r', '\n']).next().unwrap_or_default();
        let mut quoted = false;
        let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
        for byte in line.bytes() {
            quoted ^= byte == b'"';
            if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| *delimiter == byte && !quoted) {
                *count += 1;
            }
        }
        let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
        Self::Csv { delimiter: most.map_or(b',', |(delimiter, _)| delimiter) }
    }

    /// The format in words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Csv { delimiter: b';' } => "CSV separated by semicolons",
            Self::Csv { delimiter: b'\t' } => "CSV separated by tabs",
            Self::Csv { .. } => "CSV separated by commas",
            Self::Json => "JSON",
        }
    }
}

/// Takes text apart.
pub(super) struct Rows {
    format: Format,
    /// Columns of the first row; a row that has others and several lines is one whose quotes went wrong.
    width: Option<usize>,
    /// What is not taken apart yet begins at `from`.
    text: String,
    from: usize,
    /// The line at `from`.
    line: u64,
    /// No text comes any more.
    ended: bool,
    /// JSON: the list is closed, or what stands there cannot be read.
    over: bool,
    /// JSON: whether the entries stand in a list; nothing while the text has not told.
    listed: Option<bool>,
}

/// What is next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Row(Row),
    Unreadable(Unreadable),
    /// More text is needed.
    More,
    /// There is nothing more.
    End,
}

/// What taking one row from the text came to.
enum Taken {
    /// Its cells, and where the next one begins.
    Row(Vec<String>, usize),
    /// The text ends before the row does.
    More,
    /// A quote of this column is never closed.
    Unclosed(usize),
    /// It has several lines, and what stands in them is no row.
    Astray,
}

impl Rows {
    pub(super) fn new(format: Format) -> Self {
        let text = String::new();
        Self { format, width: None, text, from: 0, line: 1, ended: false, over: false, listed: None }
    }

    /// Takes in more text. `last`: it is the last of it.
    pub(super) fn push(&mut self, text: &str, last: bool) {
        self.text.drain(..self.from);
        self.from = 0;
        self.text.push_str(text);
        self.ended = last;
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Next {
        match self.format {
            Format::Csv { delimiter } => self.next_csv(delimiter),
            Format::Json => self.next_json(),
        }
    }

    /// Goes on at `to`, counting the lines between.
    fn go_to(&mut self, to: usize) {
        let text = self.text.as_bytes();
        for (index, byte) in text[self.from..to].iter().enumerate() {
            // A carriage return counts unless a line feed comes with it.
            if *byte == b'\n' || (*byte == b'\r' && text.get(self.from + index + 1) != Some(&b'\n')) {
                self.line += 1;
            }
        }
        self.from = to;
    }

    fn next_csv(&mut self, delimiter: u8) -> Next {
        loop {
            let rest = &self.text.as_bytes()[self.from..];
            // Empty lines say nothing.
            let blank = blanks(rest, self.ended, |byte| matches!(byte, b'\n' | b'\r'));
            if blank > 0 {
                self.go_to(self.from + blank);
                continue;
            }
            if rest.is_empty() {
                return if self.ended { Next::End } else { Next::More };
            }
            if rest == b"\r" && !self.ended {
                return Next::More;
            }
            let line = self.line;
            let taken = take_csv(rest, delimiter, self.width, self.ended);
            let reason = match taken {
                Taken::More if rest.len() <= LONGEST => return Next::More,
                Taken::Row(cells, length) if length <= LONGEST => {
                    self.width.get_or_insert(cells.len());
                    self.go_to(self.from + length);
                    if cells.iter().all(|cell| cell.trim().is_empty()) {
                        continue;
                    }
                    return Next::Row(Row { line, cells: Cells::Csv(cells) });
                }
                Taken::Astray => {
                    "The quotes of this row go on in a line below, as if another row belonged to it: one is missing or too many."
                        .to_owned()
                }
                Taken::Unclosed(column) => format!("The quote that begins column {column} is never closed."),
                Taken::Row(..) | Taken::More => "This row is longer than 1 MiB: a quote is not closed.".to_owned(),
            };
            // Only this line is lost; the next one begins a row of its own.
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
            self.go_to(self.from + end);
            return Next::Unreadable(Unreadable { line, reason });
        }
    }

    fn next_json(&mut self) -> Next {
        if self.over {
            return Next::End;
        }
        if self.listed.is_none() {
            let Some(inside) = begin_json(&self.text[self.from..], self.ended) else { return Next::More };
            self.listed = Some(self.text[self.from..self.from + inside].ends_with('['));
            self.go_to(self.from + inside);
        }
        let rest = &self.text.as_bytes()[self.from..];
        let blank = blanks(rest, self.ended, |byte| byte.is_ascii_whitespace() || byte == b',');
        self.go_to(self.from + blank);
        let (line, rest) = (self.line, &self.text.as_bytes()[self.from..]);
        let unreadable = |reason: String| Next::Unreadable(Unreadable { line, reason });
        match rest.first() {
            None if self.ended => Next::End,
            Some(b'\r') | None => Next::More,
            Some(b']') => {
                self.over = true;
                Next::End
            }
            Some(b'{') => match object_end(rest) {
                Some(end) if end <= LONGEST => {
                    let read = serde_json::from_slice::<Map<String, Value>>(&rest[..end]);
                    self.go_to(self.from + end);
                    match read {
                        Ok(members) => Next::Row(Row { line, cells: Cells::Json(members) }),
                        Err(error) => unreadable(format!("This is not JSON: {error}.")),
                    }
                }
                None if !self.ended && rest.len() <= LONGEST => Next::More,
                _ => {
                    self.over = true;
                    let mut reason =
                        "This entry is never closed, or longer than 1 MiB. Nothing after it was read.".to_owned();
                    if self.listed == Some(false) {
                        reason.push_str(" A list within an object is read when it is called ");
                        reason.push_str(&LISTS.join(", "));
                        reason.push('.');
                    }
                    unreadable(reason)
                }
            },
            Some(_) => {
                self.over = true;
                unreadable("Here an object in braces is expected. Nothing after it was read.".to_owned())
            }
        }
    }
}

/// How many of the first bytes say nothing. A carriage return at the end waits for the line feed that may belong to it.
fn blanks(text: &[u8], ended: bool, is_blank: impl Fn(u8) -> bool) -> usize {
    let blank = text.iter().take_while(|byte| is_blank(**byte)).count();
    if blank == text.len() && !ended && text.last() == Some(&b'\r') { blank - 1 } else { blank }
}

/// Where the entries begin: after `[`, or after `{"total": 2, "items": [` and the like; at once for one object a line.
/// `None`: more text is needed to tell.
fn begin_json(text: &str, ended: bool) -> Option<usize> {
    let begins = text.len() - text.trim_start().len();
    let rest = &text[begins..];
    if rest.starts_with('[') {
        return Some(begins + 1);
    }
    if rest.len() < BEGINNING && !ended {
        return None;
    }
    Some(begins + wrapped_list(rest).unwrap_or(0))
}

/// Where the entries begin in an object that is not an incident but holds the list of them.
fn wrapped_list(object: &str) -> Option<usize> {
    let mut rest = object.strip_prefix('{')?;
    loop {
        let mut names = Deserializer::from_str(rest).into_iter::<String>();
        let name = names.next()?.ok()?.to_lowercase();
        // An incident may have such a list itself.
        if ["id", "title"].contains(&name.as_str()) {
            return None;
        }
        rest = rest[names.byte_offset()..].trim_start().strip_prefix(':')?.trim_start();
        if let Some(inside) = rest.strip_prefix('[') {
            // A list of names is a member like any other.
            let entries = inside.trim_start().starts_with(['{', ']']);
            return (entries && LISTS.contains(&name.as_str())).then_some(object.len() - inside.len());
        }
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        values.next()?.ok()?;
        rest = rest[values.byte_offset()..].trim_start().strip_prefix(',')?;
    }
}

/// The byte after the object that begins here.
fn object_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (index, byte) in text.iter().enumerate() {
        match (quoted, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The first row of the text. RFC 4180, and what others write: lone carriage returns, blanks around quotes, quotes within
/// a quoted cell that nobody doubled.
///
/// A row of several lines has doubled its quotes, and has the cells that others have (`width`); else one of its quotes is
/// missing. That is told as soon as it shows: a file in which each line opens a quote would be looked through to its end
/// for each line.
fn take_csv(text: &[u8], delimiter: u8, width: Option<usize>, ended: bool) -> Taken {
    let mut cells = Vec::new();
    let mut cell: Vec<u8> = Vec::new();
    let mut quoted = false;
    let mut was_quoted = false;
    // No more than blanks in the cell so far.
    let mut blank = true;
    // A quote that nobody doubled, and that the row has several lines.
    let (mut stray, mut several) = (false, false);
    let mut at = 0;
    let text_of = |cell: Vec<u8>| String::from_utf8(cell).unwrap_or_default();
    // Whether a row with another cell after these has too many.
    let is_full = |cells: &[String]| cells.len() >= width.unwrap_or(WIDEST);
    while let Some(byte) = text.get(at).copied() {
        if quoted {
            if byte != b'"' {
                several |= matches!(byte, b'\n' | b'\r');
                if several && (stray || is_full(&cells)) {
                    return Taken::Astray;
                }
                cell.push(byte);
                at += 1;
                continue;
            }
            if text.get(at + 1) == Some(&b'"') {
                cell.push(b'"');
                at += 2;
                continue;
            }
            // It closes when a delimiter or the row's end comes after it; else it is a letter like any other.
            let blanks = text[at + 1..].iter().take_while(|byte| **byte == b' ').count();
            match text.get(at + 1 + blanks) {
                None if !ended => return Taken::More,
                Some(next) if *next != delimiter && !matches!(next, b'\n' | b'\r') => {
                    cell.push(b'"');
                    stray = true;
                    at += 1;
                }
                _ => {
                    (quoted, was_quoted) = (false, true);
                    at += 1 + blanks;
                }
            }
            continue;
        }
        if byte == delimiter {
            cells.push(text_of(std::mem::take(&mut cell)));
            (was_quoted, blank) = (false, true);
        } else if byte == b'\n' || byte == b'\r' {
            if byte == b'\r' && at + 1 == text.len() && !ended {
                return Taken::More;
            }
            break;
        } else if byte == b'"' && !was_quoted && blank {
            cell.clear();
            quoted = true;
        } else {
            blank &= byte == b' ';
            cell.push(byte);
        }
        at += 1;
    }
    if at == text.len() && !ended {
        return Taken::More;
    }
    if quoted {
        return Taken::Unclosed(cells.len() + 1);
    }
    cells.push(text_of(cell));
    if several && (stray || width.is_some_and(|width| cells.len() != width)) {
        return Taken::Astray;
    }
    let end = if text[at..].starts_with(b"\r\n") { at + 2 } else { text.len().min(at + 1) };
    Taken::Row(cells, end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All rows, with the text given in pieces of `size` letters.
    fn all(text: &str, size: usize) -> Vec<Result<(u64, Cells), (u64, String)>> {
        let mut rows = Rows::new(Format::guess(text));
        let letters: Vec<char> = text.chars().collect();
        let mut pieces: Vec<String> = letters.chunks(size).map(|piece| piece.iter().collect()).collect();
        pieces.push(String::new());
        let last = pieces.len() - 1;
        let mut found = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            rows.push(piece, index == last);
            loop {
                match rows.next() {
                    Next::Row(row) => found.push(Ok((row.line, row.cells))),
                    Next::Unreadable(what) => found.push(Err((what.line, what.reason))),
                    Next::More | Next::End => break,
                }
            }
        }
        found
    }

    fn csv(text: &str) -> Vec<(u64, Vec<String>)> {
        let cells = |row: Result<(u64, Cells), _>| match row.unwrap() {
            (line, Cells::Csv(cells)) => (line, cells),
            (_, Cells::Json(_)) => panic!("not JSON"),
        };
        let whole: Vec<_> = all(text, 10_000).into_iter().map(cells).collect();
        let pieces: Vec<_> = all(text, 1).into_iter().map(cells).collect();
        assert_eq!(whole, pieces);
        whole
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|&cell| cell.to_owned()).collect())
    }

    #[test]
    fn cells_are_read_as_sheets_write_them() {
        assert_eq!(
            csv("a,b\r\n\r\n1,\"x\ny\"\r\n2,z"),
            [row(1, &["a", "b"]), row(3, &["1", "x\ny"]), row(5, &["2", "z"])]
        );
        assert_eq!(csv("a;b\n\"1;2\";3\n"), [row(1, &["a", "b"]), row(2, &["1;2", "3"])]);
        assert_eq!(csv("a\tb\n1\t5\" disk\n"), [row(1, &["a", "b"]), row(2, &["1", "5\" disk"])]);
        assert_eq!(csv("a,b\r1,2\r"), [row(1, &["a", "b"]), row(2, &["1", "2"])]);
        assert_eq!(csv("a,b\n \"x\" ,\"\"\n,\n"), [row(1, &["a", "b"]), row(2, &["x", ""])]);
        assert_eq!(
            csv("a,b\n\"he said \"hi\" to me\",\"q\"\"q\"\n"),
            [row(1, &["a", "b"]), row(2, &["he said \"hi\" to me", "q\"q"])]
        );
        assert_eq!(csv(""), []);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_one_line() {
        let found = all("a,b\n1,\"never\n2,x\n3,y\n", 10_000);
        assert!(matches!(&found[1], Err((2, why)) if why.contains("column 2")), "{found:?}");
        assert_eq!(
            found[2..],
            [Ok((3, Cells::Csv(vec!["2".into(), "x".into()]))), Ok((4, Cells::Csv(vec!["3".into(), "y".into()])))]
        );
        // Closed by a quote of another row: told by the quote in it, or by the number of columns.
        let found = all("a,b,c\n1,\"lost,x\n2,\"fine\",y\n", 3);
        assert!(matches!(&found[1], Err((2, why)) if why.contains("another row")), "{found:?}");
        assert_eq!(found[2], Ok((3, Cells::Csv(vec!["2".into(), "fine".into(), "y".into()]))));
        // A second one that is open at its line's end, told by its own row.
        let found = all("a,b\n1,\"one\n2,\"two\n3,\"it\nis \"\"fine\"\"\"\n", 3);
        assert!(matches!(&found[1..3], [Err((2, _)), Err((3, _))]), "{found:?}");
        assert_eq!(found[3], Ok((4, Cells::Csv(vec!["3".into(), "it\nis \"fine\"".into()]))));
        let endless = format!("a,b\n1,\"{}\n2,x\n", "no end\n".repeat(200_000));
        let found = all(&endless, 64 * 1024);
        assert!(matches!(&found[1], Err((2, why)) if why.contains("1 MiB")), "{:?}", found[1]);
        assert_eq!(found.last(), Some(&Ok((200_003, Cells::Csv(vec!["2".into(), "x".into()])))));
    }

    #[test]
    fn quotes_in_every_line_cost_no_more_than_the_lines() {
        for (line, good) in [
            ("INC-7,\"prod\" is down again,2\n", 0),
            ("INC-7,\"\"prod\"\" is down again,2\n", 0),
            ("INC-7,\"prod is down again,2\n", 0),
            ("a\",\"b\n", 0),
            ("a\",b\n", 20_000),
        ] {
            let began = std::time::Instant::now();
            let found = all(&format!("id,title,severity\n{}", line.repeat(20_000)), 64 * 1024);
            assert!(began.elapsed() < std::time::Duration::from_secs(10), "{line}: {:?}", began.elapsed());
            assert_eq!(found.len(), 20_001, "{line}");
            assert_eq!(found[1..].iter().filter(|row| row.is_ok()).count(), good, "{line}");
        }
    }

    #[test]
    fn json_is_a_list_a_wrapped_list_or_an_object_a_line() {
        let ids = |text: &str| {
            let id = |row: Result<(u64, Cells), (u64, String)>| match row {
                Ok((line, Cells::Json(members))) => format!("{line}:{}", members["id"]),
                other => format!("{other:?}"),
            };
            let whole: Vec<_> = all(text, 10_000).into_iter().map(id).collect();
            let pieces: Vec<_> = all(text, 1).into_iter().map(id).collect();
            assert_eq!(whole, pieces);
            whole
        };
        assert_eq!(ids("[\n{\"id\":1,\"x\":\"]}\\\"\"},\n {\"id\":2}]"), ["2:1", "3:2"]);
        assert_eq!(ids("{ \"incidents\" : [{\"id\":1}], \"next\": null}"), ["1:1"]);
        let paged =
            "{\"total\": 2, \"more\":false,\"page\":{\"id\":\"[{\"},\"Incidents\":[{\"id\":1},\n{\"id\":2}],\"x\":[]}";
        assert_eq!(ids(paged), ["1:1", "2:2"]);
        assert_eq!(ids("{\"id\":4,\"items\":[{\"id\":5}]}"), ["1:4"], "an incident with a list of its own");
        assert_eq!(ids("{\"total\":1,\"items\":[\"x\"],\"id\":6}"), ["1:6"], "a list of names");
        assert_eq!(ids("{\"id\":1}\n{\"id\":2,\"list\":[{}]}\n"), ["1:1", "2:2"]);
        assert_eq!(ids("{\"labels\":[\"a\"],\"id\":3}"), ["1:3"]);
        assert!(ids("[{\"id\":1},7]")[1].contains("braces"));
        let open = ids("[{\"id\":1},{\"id\":2");
        assert!(open[1].contains("never closed") && !open[1].contains("is called"), "{open:?}");
        let wrapped = ids("{\"issues\":[{\"id\":2}");
        assert!(wrapped[0].contains("when it is called incidents, items"), "{wrapped:?}");
        let found = ids("[{\"id\":1},{\"id\" 2},{\"id\":3}]");
        assert!(found[1].contains("not JSON") && found[2] == "1:3", "{found:?}");
    }

    proptest! {
        #[test]
        fn what_another_program_writes_is_read_back(
            rows in proptest::collection::vec(proptest::collection::vec("[a-z\",;\\n\\r é]{0,6}", 3), 1..8),
            delimiter in prop_oneof![Just(b','), Just(b';')],
            size in 1_usize..40,
        ) {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).quote_style(csv::QuoteStyle::Always).from_writer(vec![]);
            writer.write_record(["x", "y", "z"]).unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let found: Vec<Vec<String>> = all(&text, size).into_iter().skip(1).map(|row| match row.unwrap().1 {
                Cells::Csv(cells) => cells,
                Cells::Json(_) => vec![],
            }).collect();
            let wanted: Vec<_> = rows.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
