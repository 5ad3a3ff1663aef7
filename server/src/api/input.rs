//! What callers send: JSON bodies, query parameters, names in the path. A mistake is a refusal that names its field.

use std::borrow::Cow;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use backend::PageRequest;
use domain::Refusal;
use serde::de::value::{Error as Mistake, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde_json::Value;
use serde_path_to_error::{Path as Place, Segment};

use super::problem::Failure;
use crate::middleware::{form_errors, timeouts};

/// What the contract names and this release cannot act on: refused, because whoever sends it counts on it.
const NOT_YET: [&str; 5] = ["attention", "guards", "override", "reviewers", "suggestion"];
/// What an object says about itself and nobody sets: whoever reads it, changes it and sends it back sends these too.
const SAID_ONLY: [&str; 7] = ["archived_at", "created_at", "depended_on_by", "email", "slug", "updated_at", "version"];
/// Members that mean nothing here and say nothing either (`"reviewers": []`) are passed over; so many of them.
const PASSED_OVER: usize = 20;

/// A JSON object. A member that is not known is refused unless it is empty.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let body = to_bytes(request.into_body(), timeouts::BODY).await.map_err(|error| unreadable(&error))?;
        Ok(Self(read_object(&body)?))
    }
}

/// Why a body could not be read.
pub(super) fn unreadable(error: &axum::Error) -> Refusal {
    if form_errors::is_too_large(error) {
        return Refusal::TooLarge { field: "body".into(), limit_bytes: timeouts::BODY as u64 };
    }
    Refusal::field("body", "The body could not be read to its end.")
}

fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let sent = serde_json::from_slice(body);
    let mut sent: Value = sent.map_err(|error| Refusal::field("body", format!("This is not JSON: {error}.")))?;
    if !sent.is_object() {
        return Err(Refusal::field("body", "Send a JSON object."));
    }
    let mut passed_over = 0;
    loop {
        let error = match serde_path_to_error::deserialize(&sent) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let message = error.inner().to_string();
        if passed_over < PASSED_OVER && is_unknown(&message) && pass_over(&mut sent, error.path()).is_some() {
            passed_over += 1;
            continue;
        }
        return Err(explain(error.path(), &message, |message| {
            format!("This is not the JSON expected here: {message}.")
        }));
    }
}

fn is_unknown(message: &str) -> bool {
    message.starts_with("unknown field")
}

/// Removes the member at `place` if it is empty or one of the object's own [`SAID_ONLY`].
fn pass_over(sent: &mut Value, place: &Place) -> Option<Value> {
    let mut way: Vec<&Segment> = place.iter().collect();
    let Segment::Map { key: name } = way.pop()? else { return None };
    let own = way.is_empty() && SAID_ONLY.contains(&name.as_str());
    let members = way
        .into_iter()
        .try_fold(sent, |value, segment| match segment {
            Segment::Map { key } => value.get_mut(key),
            Segment::Seq { index } => value.get_mut(index),
            _ => None,
        })?
        .as_object_mut()?;
    let empty = match members.get(name)? {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    if empty || own { members.remove(name) } else { None }
}

/// The refusal for what serde says about a place.
fn explain(place: &Place, message: &str, otherwise: impl FnOnce(&str) -> String) -> Refusal {
    let place = if place.iter().len() == 0 { String::new() } else { place.to_string() };
    let member = |name: &str| match place.as_str() {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    let (what, rest) = message.split_once(" `").unwrap_or_default();
    let (name, rest) = rest.split_once('`').unwrap_or_default();
    match what {
        "missing field" => Refusal::field(member(name), "This is missing."),
        // Found when the second one is read, so the place may be the object's or the member's own.
        "duplicate field" => Refusal::field(name, "Give this once only."),
        "unknown field" if NOT_YET.contains(&name) => {
            Refusal::field(place, format!("This release cannot act on \"{name}\" yet; leave it out."))
        }
        "unknown field" => {
            let known = rest.replace(", expected ", "").replace("one of ", "").replace('`', "\"");
            let message = format!("There is nothing called \"{}\" here; known: {known}.", name.escape_default());
            Refusal::field(place, message)
        }
        _ if place.is_empty() => Refusal::field("body", otherwise(message)),
        _ => Refusal::field(place, otherwise(message)),
    }
}

/// Query parameters. An empty one counts as absent.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        Ok(Self(read_query(parts.uri.query().unwrap_or_default())?))
    }
}

fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, Refusal> {
    let pairs = url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name, Text(value)));
    serde_path_to_error::deserialize(MapDeserializer::<_, Mistake>::new(pairs))
        .map_err(|error| explain(error.path(), &error.inner().to_string(), str::to_owned))
}

/// One value of a query: text that becomes what its field is.
struct Text<'a>(Cow<'a, str>);

