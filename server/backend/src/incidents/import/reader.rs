//! Reads a file twice: once to learn how it is to be read ([`examine`]), once row by row ([`Reader`]). No more of it is in
//! memory than a batch.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read as _;
use std::path::Path;

use domain::Refusal;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::dates::{self, Order, Seen};
use super::mapping::{self, Column};
use super::parse;
use super::rows::{Cells, Format, Next, Row, Rows, Unreadable};
use super::text::{self, NotUtf8, Text};
use super::{Options, Said};
use crate::{Backend, Error, Result, imports};

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;
/// Rows in a batch at most.
const BATCH_ROWS: usize = 500;
/// Bytes of text in a batch, about: rows may be long.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Columns of a file at most.
const COLUMNS: usize = 500;

/// A file, which can be read from its beginning as often as needed.
#[derive(Clone, Copy)]
pub(super) enum File<'a> {
    /// On this machine.
    Path(&'a Path),
    /// Handed in: see [`imports`].
    Import(&'a Backend, i64),
    /// In memory.
    #[cfg_attr(not(test), expect(dead_code, reason = "for tests"))]
    Bytes(&'a [u8]),
}

impl<'a> File<'a> {
    fn open(self) -> Result<Pieces<'a>> {
        Ok(match self {
            Self::Path(path) => Pieces::Open(std::fs::File::open(path).map_err(|error| unreadable(&error))?),
            Self::Import(backend, id) => Pieces::Parts { backend, id, next: 0 },
            Self::Bytes(bytes) => Pieces::Rest(bytes),
        })
    }
}

/// What is still to be read of a file.
enum Pieces<'a> {
    Open(std::fs::File),
    Parts { backend: &'a Backend, id: i64, next: i32 },
    Rest(&'a [u8]),
}

impl Pieces<'_> {
    /// The next piece; empty at the end.
    async fn next(&mut self) -> Result<Vec<u8>> {
        match self {
            Self::Open(file) => {
                let mut piece = vec![0; PIECE];
                // A file on this machine's disk does not keep a command waiting.
                let length = file.read(&mut piece).map_err(|error| unreadable(&error))?;
                piece.truncate(length);
                Ok(piece)
            }
            Self::Parts { backend, id, next } => {
                let piece = imports::part(backend, *id, *next).await?;
                *next += 1;
                Ok(piece.unwrap_or_default())
            }
            Self::Rest(bytes) => {
                let (now, later) = bytes.split_at(bytes.len().min(PIECE));
                *bytes = later;
                Ok(now.to_vec())
            }
        }
    }
}

fn unreadable(error: &std::io::Error) -> Error {
    Refusal::field("file", format!("The file cannot be read: {error}.")).into()
}

/// How a file is to be read.
#[derive(Debug, Clone)]
pub(super) struct Examined {
    encoding: &'static Encoding,
    format: Format,
    pub(super) columns: Vec<Column>,
    /// Which comes first in `03/11/2026`; none when no date needs it.
    pub(super) order: Option<Order>,
    /// Rows, those that cannot be read included.
    pub(super) rows: i64,
    /// The file in words: its encoding and format.
    pub(super) read_as: String,
    /// Bytes that are no text in the encoding the file itself names.
    pub(super) replaced: bool,
}

/// Learns how the file is to be read. Refuses what cannot be decided, and what is not there.
pub(super) async fn examine(file: File<'_>, options: &Options) -> Result<Examined> {
    let beginning = file.open()?.next().await?;
    if beginning.is_empty() {
        return Err(Refusal::field("file", "The file is empty. Choose one with something in it.").into());
    }
    let (encoding, told) = text::guess(&beginning);
    // UTF-8 is what has no byte that is none; everything else that says nothing is taken for what Windows writes.
    let doubtful = encoding == UTF_8 && !told;
    if let Ok(examined) = survey(file, encoding, doubtful, options).await? {
        return Ok(examined);
    }
    let again = survey(file, WINDOWS_1252, false, options).await?;
    again.map_err(|NotUtf8| Error::internal("text that is replaced cannot fail"))
}

async fn survey(
    file: File<'_>,
    encoding: &'static Encoding,
    strict: bool,
    options: &Options,
) -> Result<Result<Examined, NotUtf8>> {
    let mut pieces = file.open()?;
    let mut text = Text::new(encoding);
    let mut rows: Option<(Format, Rows)> = None;
    let (mut count, mut headings, mut dates) = (0, Headings::default(), BTreeMap::<usize, Seen>::new());
    let mut columns: Vec<Column> = Vec::new();
    let mut decoded = String::new();
    loop {
        let piece = pieces.next().await?;
        let last = piece.is_empty();
        decoded.clear();
        if !strict {
            text.decode(&piece, last, &mut decoded);
        } else if text.decode_strictly(&piece, last, &mut decoded).is_err() {
            return Ok(Err(NotUtf8));
        }
        let (format, rows) = rows.get_or_insert_with(|| {
            let format = Format::guess(&decoded);
            (format, Rows::new(format))
        });
        rows.push(&decoded, last);
        loop {
            // A piece may be many rows: others want to be served meanwhile.
            if count % 500 == 0 {
                tokio::task::yield_now().await;
            }
            let row = match rows.next() {
                Next::Row(row) => row,
                Next::Unreadable(_) => {
                    count += 1;
                    continue;
                }
                Next::More | Next::End => break,
            };
            match &row.cells {
                Cells::Csv(cells) if columns.is_empty() => {
                    headings.of_csv(cells);
                    columns = mapping::columns(&headings.names, &options.map)?;
                    continue;
                }
                Cells::Csv(cells) => {
                    let times = columns.iter().zip(cells).enumerate();
                    let times = times.filter(|(_, (column, _))| column.field.is_some_and(mapping::Field::is_time));
                    for (index, (_, cell)) in times {
                        dates.entry(index).or_default().look(dates::read(cell), row.line);
                    }
                }
                Cells::Json(members) => {
                    headings.of_json(members, "", &mut |index, value| {
                        dates.entry(index).or_default().look(dates::read(value), row.line);
                    });
                }
            }
            count += 1;
        }
        if last {
            let format = *format;
            if format == Format::Json {
                columns = mapping::columns(&headings.names, &options.map)?;
            }
            if columns.is_empty() {
                return Err(Refusal::field("file", "There is no row in this file that can be read.").into());
            }
            if headings.names.len() > COLUMNS {
                let message =
                    format!("This file has {} columns; at most {COLUMNS} are possible.", headings.names.len());
                return Err(Refusal::field("file", message).into());
            }
            let order = match options.dates {
                Some(order) => Some(order),
                None => order_of(&columns, &dates)?,
            };
            let read_as = format!("{}, {}", format.name(), text.name());
            let replaced = text.replaced;
            return Ok(Ok(Examined { encoding, format, columns, order, rows: count, read_as, replaced }));
        }
    }
}

/// Which comes first in the dates of all columns.
fn order_of(columns: &[Column], dates: &BTreeMap<usize, Seen>) -> Result<Option<Order>, Refusal> {
    let times = columns.iter().enumerate().filter(|(_, column)| column.field.is_some_and(mapping::Field::is_time));
    let seen = times.filter_map(|(index, _)| dates.get(&index)).fold(Seen::default(), |all, seen| all.and(*seen));
    seen.order().map_err(|why| Refusal::field("dates", why))
}

/// The names of the columns.
#[derive(Debug, Default)]
struct Headings {
    names: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl Headings {
    fn of_csv(&mut self, cells: &[String]) {
        for (number, cell) in (1..).zip(cells) {
            let name = cell.trim();
            let name = if name.is_empty() { format!("column {number}") } else { name.chars().take(200).collect() };
            self.names.push(name);
        }
    }

    /// Members of an object, of objects in it, too: `service.name`. `look` sees every text.
    fn of_json(&mut self, members: &Map<String, Value>, within: &str, look: &mut impl FnMut(usize, &str)) {
        for (name, value) in members {
            let name = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
            if let Value::Object(members) = value
                && name.matches('.').count() < 2
            {
                self.of_json(members, &name, look);
                continue;
            }
            if self.names.len() > COLUMNS {
                return;
            }
            let index = *self.known.entry(name.clone()).or_insert_with(|| {
                self.names.push(name);
                self.names.len() - 1
            });
            if let Value::String(text) = value {
                look(index, text);
            }
        }
    }
}

/// Columns, each with examples of what is in it.
pub(super) type Columns = Vec<(Column, Vec<String>)>;

/// The columns of a file whose beginning this is, with the first texts in each: for the page on which people say what
/// each column is.
pub(super) fn preview(beginning: &[u8], options: &Options) -> Result<(String, Columns), Refusal> {
    let (encoding, told) = text::guess(beginning);
    let mut decoded = String::new();
    let strict = encoding == UTF_8 && !told;
    let mut read = Text::new(encoding);
    if strict && read.decode_strictly(beginning, false, &mut decoded).is_err() {
        decoded.clear();
        read = Text::new(WINDOWS_1252);
        read.decode(beginning, false, &mut decoded);
    } else if !strict {
        read.decode(beginning, false, &mut decoded);
    }
    let format = Format::guess(&decoded);
    let mut rows = Rows::new(format);
    rows.push(&decoded, beginning.len() < imports::PART);
    let (mut headings, mut samples, mut looked) = (Headings::default(), Vec::new(), 0);
    while samples.len() < 20
        && looked < 200
        && let row @ (Next::Row(_) | Next::Unreadable(_)) = rows.next()
    {
        looked += 1;
        match row {
            Next::Row(Row { cells: Cells::Csv(cells), .. }) if headings.names.is_empty() => headings.of_csv(&cells),
            Next::Row(Row { cells, .. }) => {
                if let Cells::Json(members) = &cells {
                    headings.of_json(members, "", &mut |_, _| {});
                }
                samples.push(cells);
            }
            _ => {}
        }
    }
    let columns = mapping::columns(&headings.names, &BTreeMap::new())?;
    let said = mapping::columns(&headings.names, &options.map).unwrap_or(columns);
    let shown = said.into_iter().enumerate().map(|(index, column)| {
        let texts = samples.iter().filter_map(|cells| parse::cell(cells, index, &column.heading).as_text());
        let texts = texts.filter(|text| !text.trim().is_empty()).map(|text| text.trim().chars().take(60).collect());
        let texts = texts.take(3).collect();
        (column, texts)
    });
    Ok((format!("{}, {}", format.name(), read.name()), shown.collect()))
}

/// Rows that go into one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// What they say, each with its line.
    pub(super) said: Vec<(u64, Said)>,
    /// Those that say nothing that can be taken over: line, subject, reason.
    pub(super) refused: Vec<(u64, String, String)>,
    /// What there is to know: line, subject, remark.
    pub(super) noted: Vec<(u64, String, parse::Note)>,
    /// Rows of the file up to the end of this batch.
    pub(super) upto: i64,
}

/// Reads a file's rows.
pub(super) struct Reader<'a> {
    pieces: Pieces<'a>,
    text: Text,
    rows: Rows,
    examined: &'a Examined,
    options: &'a Options,
    /// Hashes of the names of all incidents so far: a file that names one twice would change it with every import.
    known: HashSet<u64>,
    headed: bool,
    ended: bool,
    upto: i64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: File<'a>, examined: &'a Examined, options: &'a Options) -> Result<Self> {
        Ok(Self {
            pieces: file.open()?,
            text: Text::new(examined.encoding),
            rows: Rows::new(examined.format),
            examined,
            options,
            known: HashSet::new(),
            headed: examined.format == Format::Json,
            ended: false,
            upto: 0,
        })
    }

    /// The next rows; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>> {
        let mut batch = Batch::default();
        let (mut count, mut bytes) = (0, 0);
        while count < BATCH_ROWS && bytes < BATCH_BYTES {
            match self.rows.next() {
                Next::Row(_) if !self.headed => {
                    self.headed = true;
                    continue;
                }
                Next::Row(row) => bytes += self.take(row, &mut batch),
                Next::Unreadable(Unreadable { line, reason }) => {
                    batch.refused.push((line, format!("line {line}"), reason));
                }
                Next::End => break,
                Next::More if self.ended => break,
                Next::More => {
                    let piece = self.pieces.next().await?;
                    self.ended = piece.is_empty();
                    let mut decoded = String::new();
                    self.text.decode(&piece, self.ended, &mut decoded);
                    self.rows.push(&decoded, self.ended);
                    continue;
                }
            }
            count += 1;
            self.upto += 1;
        }
        batch.upto = self.upto;
        Ok(Some(batch).filter(|_| count > 0))
    }

    /// Puts a row into the batch; about how many bytes it has.
    fn take(&mut self, row: Row, batch: &mut Batch) -> usize {
        let line = row.line;
        let read = parse::row(&row.cells, &self.examined.columns, self.examined.order, self.options);
        let (said, notes) = match read {
            Ok(read) => read,
            Err(parse::Refused { subject, reason }) => {
                let subject = if subject.is_empty() { format!("line {line}") } else { subject };
                batch.refused.push((line, subject, reason));
                return 0;
            }
        };
        let subject = subject(&said);
        if !self.known.insert(hash(&said)) {
            let reason = "The same incident stands further up in this file already.".to_owned();
            batch.refused.push((line, subject, reason));
            return 0;
        }
        batch.noted.extend(notes.into_iter().map(|note| (line, subject.clone(), note)));
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let bytes = 200 + length(&said.summary) + length(&said.postmortem);
        batch.said.push((line, said));
        bytes
    }
}

/// An incident of a file as people know it.
pub(super) fn subject(said: &Said) -> String {
    if said.external_id.starts_with(parse::DERIVED) {
        return said.title.clone().unwrap_or_default();
    }
    said.external_id.clone()
}

fn hash(said: &Said) -> u64 {
    let digest = Sha256::new().chain_update(&said.source).chain_update([0]).chain_update(&said.external_id).finalize();
    digest.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
}

/// Words that were remarked upon already: each is said once.
#[derive(Debug, Default)]
pub(super) struct Remarked(BTreeSet<(&'static str, String)>);

impl Remarked {
    /// Whether this is new. At most ten thousand words are remembered, and remarked upon.
    pub(super) fn is_new(&mut self, sort: &'static str, word: &str) -> bool {
        self.0.len() < 10_000 && self.0.insert((sort, word.to_owned()))
    }
}
