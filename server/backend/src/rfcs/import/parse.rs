//! Reads a folder of Markdown files as RFCs: the part of `plumbline import rfcs` that needs no database.
//!
//! A folder whose files are named by numbers only (`0001.md`, `0002.md`, …) is one document with that many revisions,
//! dated by its `meta.json` when there is one. Every other `.md` file is a document with one revision. Files are read
//! in the order of their paths, so that the same folder always gives the same report.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use domain::limits::{RFC_BODY_BYTES, RFC_TITLE_CHARS};
use jiff::Timestamp;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde::Deserialize;

use crate::rfcs::render::front_matter;

/// The longest slug of an RFC, in characters, as in the table's constraint.
const MAX_SLUG: usize = 200;
/// Folders inside each other beyond which nothing is read: a loop of links, not documents.
const MAX_DEPTH: usize = 32;

/// What a folder holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// The documents, by slug; no two have the same.
    pub documents: Vec<Document>,
    /// The files that are not imported, by path.
    pub refused: Vec<Refusal>,
}

/// One RFC to be. Its texts have been looked at and are read again when its turn comes: a large folder would not fit into
/// memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// From its path: `[a-z0-9][a-z0-9-]*`, at most 200 characters.
    pub slug: String,
    /// Oldest first, at least one.
    pub files: Vec<RevisionFile>,
}

/// The file of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionFile {
    /// Relative to the folder scanned.
    pub path: PathBuf,
    /// When it was written, as far as `meta.json` tells. May be earlier than the revision before.
    pub created_at: Option<Timestamp>,
}

/// A document with its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// From its path.
    pub slug: String,
    /// Of its newest revision: from the front matter, else its first `#`, else the slug. 1 to 300 characters.
    pub title: String,
    /// Oldest first, at least one.
    pub revisions: Vec<RevisionText>,
}

impl Document {
    /// Reads its texts from the folder that was scanned.
    pub fn read(self, dir: &Path) -> Result<Texts, Refusal> {
        let mut revisions = Vec::with_capacity(self.files.len());
        for RevisionFile { path, created_at } in self.files {
            match body(&dir.join(&path)) {
                Ok(body) => revisions.push(RevisionText { body, created_at }),
                Err(reason) => return Err(Refusal { path, reason }),
            }
        }
        let title = revisions.last().and_then(|newest| title(&newest.body)).unwrap_or_else(|| self.slug.clone());
        Ok(Texts { slug: self.slug, title, revisions })
    }
}

/// One revision of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionText {
    /// Its text, byte for byte but for CRLF, which is LF here. No NUL, at most 512 KiB.
    pub body: String,
    /// When it was written, as far as `meta.json` tells. May be earlier than the revision before.
    pub created_at: Option<Timestamp>,
}

/// A file that is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file, relative to the folder scanned.
    pub path: PathBuf,
    /// A sentence that says why, for the person who ran the import.
    pub reason: String,
}

/// Reads the folder. What cannot be read is in [`ScanReport::refused`]; nothing makes it fail as a whole.
pub fn scan(dir: &Path) -> ScanReport {
    let mut scan = Scan { root: dir, documents: BTreeMap::new(), refused: Vec::new() };
    scan.folder(Path::new(""), 0);
    scan.refused.sort_by(|a, b| a.path.cmp(&b.path));
    ScanReport { documents: scan.documents.into_values().collect(), refused: scan.refused }
}

struct Scan<'d> {
    root: &'d Path,
    documents: BTreeMap<String, Document>,
    refused: Vec<Refusal>,
}

