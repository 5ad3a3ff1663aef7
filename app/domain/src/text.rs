//! Values that are checked once, at the border, and bounded ever after. Every check answers with a sentence for the
//! field it is about.

use std::borrow::Cow;

use crate::limits;
use crate::refusal::Refusal;

/// One line of text: trimmed, not blank, at most `max` characters, nothing that a screen cannot show.
pub fn line(field: &str, label: &str, value: &str, max: usize) -> Result<String, Refusal> {
    let value = optional_line(field, label, value, max)?;
    if value.is_empty() { Err(Refusal::field(field, format!("{label} is missing."))) } else { Ok(value) }
}

/// Like [`line`], but may be empty.
pub fn optional_line(field: &str, label: &str, value: &str, max: usize) -> Result<String, Refusal> {
    let value = value.trim();
    let length = value.chars().count();
    if length > max {
        return Err(Refusal::field(field, format!("{label} has {length} characters; at most {max} are possible.")));
    }
    if value.chars().any(char::is_control) {
        return Err(Refusal::field(
            field,
            format!("{label} has a line break or control character; use one plain line."),
        ));
    }
    Ok(value.to_owned())
}

/// The parts of a list typed into one field, without blanks around them and without empty ones.
pub fn pieces(typed: &str, separators: &[char]) -> Vec<String> {
    typed.split(separators).map(str::trim).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// Several lines of text kept as they are but for CRLF → LF; may be empty; at most `max` characters.
pub fn paragraph(field: &str, label: &str, value: &str, max: usize) -> Result<String, Refusal> {
    let value = normalise(field, label, value)?;
    let length = value.chars().count();
    if length > max {
        return Err(Refusal::field(field, format!("{label} has {length} characters; at most {max} are possible.")));
    }
    Ok(value)
}

/// Markdown kept byte for byte after CRLF → LF: not trimmed, not blank, no NUL, at most `limit` bytes (413 beyond).
pub fn body(field: &str, label: &str, value: &str, limit: usize) -> Result<String, Refusal> {
    let value = normalise(field, label, value)?;
    if value.len() > limit {
        return Err(Refusal::TooLarge { field: field.to_owned(), limit_bytes: limit as u64 });
    }
    if value.trim().is_empty() {
        return Err(Refusal::field(field, format!("{label} is empty.")));
    }
    Ok(value)
}

/// The name in a web address: `[a-z0-9][a-z0-9-]*`.
pub fn slug(field: &str, label: &str, value: &str) -> Result<String, Refusal> {
    let mut bytes = value.bytes();
    let form = bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !form {
        let message = format!("{label} may have small letters, digits and hyphens and starts with a letter or digit.");
        return Err(Refusal::field(field, message));
    }
    if value.len() > limits::SLUG_CHARS {
        return Err(Refusal::field(field, format!("{label} is longer than {} characters.", limits::SLUG_CHARS)));
    }
    Ok(value.to_owned())
}

/// A slug made from a title: what people would type themselves. Never empty: `fallback` stands in.
pub fn slugify(title: &str, fallback: &str) -> String {
    let mut slug = String::new();
    for character in title.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= limits::SLUG_CHARS {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { fallback.to_owned() } else { slug.to_owned() }
}

/// An e-mail address, good enough to write to: one `@`, no spaces, within RFC 5321's length. Case is kept; the
/// database compares without it.
pub fn email(field: &str, value: &str) -> Result<String, Refusal> {
    let value = value.trim();
    let form = value.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.') && !host.ends_with('.')
    });
    if !form || value.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(Refusal::field(field, "Give an e-mail address such as ada@example.com."));
    }
    if value.chars().count() > limits::EMAIL_CHARS {
        let message = format!("An e-mail address has at most {} characters.", limits::EMAIL_CHARS);
        return Err(Refusal::field(field, message));
    }
    Ok(value.to_owned())
}

/// A web address that is safe to link to: `http` or `https` and nothing else.
pub fn web_address(field: &str, value: &str) -> Result<String, Refusal> {
    let value = value.trim();
    let host = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let good = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && !value.chars().any(|character| character.is_whitespace() || character.is_control());
    if !good {
        return Err(Refusal::field(field, "A link starts with https:// or http:// and has no spaces."));
    }
    if value.chars().count() > limits::URL_CHARS {
        return Err(Refusal::field(field, format!("A link has at most {} characters.", limits::URL_CHARS)));
    }
    Ok(value.to_owned())
}

fn normalise(field: &str, label: &str, value: &str) -> Result<String, Refusal> {
    if value.contains('\0') {
        return Err(Refusal::field(field, format!("{label} contains a NUL character, which cannot be kept.")));
    }
    Ok(value.replace("\r\n", "\n"))
}

/// A cell of a CSV file that a spreadsheet may open: what it would take for a formula begins with an apostrophe, which
/// makes it text (OWASP, "CSV Injection").
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_trimmed_and_bounded() {
        assert_eq!(line("title", "The title", "  Sharded cache 🧊 ", 20).unwrap(), "Sharded cache 🧊");
        assert_eq!(line("title", "The title", " \t ", 20).unwrap_err().to_string(), "The title is missing.");
        assert!(line("title", "The title", "a\nb", 20).is_err());
        assert!(line("title", "The title", "a\0b", 20).is_err());
        assert!(line("title", "The title", &"x".repeat(21), 20).is_err());
    }

    #[test]
    fn a_body_is_kept_byte_for_byte() {
        assert_eq!(body("body", "The text", "  a\r\nb \n", 100).unwrap(), "  a\nb \n");
        assert_eq!(body("body", "The text", "abc", 2).unwrap_err().status(), 413);
        assert_eq!(body("body", "The text", "a\0", 20).unwrap_err().status(), 422);
        assert_eq!(body("body", "The text", " \n", 20).unwrap_err().status(), 422);
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(csv_cell(formula), format!("'{formula}"));
        }
        for text in ["", "a=b", "{\"a\":1}", "rfc.created", "1"] {
            assert_eq!(csv_cell(text), text);
        }
    }

    #[test]
    fn addresses_are_checked() {
        for good in ["ada@example.com", "Ada.O'Hara+x@localhost", "ü@exämple.de"] {
            assert_eq!(email("email", good).unwrap(), good);
        }
        for bad in ["", "ada", "@x", "ada@", "a b@c", "a@b@c", "a@.b", "a@b."] {
            assert!(email("email", bad).is_err(), "{bad}");
        }
        for bad in ["javascript:alert(1)", "https://", "https:///x", "ftp://x", "https://a b", "//x", ""] {
            assert!(web_address("url", bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_slugified_is_a_slug(title in ".*") {
            prop_assert!(slug("slug", "The slug", &slugify(&title, "rfc")).is_ok());
        }
    }
}
