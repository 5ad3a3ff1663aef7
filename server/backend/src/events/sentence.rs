//! What an event says in plain English: "published revision 3 of RFC-7".
//!
//! Pure: from the verb and what mattered before and after. A verb that nobody described here is still readable: verbs are
//! past participles, `<noun>.<what was done>` or `<noun>.<thing>_<what was done to it>`.

use serde_json::Value;

/// A piece of the sentence after who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// What it happened to.
    Object,
    /// The same after a preposition; left out where it is clear what it happened to.
    About(&'static str),
}

use Piece::{About, Object};

fn text(words: impl Into<String>) -> Piece {
    Piece::Text(words.into())
}

/// The sentence of an event, without who did it.
pub fn sentence(verb: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<Piece> {
    let was = |name: &str| member(before, name);
    let is = |name: &str| member(after, name);
    let whole = |did: &str| vec![text(format!("{did} ")), Object];
    let part = |did: String, preposition: &'static str| vec![text(did), About(preposition)];
    match verb {
        "rfc.created" => part("wrote the first draft".into(), "of"),
        "rfc.published" => whole("published"),
        "rfc.withdrawn" => whole("withdrew"),
        "rfc.deleted" => whole("deleted the draft"),
        "rfc.imported" => whole("imported"),
        "rfc.revision_published" => {
            let summary = is("summary");
            let mut said = part(format!("published revision {}", is("revision")), "of");
            if !summary.is_empty() {
                said.push(text(format!(": “{summary}”")));
            }
            said
        }
        "rfc.status_changed" => {
            let to = is("status").replace('_', " ");
            vec![text("changed the status"), About("of"), text(format!(" to {to}"))]
        }
        "rfc.changed" if !is("title").is_empty() => {
            vec![text("changed the title"), About("of"), text(format!(" to “{}”", is("title")))]
        }
        // What stays is null.
        "rfc.changed" => part(format!("changed {}", these(given(after))), "of"),
        "thread.opened" if is("severity") == "blocking" => part("opened a blocking thread".into(), "on"),
        "thread.opened" => part("opened a thread".into(), "on"),
        "thread.resolved" => part("resolved a thread".into(), "on"),
        "thread.reopened" => part("reopened a thread".into(), "on"),
        "anchor.reattached" => part("moved a thread to its place".into(), "in"),
        "comment.posted" => part("replied".into(), "on"),
        "comment.edited" => part("edited a comment".into(), "on"),
        "comment.deleted" => part("deleted a comment".into(), "on"),
        "service.created" | "team.created" | "person.created" => whole("added"),
        "service.renamed" => {
            vec![text("renamed "), Object, text(format!(" from {} to {}", was("slug"), is("slug")))]
        }
        "service.unarchived" => vec![text("brought "), Object, text(" back")],
        "service.changed" | "team.changed" | "person.changed" | "incident.changed" | "follow_up.changed" => {
            part(format!("changed {}", these(different(before, after))), "of")
        }
        "person.role_changed" => {
            let (was, is) = (was("role"), is("role"));
            vec![text("changed the role"), About("of"), text(format!(" from {was} to {is}"))]
        }
        "person.invitation_withdrawn" => part("withdrew the invitation".into(), "of"),
        "person.signed_in" => vec![text("signed in")],
        "person.password_reset" => part("set a new password".into(), "for"),
        "session.ended" => part("ended sessions".into(), "of"),
        "token.created" => part(format!("made the API token “{}”", is("name")), "for"),
        "token.revoked" => part(format!("revoked the API token “{}”", was("name")), "of"),
        "follow_up.created" => whole("made"),
        "follow_up.reassigned" => vec![text("handed "), Object, text(format!(" on to {}", is("owner")))],
        "follow_up.moved" => vec![text("moved "), Object, text(format!(" from {} to {}", was("due"), is("due")))],
        "follow_up.done" => whole("finished"),
        "follow_up.reopened" => vec![text("opened "), Object, text(" again")],
        "follow_up.due_soon" => part(format!("reminded {}", reminded(after)), "of"),
        "follow_up.overdue" => {
            let late = format!(": overdue since {}", is("due"));
            vec![text(format!("reminded {}", reminded(after))), About("of"), text(late)]
        }
        "follow_up.escalated" => part("told the leads".into(), "of"),
        "clock.moved" => vec![text("moved the clock")],
        "audit.exported" => vec![text("exported the audit log")],
        other => readable(other),
    }
}

/// Whom a reminder of a follow-up went to: see `follow_ups/concerns.rs`.
fn reminded(after: Option<&Value>) -> String {
    match after.and_then(|after| after.get("needs_owner")) {
        Some(Value::Bool(true)) => "the leads".to_owned(),
        _ => member(after, "owner"),
    }
}

/// From the verb alone.
fn readable(verb: &str) -> Vec<Piece> {
    let (noun, done) = verb.rsplit_once('.').unwrap_or(("", verb));
    let own = noun.is_empty() || SUBJECTS.contains(&noun);
    let noun = noun.replace(['_', '.'], " ");
    match done.rsplit_once('_') {
        Some((things, participle)) if participle.ends_with("ed") || participle.ends_with("set") => {
            vec![text(format!("{participle} the {}", things.replace('_', " "))), About("of")]
        }
        // "sent again": not something done to a thing.
        Some(_) => vec![text(format!("{} {} {noun}", done.replace('_', " "), article(&noun))), About("of")],
        None if own => vec![text(format!("{done} ")), Object],
        None => vec![text(format!("{done} {} {noun}", article(&noun))), About("on")],
    }
}

/// Nouns that events are about: see `Subject`.
const SUBJECTS: [&str; 10] =
    ["rfc", "service", "team", "person", "incident", "follow_up", "webhook", "hook", "import", "product"];

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// A member in words: text as it is, numbers as digits, everything else as nothing.
fn member(of: Option<&Value>, name: &str) -> String {
    match of.and_then(|value| value.get(name)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The names of the members that are not null.
fn given(of: Option<&Value>) -> Vec<String> {
    let members = of.and_then(Value::as_object).into_iter().flatten();
    members.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()).collect()
}

/// The names of the members that are not the same.
fn different(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let members = after.and_then(Value::as_object).into_iter().flatten();
    let changed = members.filter(|(name, value)| before.and_then(|before| before.get(name.as_str())) != Some(*value));
    changed.map(|(name, _)| name.clone()).filter(|name| name != "version").collect()
}

/// "the name, tier and team".
fn these(names: Vec<String>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| name.replace('_', " ")).collect();
    match names.as_slice() {
        [] => "details".to_owned(),
        [one] => format!("the {one}"),
        [first @ .., last] => format!("the {} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The sentence on a page of its own and on another one.
    fn said(verb: &str, before: Value, after: Value) -> (String, String) {
        let pieces = sentence(verb, Some(&before), Some(&after));
        let render = |own: bool| -> String {
            let words = pieces.iter().map(|piece| match piece {
                Piece::Text(words) => words.clone(),
                Piece::Object => if own { "it" } else { "THAT" }.to_owned(),
                Piece::About(preposition) => {
                    if own {
                        String::new()
                    } else {
                        format!(" {preposition} THAT")
                    }
                }
            });
            words.collect()
        };
        (render(true), render(false))
    }

    #[test]
    fn what_happened_reads_like_a_person_says_it() {
        let none = || json!(null);
        for (verb, before, after, own, elsewhere) in [
            ("rfc.created", none(), json!({ "title": "T" }), "wrote the first draft", "wrote the first draft of THAT"),
            ("rfc.published", none(), none(), "published it", "published THAT"),
            (
                "rfc.revision_published",
                json!({ "revision": 2 }),
                json!({ "revision": 3, "summary": "Shorter" }),
                "published revision 3: “Shorter”",
                "published revision 3 of THAT: “Shorter”",
            ),
            (
                "rfc.status_changed",
                none(),
                json!({ "status": "final_comment", "reason": "" }),
                "changed the status to final comment",
                "changed the status of THAT to final comment",
            ),
            (
                "rfc.changed",
                json!({ "title": "Old" }),
                json!({ "title": null, "kind": "slo", "shared_with": [], "authors": null }),
                "changed the kind and shared with",
                "changed the kind and shared with of THAT",
            ),
            (
                "service.changed",
                json!({ "name": "A", "tier": 1, "team": null, "labels": [] }),
                json!({ "name": "B", "tier": 2, "team": "x", "labels": [] }),
                "changed the name, team and tier",
                "changed the name, team and tier of THAT",
            ),
            (
                "service.renamed",
                json!({ "slug": "a" }),
                json!({ "slug": "b" }),
                "renamed it from a to b",
                "renamed THAT from a to b",
            ),
            (
                "person.role_changed",
                json!({ "role": "member" }),
                json!({ "role": "sre" }),
                "changed the role from member to sre",
                "changed the role of THAT from member to sre",
            ),
            (
                "token.revoked",
                json!({ "name": "ci" }),
                none(),
                "revoked the API token “ci”",
                "revoked the API token “ci” of THAT",
            ),
            (
                "follow_up.moved",
                json!({ "due": "2026-11-09" }),
                json!({ "due": "2026-11-20", "owner": "a@b" }),
                "moved it from 2026-11-09 to 2026-11-20",
                "moved THAT from 2026-11-09 to 2026-11-20",
            ),
            (
                "follow_up.overdue",
                none(),
                json!({ "due": "2026-11-09", "owner": "a@b" }),
                "reminded a@b: overdue since 2026-11-09",
                "reminded a@b of THAT: overdue since 2026-11-09",
            ),
            (
                "follow_up.due_soon",
                none(),
                json!({ "due": "2026-11-09", "owner": "a@b", "needs_owner": true }),
                "reminded the leads",
                "reminded the leads of THAT",
            ),
            // Nobody described these.
            ("incident.recorded", none(), none(), "recorded it", "recorded THAT"),
            ("follow_up.chased", none(), none(), "chased it", "chased THAT"),
            ("incident.severity_changed", none(), none(), "changed the severity", "changed the severity of THAT"),
            ("answer.accepted", none(), none(), "accepted an answer", "accepted an answer on THAT"),
            ("delivery.sent_again", none(), none(), "sent again a delivery", "sent again a delivery of THAT"),
            ("unheard", none(), none(), "unheard it", "unheard THAT"),
        ] {
            assert_eq!(said(verb, before, after), (own.to_owned(), elsewhere.to_owned()), "{verb}");
        }
    }

    #[test]
    fn every_verb_of_the_product_has_words_of_its_own_or_readable_ones() {
        for strange in ["", ".", "a.", "_", "a.b_", "rfc.changed", "rfc.revision_published", "token.created"] {
            assert!(!sentence(strange, None, None).is_empty(), "{strange}");
            assert!(!sentence(strange, Some(&json!([1])), Some(&json!("x"))).is_empty(), "{strange}");
        }
    }
}