impl IntoDeserializer<'_, Mistake> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_string(self.0.into_owned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// A number too large to be kept is as good as the largest: it is cut further on, or names nothing.
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let digits = self.0.strip_prefix('-').unwrap_or(&self.0);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Mistake::custom("Give a whole number, such as 20."));
        }
        let outermost = if self.0.starts_with('-') { i64::MIN } else { i64::MAX };
        visitor.visit_i64(self.0.parse().unwrap_or(outermost))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &*self.0 {
            "true" => visitor.visit_bool(true),
            "" | "false" => visitor.visit_bool(false),
            _ => Err(Mistake::custom("Give true or false.")),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// `?limit=` and `&cursor=` of a list.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Rows: 1–200, default 50; more is cut to 200.
    #[param(minimum = 1, default = 50)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl From<Paging> for PageRequest {
    fn from(Paging { limit, cursor }: Paging) -> Self {
        Self { limit, cursor }
    }
}

/// One segment, or several, of the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    /// A name that cannot be one names nothing: 404.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Refusal::not_found("object").into())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Part {
        url: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        title: String,
        number: Option<i64>,
        #[serde(default)]
        parts: Vec<Part>,
    }

    fn wrong<T: std::fmt::Debug>(result: Result<T, Refusal>) -> (String, String) {
        let Err(Refusal::Invalid { fields }) = result else { panic!("{result:?}") };
        assert_eq!(fields.len(), 1);
        (fields[0].field.clone(), fields[0].message.clone())
    }

    #[test]
    fn a_mistake_in_a_body_names_its_member() {
        let field = |body: &str| wrong(read_object::<Sent>(body.as_bytes())).0;
        assert_eq!(field("{}"), "title");
        assert_eq!(field(r#"{"title":"x","number":"7"}"#), "number");
        assert_eq!(field(r#"{"title":"x","parts":[{"url":"a"},{}]}"#), "parts[1].url");
        assert_eq!(field(r#"{"title":"x","parts":[{"url":"a","name":"b"}]}"#), "parts[0].name");
        for broken in ["", "{", "[]", "null", "{} {}", "{\"title\":\"\u{1}\"}", r#"{"title":"\ud800"}"#] {
            assert_eq!(field(broken), "body", "{broken}");
        }
    }

    #[test]
    fn an_unknown_member_is_refused_unless_it_says_nothing() {
        let (field, message) = wrong(read_object::<Sent>(br#"{"title":"x","body":"y"}"#));
        assert_eq!(field, "body");
        assert_eq!(message, "There is nothing called \"body\" here; known: \"title\", \"number\", \"parts\".");
        let (field, message) = wrong(read_object::<Sent>(br#"{"title":"x","suggestion":"y"}"#));
        assert_eq!(field, "suggestion");
        assert_eq!(message, "This release cannot act on \"suggestion\" yet; leave it out.");
        assert_eq!(wrong(read_object::<Sent>(br#"{"title":"x","flag":false}"#)).0, "flag");

        let sent_back = r#"{"title":"x","slug":"s","version":3,"parts":[]}"#;
        assert!(read_object::<Sent>(sent_back.as_bytes()).is_ok(), "what was read may be sent back");
        let empty = r#"{"title":"x","a":null,"b":[],"c":"","d":{},"parts":[{"url":"u","e":null}]}"#;
        let read: Sent = read_object(empty.as_bytes()).unwrap();
        assert_eq!(read, Sent { title: "x".into(), number: None, parts: vec![Part { url: "u".into() }] });
        // Not for ever: reading anew for each of a hundred thousand would take minutes.
        let many: Vec<_> = (0..100).map(|number| format!("\"x{number}\":null")).collect();
        assert!(wrong(read_object::<Sent>(format!("{{{}}}", many.join(",")).as_bytes())).0.starts_with('x'));
    }

    #[test]
    fn a_mistake_in_a_query_names_its_parameter() {
        #[derive(Debug, Deserialize)]
        struct Wanted {
            limit: Option<i64>,
            q: Option<String>,
            #[serde(default)]
            archived: bool,
        }
        let field = |query: &str| wrong(read_query::<Wanted>(query)).0;
        assert_eq!(field("limit=ten"), "limit");
        assert_eq!(field("limit=-"), "limit");
        assert_eq!(field("archived=yes"), "archived");
        assert_eq!(field("q=a&q=b"), "q");
        let read = |query: &str| read_query::<Wanted>(query).unwrap();
        assert_eq!(read("limit=99999999999999999999999").limit, Some(i64::MAX));
        assert_eq!(read("limit=-99999999999999999999999").limit, Some(i64::MIN));
        assert_eq!(read("q=a+b%26c&archived=true&other=1").q.as_deref(), Some("a b&c"));
        assert!(read("archived=true").archived);
        let empty = read("limit=&q=&archived=");
        assert!(empty.limit.is_none() && empty.q.is_none() && !empty.archived);
    }
}
