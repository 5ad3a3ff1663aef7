//! Colours code: a handful of classes from syntect's scopes, no inline styles.
//!
//! | class | what |
//! |---|---|
//! | `hl-comment` `hl-string` `hl-escape` `hl-number` | comments, strings, escapes in them, numbers and constants |
//! | `hl-keyword` `hl-type` `hl-function` `hl-attribute` | keywords, types and tags, names of functions and macros, attributes and keys |
//! | `hl-inserted` `hl-deleted` | lines of a diff |

mod config_files;

use std::ops::Range;
use std::sync::LazyLock;

use syntect::parsing::{BasicScopeStackOp, ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::mapped::Mapped;
use super::writer::Writer;

/// A longer line, in bytes, stays plain: patterns look ahead over the whole line, some again at every letter of it.
const MAX_LINE: usize = 240;
/// Code that takes more effort (see [`effort`]) is not coloured; the most in 1,090 real documents is 640,000 for one
/// block and 970,000 for one document.
const MAX_BLOCK_EFFORT: usize = 1_000_000;
/// The effort spent on one document; what comes after stays plain. Hostile code takes half a second for it, common
/// code a twentieth of that.
pub(super) const MAX_EFFORT: usize = 2_000_000;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// Scope prefixes and the class of what has them; the first that fits counts. `None` ends what is around it (code
/// inside a string).
const CLASSES: [(&str, Option<&str>); 29] = [
    ("comment", Some("hl-comment")),
    ("constant.character.escape", Some("hl-escape")),
    ("constant", Some("hl-number")),
    ("string", Some("hl-string")),
    ("meta.interpolation", None),
    ("meta.template.expression", None),
    ("source", None),
    ("keyword.operator", None),
    ("keyword", Some("hl-keyword")),
    ("storage.type.numeric", Some("hl-type")),
    ("storage", Some("hl-keyword")),
    ("entity.name.function", Some("hl-function")),
    ("entity.name.macro", Some("hl-function")),
    ("entity.name.tag", Some("hl-type")),
    ("entity.other.attribute-name", Some("hl-attribute")),
    ("entity.other.inherited-class", Some("hl-type")),
    ("entity.name", Some("hl-type")),
    ("support.function", Some("hl-function")),
    ("support.macro", Some("hl-function")),
    ("support.constant", Some("hl-number")),
    ("support.type.property-name", Some("hl-attribute")),
    ("support", Some("hl-type")),
    ("variable.annotation", Some("hl-attribute")),
    ("variable.function", Some("hl-function")),
    ("variable.language", Some("hl-keyword")),
    ("markup.inserted", Some("hl-inserted")),
    ("markup.deleted", Some("hl-deleted")),
    ("markup.heading", Some("hl-keyword")),
    ("markup.raw", Some("hl-string")),
];

static SCOPES: LazyLock<Vec<(Scope, Option<&str>)>> =
    LazyLock::new(|| CLASSES.iter().filter_map(|(prefix, class)| Some((Scope::new(prefix).ok()?, *class))).collect());

/// The language of a fence: the first word of its info string, in lower case (`rust,ignore` is `rust`).
pub(super) fn language(info: &str) -> String {
    let word = info.trim_start().split([',', ' ', '\t', '{', ';']).next().unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || "+#-_.".contains(*c);
    word.to_ascii_lowercase().chars().filter(plain).take(20).collect()
}

/// Writes code, coloured when the language is known and the effort within bounds. Returns how much of the budget
/// that took.
pub(super) fn write(writer: &mut Writer, language: &str, code: &Mapped, budget: usize) -> usize {
    let text = code.as_str();
    let effort = effort(text);
    let syntax = syntax(language);
    if effort > MAX_BLOCK_EFFORT.min(budget) || syntax.is_none() && !config_files::is_known(language) {
        writer.text(code, 0..text.len());
        return 0;
    }
    match syntax {
        Some(syntax) => coloured(writer, syntax, code),
        None => coloured_config(writer, code),
    }
    effort
}

/// How long colouring may take at worst: quadratic in the length of each line. A measure of the text alone, so that
/// the same text always looks the same.
fn effort(code: &str) -> usize {
    let lengths = code.split_inclusive('\n').map(str::len).filter(|length| *length <= MAX_LINE);
    lengths.map(|length| length * length.max(40)).sum()
}

fn coloured_config(writer: &mut Writer, code: &Mapped) {
    let mut pending = Pending { class: None, range: 0..0 };
    let mut at = 0;
    for line in code.as_str().split_inclusive('\n') {
        for (part, class) in config_files::classes(line) {
            pending.extend(writer, code, None, at + part.start);
            pending.extend(writer, code, Some(class), at + part.end);
        }
        at += line.len();
        pending.extend(writer, code, None, at);
    }
    pending.flush(writer, code);
}

fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    let token = match language {
        "" | "text" | "txt" | "plain" | "plaintext" | "ignore" => return None,
        "jsonc" | "json5" => "json",
        "javascript" | "jsx" | "ts" | "tsx" | "typescript" | "mjs" => "js",
        "console" | "shell" | "shell-session" | "zsh" | "sh" => "bash",
        "golang" => "go",
        "c++" | "cc" | "cxx" | "hpp" => "cpp",
        "yml" => "yaml",
        "svg" | "xhtml" => "xml",
        "rs" => "rust",
        other => other,
    };
    SYNTAXES.find_syntax_by_token(token).filter(|syntax| syntax.name != "Plain Text")
}

