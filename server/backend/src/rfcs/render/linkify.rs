//! Finds bare web addresses in running text, by the rules of GitHub's autolinks.

use std::ops::Range;

const STARTS: [&str; 3] = ["https://", "http://", "www."];

/// The longest host name there is, in bytes.
const MAX_HOST: usize = 253;

/// The bare addresses in `text`, in order, and whether `https://` has to be put before each.
pub(super) fn links(text: &str) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    // Cheap and nearly always true: no address without one of these.
    if !text.contains("://") && !text.contains("www.") {
        return found;
    }
    let mut from = 0;
    for (begin, _) in text.char_indices().filter(|(_, c)| matches!(c, 'h' | 'w')) {
        let Some(start) = STARTS.iter().find(|start| text[begin..].starts_with(**start)) else { continue };
        let before = text[..begin].chars().next_back();
        let boundary = before.is_none_or(|c| c.is_whitespace() || "*_~(\"'[{<|,;:".contains(c) || !c.is_ascii());
        let bare = *start == "www.";
        // The checks that look at little come first, so that no text makes this slow.
        if begin >= from && boundary && has_domain(&text[begin + if bare { 0 } else { start.len() }..]) {
            from = address_end(text, begin);
            found.push((begin..from, bare));
        }
    }
    found
}

/// Where the address that begins at `begin` ends: before white space or `<`, without closing punctuation and without
/// a closing bracket that was not opened in it.
fn address_end(text: &str, begin: usize) -> usize {
    let tail = &text[begin..];
    let address = &tail[..tail.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(tail.len())];
    let mut end = address.len();
    let count = |bracket| address.matches(bracket).count();
    let mut unopened = count(')').saturating_sub(count('('));
    while let Some(last) = address[..end].chars().next_back() {
        match last {
            '?' | '!' | '.' | ',' | ':' | '*' | '_' | '~' | '\'' | '"' | ';' | '`' | '|' => {}
            ')' if unopened > 0 => unopened -= 1,
            _ => break,
        }
        end -= last.len_utf8();
    }
    begin + end
}

/// Whether it begins with a host of at least two labels.
fn has_domain(rest: &str) -> bool {
    let in_host = |(at, c): &(usize, char)| *at < MAX_HOST && (c.is_alphanumeric() || "-_.".contains(*c));
    let len: usize = rest.char_indices().take_while(in_host).map(|(_, c)| c.len_utf8()).sum();
    let host = rest[..len].trim_end_matches('.');
    host.contains('.') && host.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        links(text).into_iter().map(|(range, _)| &text[range]).collect()
    }

    #[test]
    fn finds_addresses_and_leaves_the_punctuation() {
        assert_eq!(
            found("see https://example.com/a_b?c=d#e, or (http://a.b/c_(d))."),
            ["https://example.com/a_b?c=d#e", "http://a.b/c_(d)"]
        );
        assert_eq!(found("www.example.com! and https://example.com"), ["www.example.com", "https://example.com"]);
        assert!(links("www.example.com")[0].1);
    }

    #[test]
    fn leaves_what_is_no_address() {
        for text in
            ["http://", "https://localhost", "xhttps://a.b", "www.", "www..com", "ftp://a.b", "plain", "https://.a"]
        {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
