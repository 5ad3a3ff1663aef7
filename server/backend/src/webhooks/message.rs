//! What a webhook's receiver is told: made once, when the event happened, and the same at every try.

use domain::webhook::{self, Format};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::events::Event;
use crate::events::sentence::{Piece, sentence};
use crate::{Error, Result, Tx, entropy};

/// Bytes of what was before and is after that are passed on; more is left out, and the receiver asks the API.
/// Standard Webhooks wants a message to stay below 20 kB.
const CHANGE_BYTES: usize = 8 * 1024;
/// Characters of a subject's title in a message.
const TITLE_CHARS: usize = 300;

/// A call that is to be made: what the outbox keeps of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The webhook's key.
    pub webhook: i64,
    /// What it says.
    pub message: Message,
}

/// What a call says, without the product's address, which is known when it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The event's verb.
    pub r#type: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The event's number; none for a test.
    pub event: Option<String>,
    /// What it happened to.
    pub subject: Option<MessageSubject>,
    /// Who did it; nobody: the product itself.
    pub actor: Option<MessageActor>,
    /// What mattered of the subject before.
    pub before: Option<Value>,
    /// What matters of it now.
    pub after: Option<Value>,
    /// Before and after were too long to pass on.
    pub abridged: bool,
}

/// What an event happened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSubject {
    /// Its noun.
    pub kind: String,
    /// Its name in the API.
    pub key: String,
    /// What people call it, if it has a title.
    pub title: Option<String>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageActor {
    /// By name.
    pub name: String,
    /// By address.
    pub email: String,
}

impl Message {
    /// What there is to say of an event; nothing when it is about a draft.
    pub(super) async fn of(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Self>> {
        let title = match event.subject_kind.as_str() {
            "rfc" => match published_title(tx, event).await? {
                Some(title) => Some(title),
                None => return Ok(None),
            },
            "service" => {
                sqlx::query_scalar!("select name from services where slug = $1", event.subject_key)
                    .fetch_optional(&mut **tx)
                    .await?
            }
            _ => said_title(event),
        };
        let (before, after) = (event.before.clone(), event.after.clone().map(|after| public(&event.verb, after)));
        let bytes = [&before, &after].map(|value| value.as_ref().map_or(0, |value| value.to_string().len()));
        let abridged = bytes.iter().sum::<usize>() > CHANGE_BYTES;
        let title = title.map(|title| title.chars().take(TITLE_CHARS).collect());
        Ok(Some(Self {
            r#type: event.verb.clone(),
            timestamp: event.at,
            event: Some(event.id.to_string()),
            subject: Some(MessageSubject { kind: event.subject_kind.clone(), key: event.subject_key.clone(), title }),
            actor: event.actor_name.clone().zip(event.actor.clone()).map(|(name, email)| MessageActor { name, email }),
            before: before.filter(|_| !abridged),
            after: after.filter(|_| !abridged),
            abridged,
        }))
    }

    /// A test by this person.
    pub(super) fn test(at: Timestamp, name: &str, email: &str) -> Self {
        let actor = Some(MessageActor { name: name.to_owned(), email: email.to_owned() });
        let r#type = TEST.to_owned();
        Self { r#type, timestamp: at, event: None, subject: None, actor, before: None, after: None, abridged: false }
    }

    /// The body of the call. `origin` is the product's address without a slash at the end, `path` the subject's page.
    pub fn body(&self, format: Format, origin: &str, path: &str) -> Result<String> {
        let url = format!("{origin}{path}");
        let body = match format {
            Format::Standard => {
                let subject = self.subject.as_ref().map(
                    |subject| json!({ "kind": subject.kind, "key": subject.key, "title": subject.title, "url": url }),
                );
                let data = json!({
                    "event": self.event, "subject": subject, "actor": self.actor, "before": self.before,
                    "after": self.after, "abridged": self.abridged,
                });
                json!({ "type": self.r#type, "timestamp": self.timestamp, "data": data })
            }
            Format::Slack => {
                let text = self.sentence(|thing| format!("<{url}|{}>", escape(thing)), escape);
                json!({
                    "text": text,
                    "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": text } }],
                })
            }
        };
        serde_json::to_string(&body).map_err(Into::into)
    }

    /// What happened, in a sentence.
    pub fn words(&self) -> String {
        self.sentence(str::to_owned, str::to_owned)
    }

    fn sentence(&self, thing: impl Fn(&str) -> String, text: impl Fn(&str) -> String) -> String {
        let who = text(self.actor.as_ref().map_or("Plumbline", |actor| actor.name.as_str()));
        let Some(subject) = &self.subject else {
            return format!("This is a test of {}, by {who}. Nothing happened.", thing("Plumbline"));
        };
        let noun = subject.kind.replace('_', " ");
        let name = match (subject.kind.as_str(), &subject.title) {
            ("rfc", Some(title)) => format!("RFC-{} {title}", subject.key),
            (_, Some(title)) => format!("{noun} {title}"),
            (_, None) => format!("{noun} {}", subject.key),
        };
        let said =
            sentence(&self.r#type, self.before.as_ref(), self.after.as_ref()).into_iter().map(|piece| match piece {
                Piece::Text(words) => text(&words),
                Piece::Object => thing(&name),
                Piece::About(preposition) => format!(" {preposition} {}", thing(&name)),
            });
        format!("{who} {}.", said.collect::<String>())
    }
}

/// The type of a test.
pub const TEST: &str = "webhook.test";

