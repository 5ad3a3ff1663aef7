//! YAML as a tree in which everything knows its line. Bounded: no input makes it large or slow.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Spanned, options};

/// A value and the line it begins on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
    /// Its bytes in the file; none when that is not known.
    at: Range<usize>,
}

/// A value. What is not text and yet no list or map (a number, `true`) is the text that says it, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nothing,
    Text(String),
    List(Vec<Node>),
    /// In the order of the file. A name may stand twice: the first one counts.
    Map(Vec<(String, Node)>),
}

/// Why a file is no YAML that can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The line, from 1; 0 when there is none.
    pub(super) line: u64,
    /// Why, in a sentence.
    pub(super) why: String,
}

/// The documents of a file that say something.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Node>, Unreadable> {
    let text = text(bytes)?;
    let budget = serde_saphyr::budget! {
        // The largest real catalogues have some ten thousand nodes.
        max_nodes: 500_000,
        max_events: 2_000_000,
        max_documents: 20_000,
        max_depth: 40,
        flow_nesting_limit: 40,
        max_aliases: 10_000,
        max_anchors: 10_000,
        max_merge_keys: 10_000,
        max_total_scalar_bytes: 16 * 1024 * 1024,
    };
    let mut limits = serde_saphyr::options::AliasLimits::default();
    limits.max_total_replayed_events = 200_000;
    let options = options! {
        budget: budget,
        alias_limits: limits,
        // Reported, with the first one counting, instead of a file that cannot be read.
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        ignore_binary_tag_for_string: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    let read = serde_saphyr::from_multiple_with_options::<Node>(&text, options).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let mut why: String = error.without_snippet().to_string();
        why.retain(|character| !character.is_control() || character == ' ');
        Unreadable { line, why: format!("This is not YAML that can be read: {}", why.trim_end_matches('.')) + "." }
    });
    let mut documents = read?;
    for document in &mut documents {
        document.as_written(&text);
    }
    Ok(documents)
}

/// UTF-8, or UTF-16 with its mark, as YAML says.
fn text(bytes: &[u8]) -> Result<String, Unreadable> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, wrong) = encoding.decode_without_bom_handling(&bytes[mark.min(bytes.len())..]);
        if !wrong {
            return Ok(text.into_owned());
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = before.split(|byte| *byte == b'\n').count() as u64;
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            let why = format!("This is not UTF-8 (the byte {byte:02X} cannot stand here): save the file as UTF-8.");
            Err(Unreadable { line, why })
        }
    }
}

impl Node {
    /// Takes numbers and truth values as `file` has them: `1.10` is not the text `1.1`. All other text is either the same
    /// there, or has quotes, blanks or signs around it that no number has.
    fn as_written(&mut self, file: &str) {
        match &mut self.value {
            Value::Nothing => {}
            Value::Text(text) => {
                let written = file.get(self.at.clone()).unwrap_or_default();
                let of_a_number = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
                if !written.is_empty() && written.chars().all(of_a_number) {
                    written.clone_into(text);
                }
            }
            Value::List(items) => {
                for item in items {
                    item.as_written(file);
                }
            }
            Value::Map(members) => {
                for (_, member) in members {
                    member.as_written(file);
                }
            }
        }
    }

