//! Colours code: a handful of classes from syntect's scopes, no inline styles.
//!
//! | class | what |
//! |---|---|
//! | `hl-comment` `hl-string` `hl-escape` `hl-number` | comments, strings, escapes in them, numbers and constants |
//! | `hl-keyword` `hl-type` `hl-function` `hl-attribute` | keywords, types and tags, names of functions and macros, attributes and keys |
//! | `hl-inserted` `hl-deleted` | lines of a diff |

use std::ops::Range;
use std::sync::LazyLock;

use syntect::parsing::{BasicScopeStackOp, ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::mapped::Mapped;
use super::writer::Writer;

/// Longer code, in bytes, is not coloured: the time it takes is not worth it, and nobody reads it line by line.
const MAX_CODE: usize = 20_000;
/// Code with a longer line, in bytes, is not coloured: the patterns look ahead over the whole line.
const MAX_LINE: usize = 1_000;
/// Code coloured per document, in bytes; what comes after stays plain.
pub(super) const MAX_TOTAL: usize = 160_000;

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

/// Writes code, coloured when the language is known and the code is not too long. Returns how much of
/// [`MAX_TOTAL`] that took.
pub(super) fn write(writer: &mut Writer, language: &str, code: &Mapped, budget: usize) -> usize {
    let text = code.as_str();
    let colours = text.len() <= MAX_CODE.min(budget) && text.lines().all(|line| line.len() <= MAX_LINE);
    let Some(syntax) = syntax(language).filter(|_| colours) else {
        writer.text(code, 0..text.len());
        return 0;
    };
    coloured(writer, syntax, code);
    text.len()
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