impl Scan<'_> {
    /// Reads one folder, given relative to the root.
    fn folder(&mut self, folder: &Path, depth: usize) {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => {
                for entry in entries.flatten() {
                    let path = folder.join(entry.file_name());
                    let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                    // Links are followed to files, not to folders, where they may lead in a circle.
                    if hidden {
                    } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                        folders.push(path);
                    } else if is_markdown(&path) {
                        files.push(path);
                    }
                }
            }
            Err(error) => return self.refuse(folder, format!("The folder cannot be read: {error}.")),
        }
        files.sort();
        folders.sort();
        let numbered = |path: &PathBuf| number(path).is_some();
        let (mut revisions, others): (Vec<_>, Vec<_>) = files.into_iter().partition(numbered);
        if !revisions.is_empty() {
            revisions.sort_by_key(|path| (number(path), path.clone()));
            self.history(folder, revisions);
        }
        for path in others {
            let slug = slug(&path.with_extension(""));
            self.document(&path, slug, vec![(path.clone(), None)]);
        }
        for path in folders {
            if depth < MAX_DEPTH {
                self.folder(&path, depth + 1);
            } else {
                self.refuse(&path, "The folder lies too deep to be read.".to_owned());
            }
        }
    }

    /// A folder of numbered files: one document.
    fn history(&mut self, folder: &Path, files: Vec<PathBuf>) {
        let dates = match self.dates(folder) {
            Ok(dates) => dates,
            Err(reason) => {
                self.refuse(&folder.join("meta.json"), reason);
                Vec::new()
            }
        };
        // Called with the history's own folder, the name of that folder is the only one there is.
        let name = if folder.as_os_str().is_empty() {
            self.root.canonicalize().ok().and_then(|root| root.file_name().map(PathBuf::from)).unwrap_or_default()
        } else {
            folder.to_owned()
        };
        let files = files.into_iter().enumerate().map(|(index, file)| (file, dates.get(index).copied().flatten()));
        self.document(folder, slug(&name), files.collect());
    }

    /// The dates of a history's revisions, in file order.
    fn dates(&self, folder: &Path) -> Result<Vec<Option<Timestamp>>, String> {
        #[derive(Deserialize)]
        struct Meta {
            #[serde(default)]
            revisions: Vec<String>,
        }
        match fs::read(self.root.join(folder).join("meta.json")) {
            Ok(json) => {
                let meta: Meta = serde_json::from_slice(&json)
                    .map_err(|error| format!("Its dates are left out, because it is not as expected: {error}."))?;
                Ok(meta.revisions.iter().map(|date| date.parse().ok()).collect())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(format!("Its dates are left out, because it cannot be read: {error}.")),
        }
    }

    /// Adds a document from its files; those that are refused are missing in it.
    fn document(&mut self, path: &Path, slug: Option<String>, files: Vec<(PathBuf, Option<Timestamp>)>) {
        let Some(slug) = slug else {
            let reason = "Its name has no letter a to z and no digit, so it gives no address. Rename it.";
            return self.refuse(path, reason.to_owned());
        };
        if let Some(other) = self.documents.get(&slug).and_then(|other| other.files.first()) {
            let reason = format!("It would have the address {slug}, which {} has. Rename one.", other.path.display());
            return self.refuse(path, reason);
        }
        let mut good = Vec::new();
        for (path, created_at) in files {
            match body(&self.root.join(&path)) {
                Ok(_) => good.push(RevisionFile { path, created_at }),
                Err(reason) => self.refuse(&path, reason),
            }
        }
        if !good.is_empty() {
            self.documents.insert(slug.clone(), Document { slug, files: good });
        }
    }

    fn refuse(&mut self, path: &Path, reason: String) {
        self.refused.push(Refusal { path: path.to_owned(), reason });
    }
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"))
}

/// The number of a file that is named by digits only.
fn number(path: &Path) -> Option<u64> {
    let stem = path.file_stem().and_then(OsStr::to_str)?;
    stem.bytes().all(|byte| byte.is_ascii_digit()).then(|| stem.parse().ok())?
}

/// The slug of a path without its extension: lower case, everything but letters and digits a hyphen, never two in a
/// row nor one at an end. A `text` folder at the top goes: rust-lang/rfcs keeps its documents there, and they are the
/// same documents whether the folder given is `text` or the one around it.
fn slug(path: &Path) -> Option<String> {
    let path = path.strip_prefix("text").ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path);
    let mut slug = String::new();
    for c in path.to_string_lossy().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(MAX_SLUG);
    slug.truncate(slug.trim_end_matches('-').len());
    (!slug.is_empty()).then_some(slug)
}