    /// The member with this name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(members) => members.iter().find(|(member, _)| member == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// Whether it says nothing: null, or a list or map of nothing.
    pub(super) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Nothing => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(items) => items.iter().all(Self::is_empty),
            Value::Map(members) => members.iter().all(|(_, node)| node.is_empty()),
        }
    }

    /// What kind of value it is, in words.
    pub(super) fn what(&self) -> &'static str {
        match &self.value {
            Value::Nothing => "nothing",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a group of fields",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, defined } = Spanned::<Value>::deserialize(deserializer)?;
        let bytes = defined.span().byte_offset().zip(defined.span().byte_len());
        let at = bytes.and_then(|(from, length)| {
            let from = usize::try_from(from).ok()?;
            Some(from..from.checked_add(usize::try_from(length).ok()?)?)
        });
        Ok(Self { line: referenced.line(), value, at: at.unwrap_or_default() })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Text(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((name, node)) = members.next_entry::<Value, Node>()? {
            let name = match name {
                Value::Text(name) => name,
                Value::Nothing => String::new(),
                Value::List(_) | Value::Map(_) => return Err(A::Error::custom("a field's name has to be text")),
            };
            map.push((name, node));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        let mut documents = documents(text.as_bytes()).unwrap();
        assert_eq!(documents.len(), 1, "{documents:?}");
        documents.remove(0)
    }

    fn texts(node: &Node, name: &str) -> String {
        match &node.get(name).unwrap().value {
            Value::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_knows_its_line_and_odd_scalars_stay_what_was_written() {
        let node = one("a: yes\r\nb: 007\r\nc: 1_000\r\nd: true\r\ne: 3\r\nf: .nan\r\ng:\r\nh: [x, {y: z}]\r\n");
        let said = ["a", "b", "c", "d", "e", "f"].map(|name| texts(&node, name));
        assert_eq!(said, ["yes", "007", "1_000", "true", "3", ".nan"]);
        assert_eq!(node.get("g").unwrap().value, Value::Nothing);
        assert_eq!((node.get("e").unwrap().line, node.get("h").unwrap().line), (5, 8));
    }

    #[test]
    fn numbers_are_the_text_that_says_them() {
        let node = one(
            "é: x\r\na: 1.10\r\nb: 0x1F # hex\r\nc: {d: 1234e5, e: True}\r\nf: &v +1.50\r\ng: *v\r\nh: \"1.10\"\r\ni: .5\r\n",
        );
        let said = ["a", "b", "f", "g", "h", "i"].map(|name| texts(&node, name));
        assert_eq!(said, ["1.10", "0x1F", "+1.50", "+1.50", "1.10", ".5"]);
        let within = node.get("c").unwrap();
        assert_eq!((texts(within, "d"), texts(within, "e")), ("1234e5".into(), "True".into()));
        let second = documents(b"a: 1\n---\nb: 2.50\n").unwrap().remove(1);
        assert_eq!(texts(&second, "b"), "2.50");
    }

    #[test]
    fn anchors_and_merges_are_understood_and_the_first_of_two_names_counts() {
        let node = one("base: &b {team: core, tier: sv}\nx:\n  <<: *b\n  tier: db\ny: *b\nx: late\n");
        let x = node.get("x").unwrap();
        assert_eq!((texts(x, "team"), texts(x, "tier")), ("core".into(), "db".into()));
        assert_eq!(texts(node.get("y").unwrap(), "team"), "core");
    }

    #[test]
    fn marks_and_encodings() {
        assert_eq!(texts(&one("\u{feff}name: é\n"), "name"), "é");
        let wide: Vec<u8> = "\u{feff}name: é\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(texts(&documents(&wide).unwrap()[0], "name"), "é");
        let latin = documents(b"a: b\nname: caf\xe9\n").unwrap_err();
        assert_eq!(latin.line, 2);
        assert!(latin.why.contains("E9") && latin.why.contains("UTF-8"), "{}", latin.why);
    }

    #[test]
    fn documents_that_say_nothing_are_passed_over() {
        for empty in ["", "\n", "---\n", "---\n---\n...\n", "# only a comment\n", "null\n---\n~\n"] {
            assert_eq!(documents(empty.as_bytes()).unwrap(), [], "{empty:?}");
        }
        assert_eq!(documents(b"---\n---\na: b\n---\n").unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_yaml_is_named_with_its_line() {
        for (text, line) in [
            ("a:\n\tc: d\n", 2),
            ("a: [b\n", 0),
            ("a: b: c\n", 1),
            ("a: *nobody\n", 1),
            ("a: \"open\nb: c\n", 0),
            ("{[a, b]: c}\n", 0),
        ] {
            let wrong = documents(text.as_bytes()).unwrap_err();
            assert!(line == 0 || wrong.line == line, "{text:?}: {wrong:?}");
            assert!(wrong.why.len() < 400, "{wrong:?}");
        }
    }

    #[test]
    fn bombs_are_refused_quickly() {
        let mut laughs = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let items = vec![format!("*a{}", n - 1); 10].join(", ");
            laughs += &["b", &n.to_string(), ": &a", &n.to_string(), " [", &items, "]\n"].concat();
        }
        let deep = format!("{}x{}", "[".repeat(5_000), "]".repeat(5_000));
        let deep_blocks = (0..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<Vec<_>>().concat();
        let many = "- x\n".repeat(2_400_000);
        let documents_many = "---\na: b\n".repeat(40_000);
        let anchors = (0..30_000).map(|n| format!("a{n}: &a{n} x\n")).collect::<Vec<_>>().concat();
        let began = std::time::Instant::now();
        for bomb in [laughs, deep, deep_blocks, many, documents_many, anchors] {
            assert!(documents(bomb.as_bytes()).is_err(), "{}", &bomb[..40]);
        }
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
