//! What can be found, and the piece of a text that shows why it was.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The kinds of things that can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An RFC, by its names and its newest text.
    Rfc,
    /// A comment on an RFC.
    Comment,
    /// A service.
    Service,
    /// A team.
    Team,
    /// A person.
    Person,
    /// An incident.
    Incident,
    /// A follow-up.
    FollowUp,
}

impl Kind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::Rfc, Self::Comment, Self::Service, Self::Team, Self::Person, Self::Incident, Self::FollowUp];

    /// The word in the table, the API and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::Comment => "comment",
            Self::Service => "service",
            Self::Team => "team",
            Self::Person => "person",
            Self::Incident => "incident",
            Self::FollowUp => "follow_up",
        }
    }

    /// The word on the screen, for several.
    pub fn label(self) -> &'static str {
        match self {
            Self::Rfc => "RFCs",
            Self::Comment => "Comments",
            Self::Service => "Services",
            Self::Team => "Teams",
            Self::Person => "People",
            Self::Incident => "Incidents",
            Self::FollowUp => "Follow-ups",
        }
    }

    /// Reads the word back, or says which there are.
    pub fn parse(field: &str, word: &str) -> Result<Self, Refusal> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Refusal::field(field, format!("There is no kind \"{word}\"; known: {known}."))
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Whether it is one of the words looked for.
    pub found: bool,
}

/// Characters of a snippet.
const SNIPPET_CHARS: usize = 220;
/// Characters before the first word found.
const LEAD_CHARS: usize = 60;

/// The whole of a short text in parts: what begins with one of the `words` is found. Words are lower case, without
/// accents.
pub fn marked(text: &str, words: &[String]) -> Vec<Part> {
    let chars: Vec<char> = text.chars().collect();
    parts(&chars, words)
}

/// The piece of a long text with the most different `words`, in parts; its beginning when none is in it. White space is
/// one blank, Markdown's signs for emphasis, headings, code and quotes are left out.
pub fn snippet(text: &str, words: &[String]) -> Vec<Part> {
    let chars = plain(text);
    let places: Vec<(usize, usize)> =
        word_starts(&chars).filter_map(|start| matching(&chars, start, words).map(|(word, _)| (start, word))).collect();
    let mut best = (0, places.first().map_or(0, |place| place.0));
    for (at, (start, _)) in places.iter().enumerate() {
        let near = places.iter().skip(at).take_while(|(other, _)| other - start < SNIPPET_CHARS - LEAD_CHARS);
        let different = near.fold(0_u64, |seen, (_, word)| seen | 1 << (word % 64)).count_ones();
        if different > best.0 {
            best = (different, *start);
        }
    }
    let mut from = best.1.saturating_sub(LEAD_CHARS);
    // Not in the middle of a word.
    while from > 0 && from < best.1 && !chars.get(from - 1).is_some_and(|before| before.is_whitespace()) {
        from += 1;
    }
    let mut to = (from + SNIPPET_CHARS).min(chars.len());
    while to < chars.len() && to > from + LEAD_CHARS && !chars.get(to).is_some_and(|after| after.is_whitespace()) {
        to -= 1;
    }
    let mut parts = parts(chars.get(from..to).unwrap_or_default(), words);
    if from > 0 {
        parts.insert(0, Part { text: "… ".to_owned(), found: false });
    }
    if to < chars.len() {
        parts.push(Part { text: " …".to_owned(), found: false });
    }
    parts
}

/// A text as one line, without Markdown's signs.
fn plain(text: &str) -> Vec<char> {
    let mut plain = Vec::with_capacity(text.len().min(1 << 17));
    for character in text.chars() {
        match character {
            '*' | '`' | '#' | '|' | '>' | '~' => {}
            _ if character.is_whitespace() || character.is_control() => {
                if plain.last().is_some_and(|last| *last != ' ') {
                    plain.push(' ');
                }
            }
            _ => plain.push(character),
        }
    }
    while plain.last() == Some(&' ') {
        plain.pop();
    }
    plain
}