/// The text of a file, or why it is not one.
fn body(path: &Path) -> Result<String, String> {
    let cannot = |error| format!("It cannot be read: {error}.");
    // Asked first: a file of gigabytes is refused, not read.
    let size = fs::metadata(path).map_err(cannot)?.len();
    let too_long = |size: u64| format!("It has {size} bytes; an RFC has at most {RFC_BODY_BYTES}. Split it.");
    // CRLF counts as one byte, so a file of up to twice the size may still fit.
    if size > 2 * RFC_BODY_BYTES as u64 {
        return Err(too_long(size));
    }
    let bytes = fs::read(path).map_err(cannot)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        format!("It is not UTF-8 (line {}). Save it as UTF-8.", before.matches('\n').count() + 1)
    })?;
    let text = text.replace("\r\n", "\n");
    if text.len() > RFC_BODY_BYTES {
        return Err(too_long(text.len() as u64));
    }
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count() + 1;
        return Err(format!("It contains a NUL character (line {line}), so it is not text. Remove it."));
    }
    if text.trim().is_empty() {
        return Err("It is empty.".to_owned());
    }
    Ok(text)
}

/// The title a document gives itself: `title` in the front matter, a "Feature Name" (in the front matter or in the
/// list that heads a Rust RFC), else its first heading of the first level, unless that only heads a section: hundreds
/// of RFCs begin with `# Summary`.
pub(super) fn title(body: &str) -> Option<String> {
    let front = front_matter::range(body);
    let entries = front.clone().map(|range| front_matter::entries(body, range)).unwrap_or_default();
    let named = |wanted: &str| {
        let found = entries.iter().find(|(name, _)| normal(&body[name.clone()]) == wanted);
        found.and_then(|(_, value)| clean(body[value.clone()].trim_matches(['"', '\''])))
    };
    let rest = &body[front.map_or(0, |range| range.end)..];
    named("title").or_else(|| named("feature name")).or_else(|| feature_name(rest)).or_else(|| first_heading(rest))
}

/// The value of the `- Feature Name: x` line above the first heading.
fn feature_name(body: &str) -> Option<String> {
    let head = body.lines().take_while(|line| !line.starts_with('#')).take(40);
    head.filter_map(|line| {
        let (name, value) = line.trim_start_matches(['-', '*', '+', ' ', '\t']).split_once(':')?;
        (normal(name.trim_matches(['*', '_', '`'])) == "feature name").then_some(value)
    })
    .find_map(|value| {
        let value = plain(value);
        // The template's own words, and what stands for "has none".
        let none = value.starts_with('(')
            || matches!(normal(&value).as_str(), "n a" | "na" | "none" | "not applicable" | "tbd");
        if none { None } else { clean(&value) }
    })
}

fn first_heading(body: &str) -> Option<String> {
    const SECTIONS: [&str; 9] = [
        "abstract",
        "background",
        "contents",
        "goals",
        "introduction",
        "motivation",
        "overview",
        "summary",
        "table of contents",
    ];
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(body, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                if let Some(title) = heading.take().and_then(|text| clean(&text)) {
                    return (!SECTIONS.contains(&normal(&title).as_str())).then_some(title);
                }
            }
            Event::Text(text) | Event::Code(text) => heading = heading.map(|heading| heading + &text),
            Event::SoftBreak | Event::HardBreak => heading = heading.map(|heading| heading + " "),
            _ => {}
        }
    }
    None
}

/// A line of Markdown without its markup.
fn plain(markdown: &str) -> String {
    let text = Parser::new(markdown.trim()).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.into_string()),
        Event::SoftBreak | Event::HardBreak => Some(" ".to_owned()),
        _ => None,
    });
    text.collect()
}

/// A name to compare by: lower case, its words parted by one space.
fn normal(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// A title on one line and of a length that fits.
fn clean(title: &str) -> Option<String> {
    let line = title.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line: String = line.collect::<Vec<_>>().join(" ").chars().take(RFC_TITLE_CHARS).collect();
    let line = line.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
