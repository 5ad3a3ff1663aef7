//! Is the OpenAPI document true of an answer: status, headers, content type, and every member of the body?

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(server::api::document()).unwrap());

/// Headers that tell a client what to do next.
const TELLING: [&str; 4] = ["etag", "location", "retry-after", "www-authenticate"];

/// Panics when the document does not say that this answer may come.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let what = format!("{method} {path}: {} {}", answer.status, answer.body);
    let path = path.split('?').next().unwrap_or_default();
    let Some(operation) = operation(method, path) else {
        assert!(matches!(answer.status.as_u16(), 404 | 405), "not in the document: {what}");
        return conforms(&schema("Problem"), &answer.json(), "").unwrap_or_else(|why| panic!("{why} in {what}"));
    };
    let response = &operation["responses"][answer.status.as_str()];
    assert!(response.is_object(), "undeclared status: {what}");
    let declared: Vec<_> = response["headers"].as_object().into_iter().flat_map(Map::keys).collect();
    for name in TELLING.iter().filter(|name| answer.headers.contains_key(**name)) {
        assert!(declared.iter().any(|header| header.eq_ignore_ascii_case(name)), "undeclared header {name}: {what}");
    }
    let Some(content) = response["content"].as_object() else {
        assert!(answer.body.is_empty(), "undeclared body: {what}");
        return;
    };
    let kind = content.get(answer.header("content-type"));
    let kind = kind.unwrap_or_else(|| panic!("undeclared content type {}: {what}", answer.header("content-type")));
    conforms(&kind["schema"], &answer.json(), "").unwrap_or_else(|why| panic!("{why} in {what}"));
}

/// The call that this address belongs to.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        let alike =
            wanted.by_ref().zip(given.by_ref()).all(|(wanted, given)| wanted.starts_with('{') || wanted == given);
        alike && template.split('/').count() == path.split('/').count()
    };
    let paths = DOCUMENT["paths"].as_object()?;
    // `/incidents/aggregate` is no `{id}`.
    let fitting = paths.iter().filter(|(template, _)| fits(template));
    let (_, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.to_lowercase())
}

fn schema(name: &str) -> Value {
    DOCUMENT["components"]["schemas"][name].clone()
}

fn resolve(schema: &Value) -> Value {
    match schema["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap().clone(),
        None => schema.clone(),
    }
}

/// Members of an object, also those of the schemas it is composed of; true: it must be there.
fn members(schema: &Value) -> BTreeMap<String, (Value, bool)> {
    let schema = resolve(schema);
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let own = schema["properties"].as_object().cloned().unwrap_or_default();
    let own = own.into_iter().map(|(name, value)| {
        let must = required.contains(&name.as_str());
        (name, (value, must))
    });
    let parts = schema["allOf"].as_array().cloned().unwrap_or_default();
    own.chain(parts.iter().flat_map(members)).collect()
}

/// The part of JSON Schema that the document uses. A member that is not declared is an untruth, too.
fn conforms(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let schema = resolve(schema);
    if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let fits = choices.iter().any(|choice| conforms(choice, value, place).is_ok());
        return if fits { Ok(()) } else { Err(format!("{place}: none of the choices")) };
    }
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |kind: &Value| kind == found || (kind == "number" && found == "integer");
    let right = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    };
    if !right {
        return Err(format!("{place}: {found} instead of {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        return Err(format!("{place}: {value} is none of {words:?}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        conforms(&schema["items"], item, &format!("{place}[{index}]"))?;
    }
    let declared = members(&schema);
    let Some(object) = value.as_object().filter(|_| !declared.is_empty()) else { return Ok(()) };
    for (name, item) in object {
        let (schema, _) = declared.get(name).ok_or_else(|| format!("{place}: undeclared member {name}"))?;
        conforms(schema, item, &format!("{place}.{name}"))?;
    }
    match declared.iter().find(|(name, (_, must))| *must && !object.contains_key(*name)) {
        Some((name, _)) => Err(format!("{place}: no {name}")),
        None => Ok(()),
    }
}