fn parts(chars: &[char], words: &[String]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |chars: &[char], found: bool| {
        if !chars.is_empty() {
            parts.push(Part { text: chars.iter().collect(), found });
        }
    };
    let mut said = 0;
    for start in word_starts(chars) {
        let Some((_, length)) = (start >= said).then(|| matching(chars, start, words)).flatten() else { continue };
        add(chars.get(said..start).unwrap_or_default(), false);
        let mut end = start + length;
        // The word to its end.
        while chars.get(end).is_some_and(|character| character.is_alphanumeric()) {
            end += 1;
        }
        add(chars.get(start..end).unwrap_or_default(), true);
        said = end;
    }
    add(chars.get(said..).unwrap_or_default(), false);
    parts
}

/// Where words begin.
fn word_starts(chars: &[char]) -> impl Iterator<Item = usize> + '_ {
    let mut inside = false;
    chars.iter().enumerate().filter_map(move |(at, character)| {
        let was = std::mem::replace(&mut inside, character.is_alphanumeric());
        (inside && !was).then_some(at)
    })
}

/// Which of the words a text has from here on, and how many of its characters that are.
fn matching(chars: &[char], start: usize, words: &[String]) -> Option<(usize, usize)> {
    words.iter().enumerate().find_map(|(index, word)| {
        let mut wanted = word.chars();
        let mut length = 0;
        let mut next = wanted.next()?;
        loop {
            let (base, second) = folded(*chars.get(start + length)?);
            length += 1;
            for own in [Some(base), second].into_iter().flatten() {
                if own != next {
                    return None;
                }
                match wanted.next() {
                    Some(following) => next = following,
                    None => return Some((index, length)),
                }
            }
        }
    })
}

/// A character in lower case without its accent, as the database's search sees it: one character, or two.
fn folded(character: char) -> (char, Option<char>) {
    let lower = character.to_lowercase().next().unwrap_or(character);
    let base = match lower {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ĥ' | 'ħ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' => 's',
        'ţ' | 'ť' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ŵ' => 'w',
        'ý' | 'ÿ' | 'ŷ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ß' => return ('s', Some('s')),
        'æ' => return ('a', Some('e')),
        'œ' => return ('o', Some('e')),
        other => other,
    };
    (base, None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    /// The parts as one text, what is found in brackets.
    fn shown(parts: &[Part]) -> String {
        parts.iter().map(|part| if part.found { format!("[{}]", part.text) } else { part.text.clone() }).collect()
    }

    #[test]
    fn words_are_marked_to_their_end_whatever_their_case_and_accents() {
        assert_eq!(shown(&marked("Migrating the Café", &words(&["migrat", "cafe"]))), "[Migrating] the [Café]");
        assert_eq!(shown(&marked("Straße und Æther", &words(&["strasse", "aeth"]))), "[Straße] und [Æther]");
        assert_eq!(shown(&marked("a submigration", &words(&["migrat"]))), "a submigration");
        assert_eq!(shown(&marked("rate-limit", &words(&["rate", "limit"]))), "[rate]-[limit]");
        assert_eq!(shown(&marked("", &words(&["x"]))), "");
    }

    #[test]
    fn a_snippet_is_where_most_of_the_words_are() {
        let text =
            format!("# Title\n\nFirst the ledger. {} **Shards** of the `ledger`\n> move.", "More words. ".repeat(60));
        let found = shown(&snippet(&text, &words(&["ledger", "shard"])));
        assert!(found.starts_with("… ") && found.ends_with("[Shards] of the [ledger] move."), "{found}");
        let beginning = shown(&snippet(&text, &words(&["absent"])));
        assert!(beginning.starts_with("Title First the ledger.") && beginning.ends_with(" …"), "{beginning}");
        assert_eq!(shown(&snippet("  short\n\n text ", &[])), "short text");
    }

    proptest! {
        #[test]
        fn parts_say_what_the_text_says(text in "\\PC{0,400}", word in "[a-z]{1,4}") {
            let parts = marked(&text, &[word]);
            prop_assert_eq!(parts.iter().map(|part| part.text.as_str()).collect::<String>(), text);
        }

        #[test]
        fn a_snippet_is_short(text in "\\PC{0,3000}", word in "\\PC{1,4}") {
            let parts = snippet(&text, &[word.to_lowercase()]);
            let length: usize = parts.iter().map(|part| part.text.chars().count()).sum();
            prop_assert!(length <= SNIPPET_CHARS + 4, "{}", length);
        }
    }
}