/// Names a call at its receiver, the same at every try (Standard Webhooks: `webhook-id`). Made of the work's key; the
/// instant at which the webhook was made keeps two installations that call the same receiver apart.
pub fn id(key: &str, webhook_made_at: Timestamp) -> String {
    let hash = entropy::hash(&format!("{key} {webhook_made_at}"));
    let letters = b"0123456789abcdefghijklmnopqrstuv";
    let name: String = hash.iter().take(26).map(|byte| char::from(letters[usize::from(byte & 31)])).collect();
    format!("msg_{name}")
}

/// The title of the RFC that an event is about, if it was published by then, whatever became of it since. A deleted one
/// was a draft.
async fn published_title(tx: &mut Tx<'_>, event: &Event) -> Result<Option<String>> {
    let number: i64 = event.subject_key.parse().map_err(Error::internal)?;
    let title = sqlx::query_scalar!(
        "select title from rfcs
         where number = $1 and status <> 'draft'
           and exists (select from events where subject_kind = 'rfc' and subject_key = $2 and id <= $3
                         and (verb = 'rfc.published' or (verb = 'rfc.imported' and after ->> 'status' <> 'draft')))",
        number,
        event.subject_key,
        event.id,
    );
    Ok(title.fetch_optional(&mut **tx).await?)
}

/// What the event itself calls its subject.
fn said_title(event: &Event) -> Option<String> {
    let said = [&event.after, &event.before].into_iter().flatten();
    let mut titles = said.flat_map(|value| ["title", "name"].map(|name| value.get(name)));
    titles.find_map(|title| title?.as_str().filter(|title| !title.is_empty()).map(str::to_owned))
}

/// What everybody may know of what an event says came of it. Whom a draft was shared with stays between them, also when
/// it is none any more; and what is null there was not changed.
fn public(verb: &str, mut after: Value) -> Value {
    if let (Some(members), "rfc.changed") = (after.as_object_mut(), verb) {
        members.retain(|name, value| {
            !value.is_null() && !["shared_with", "newly_shared_with", "new_authors"].contains(&name.as_str())
        });
    }
    after
}

/// What Slack's mrkdwn takes for itself.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('|', "¦")
}

/// Whether this event may go out at all, before anything is looked up.
pub(super) fn may_go_out(event: &Event) -> bool {
    webhook::goes_out(&event.verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, verb: &str, title: &str, after: Value) -> Message {
        Message {
            r#type: verb.into(),
            timestamp: "2026-11-02T09:00:00Z".parse().unwrap(),
            event: Some("17".into()),
            subject: Some(MessageSubject { kind: kind.into(), key: "7".into(), title: Some(title.into()) }),
            actor: Some(MessageActor { name: "Ada <Byron>".into(), email: "ada@example.com".into() }),
            before: None,
            after: Some(after),
            abridged: false,
        }
    }

    #[test]
    fn a_standard_body_has_type_timestamp_and_data() {
        let message = message("rfc", "rfc.published", "Shard the ledger", json!({ "status": "in_review" }));
        let body: Value =
            serde_json::from_str(&message.body(Format::Standard, "https://p.example", "/rfcs/7").unwrap()).unwrap();
        assert_eq!(body["type"], "rfc.published");
        assert_eq!(body["timestamp"], "2026-11-02T09:00:00Z");
        assert_eq!(body["data"]["subject"]["url"], "https://p.example/rfcs/7");
        assert_eq!(body["data"]["actor"]["email"], "ada@example.com");
        assert_eq!(body["data"]["after"]["status"], "in_review");
    }

    #[test]
    fn a_slack_body_is_a_sentence_with_a_link_in_which_nobody_can_hide_markup() {
        let message = message("rfc", "rfc.published", "<!channel> a|b & c", json!({ "status": "in_review" }));
        let body: Value =
            serde_json::from_str(&message.body(Format::Slack, "https://p.example", "/rfcs/7").unwrap()).unwrap();
        let sentence = "Ada &lt;Byron&gt; published <https://p.example/rfcs/7|RFC-7 &lt;!channel&gt; a¦b &amp; c>.";
        assert_eq!(body["text"], sentence);
        assert_eq!(body["blocks"][0]["text"]["text"], sentence);
        assert_eq!(message.words(), "Ada <Byron> published RFC-7 <!channel> a|b & c.");
    }

    #[test]
    fn what_happened_to_a_part_names_the_part() {
        assert_eq!(message("rfc", "thread.opened", "T", json!({})).words(), "Ada <Byron> opened a thread on RFC-7 T.");
        let mut late =
            message("follow_up", "follow_up.overdue", "Add a canary", json!({ "owner": "a@b", "due": "1 May" }));
        late.actor = None;
        assert_eq!(late.words(), "Plumbline reminded a@b of follow up Add a canary: overdue since 1 May.");
    }

    #[test]
    fn what_is_written_in_an_event_has_no_markup_either() {
        let after = json!({ "revision": 3, "summary": "<!here>" });
        let message = message("rfc", "rfc.revision_published", "T", after);
        let body = message.body(Format::Slack, "https://p.example", "/rfcs/7").unwrap();
        assert!(body.contains("published revision 3 of <https://p.example/rfcs/7|RFC-7 T>: “&lt;!here&gt;”"), "{body}");
    }

    #[test]
    fn a_call_is_named_by_its_key_for_good() {
        let at = "2026-11-02T09:00:00Z".parse().unwrap();
        let name = id("webhook:1:event:7", at);
        assert_eq!(name, id("webhook:1:event:7", at));
        assert_ne!(name, id("webhook:1:event:8", at));
        assert_ne!(name, id("webhook:1:event:7", "2026-11-02T09:00:01Z".parse().unwrap()));
        assert!(name.len() == 30 && !name.contains('.'));
    }
}
