//! Words typed into a filter, made safe for SQL.

/// The pattern by which `ilike` finds `words` anywhere; nothing to look for is `None`. What `like` would read as a
/// wildcard is taken as it is written.
pub fn containing(words: Option<&str>) -> Option<String> {
    let words = words?.trim();
    if words.is_empty() {
        return None;
    }
    let mut pattern = String::from("%");
    for character in words.chars().filter(|character| *character != '\0') {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_taken_literally() {
        assert_eq!(containing(Some(" 50%_a\\\0 ")).as_deref(), Some("%50\\%\\_a\\\\%"));
        assert_eq!(containing(Some("  ")), None);
        assert_eq!(containing(None), None);
    }
}