fn coloured(writer: &mut Writer, syntax: &SyntaxReference, code: &Mapped) {
    let text = code.as_str();
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    // For each scope on the stack, the class of text directly in it.
    let mut classes: Vec<Option<&'static str>> = Vec::new();
    let mut pending = Pending { class: None, range: 0..0 };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.len() > MAX_LINE {
            at += line.len();
            pending.extend(writer, code, None, at);
            continue;
        }
        let Ok(ops) = state.parse_line(line, &SYNTAXES) else { break };
        let mut done = 0;
        for (offset, op) in ops {
            // Offsets come from regular expressions over the line; one that is out of order is not worth a panic.
            let offset = offset.clamp(done, line.len());
            pending.extend(writer, code, classes.last().copied().flatten(), at + offset);
            done = offset;
            let applied = stack.apply_with_hook(&op, |op, _| match op {
                BasicScopeStackOp::Push(scope) => classes.push(class_of(scope, classes.last().copied().flatten())),
                BasicScopeStackOp::Pop => {
                    classes.pop();
                }
            });
            if applied.is_err() {
                break;
            }
        }
        at += line.len();
        pending.extend(writer, code, classes.last().copied().flatten(), at);
    }
    pending.extend(writer, code, None, text.len());
    pending.flush(writer, code);
}

fn class_of(scope: Scope, around: Option<&'static str>) -> Option<&'static str> {
    SCOPES.iter().find(|(prefix, _)| prefix.is_prefix_of(scope)).map_or(around, |(_, class)| *class)
}

/// Text of one class that is not written yet, so that neighbours of one class become one element.
struct Pending {
    class: Option<&'static str>,
    range: Range<usize>,
}

impl Pending {
    /// Adds the text up to `end`.
    fn extend(&mut self, writer: &mut Writer, code: &Mapped, class: Option<&'static str>, end: usize) {
        let added = &code.as_str()[self.range.end..end];
        // White space has no colour.
        if self.class != class && !added.trim().is_empty() {
            self.flush(writer, code);
            self.class = class;
        }
        self.range.end = end;
    }

    fn flush(&mut self, writer: &mut Writer, code: &Mapped) {
        if self.range.is_empty() {
            return;
        }
        writer.begin();
        if let Some(class) = self.class {
            writer.open("span", &[("class", class)]);
        }
        writer.text(code, self.range.clone());
        writer.end();
        self.range.start = self.range.end;
    }
}
