//! Webhooks: whom to tell when something happens, and what may be told.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The form in which a receiver wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Standard Webhooks 1.0: JSON for programs, signed.
    Standard,
    /// Text and blocks, as Slack's incoming webhooks and those compatible with them take it. Not signed.
    Slack,
}

impl Format {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Slack];

    /// Its word in the API and the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Slack => "slack",
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Standard => "Standard Webhooks",
            Self::Slack => "Slack",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == word)
            .ok_or_else(|| Refusal::field("format", "The format is standard or slack."))
    }
}

/// The nouns whose events go out, with the words for them. An event of any other noun (a session, a token, a setting)
/// never leaves the product.
pub const NOUNS: [(&str, &str); 9] = [
    ("rfc", "RFCs"),
    ("thread", "Threads"),
    ("comment", "Comments"),
    ("anchor", "Anchors of threads"),
    ("service", "Services"),
    ("team", "Teams"),
    ("incident", "Incidents"),
    ("follow_up", "Follow-ups"),
    ("person", "People: who joined, roles, who left"),
];

/// Their verbs that go out: not what happens to drafts, nor people's sign-ins, passwords and preferences, which stay
/// between them and the product.
pub const VERBS: [&str; 39] = [
    "anchor.reattached",
    "comment.deleted",
    "comment.edited",
    "comment.posted",
    "follow_up.changed",
    "follow_up.created",
    "follow_up.done",
    "follow_up.dropped",
    "follow_up.due_soon",
    "follow_up.escalated",
    "follow_up.moved",
    "follow_up.overdue",
    "follow_up.reassigned",
    "follow_up.reopened",
    "incident.changed",
    "incident.recorded",
    "incident.restored",
    "incident.voided",
    "person.changed",
    "person.created",
    "person.disabled",
    "person.enabled",
    "person.role_changed",
    "rfc.changed",
    "rfc.imported",
    "rfc.published",
    "rfc.revision_published",
    "rfc.status_changed",
    "rfc.withdrawn",
    "service.archived",
    "service.changed",
    "service.created",
    "service.renamed",
    "service.unarchived",
    "team.changed",
    "team.created",
    "thread.opened",
    "thread.reopened",
    "thread.resolved",
];

/// Whether events with this verb go out at all.
pub fn goes_out(verb: &str) -> bool {
    VERBS.contains(&verb)
}

/// Whether a receiver that asked for `events` (nouns and verbs; none: everything) is told of this verb.
pub fn wants(events: &[String], verb: &str) -> bool {
    let named =
        |event: &String| verb.strip_prefix(event.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    goes_out(verb) && (events.is_empty() || events.iter().any(named))
}

/// The events that a receiver asks for, checked: nouns and verbs, each once.
pub fn parse_events(events: &[String]) -> Result<Vec<String>, Refusal> {
    let mut parsed: Vec<String> = Vec::with_capacity(events.len());
    for event in events.iter().map(|event| event.trim()).filter(|event| !event.is_empty()) {
        if !goes_out(event) && NOUNS.iter().all(|(noun, _)| *noun != event) {
            return Err(Refusal::field("events", no_event(event)));
        }
        if !parsed.iter().any(|known| known == event) {
            parsed.push(event.to_owned());
        }
    }
    if parsed.len() > crate::limits::WEBHOOK_EVENTS {
        let message =
            format!("Name at most {} events; a noun stands for all of its verbs.", crate::limits::WEBHOOK_EVENTS);
        return Err(Refusal::field("events", message));
    }
    Ok(parsed)
}

/// Says that this is none, and what there is instead.
fn no_event(event: &str) -> String {
    let noun = event.split_once('.').map_or(event, |(noun, _)| noun);
    let mut known: Vec<_> = VERBS.into_iter().filter(|verb| verb.split('.').next() == Some(noun)).collect();
    let mut instead = "give one of these verbs, or the noun for all of them";
    if known.is_empty() {
        known = NOUNS.iter().map(|(noun, _)| *noun).collect();
        instead = "give one of its verbs, such as rfc.published, or a noun";
    }
    let event: String = event.chars().take(80).collect();
    format!("No event that goes out is called \"{}\": {instead} ({}).", event.escape_default(), known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn sign_ins_tokens_and_settings_never_go_out() {
        for verb in [
            "person.signed_in",
            "person.password_reset",
            "person.preferences_changed",
            "person.invited",
            "rfc.created",
            "token.created",
            "session.ended",
            "clock.moved",
            "webhook.disabled",
            "hook.created",
            "rfcs.published",
            "test.done",
        ] {
            assert!(!goes_out(verb) && !wants(&[], verb), "{verb}");
        }
        for verb in ["rfc.published", "thread.opened", "person.role_changed", "follow_up.done", "incident.recorded"] {
            assert!(goes_out(verb), "{verb}");
        }
    }

    #[test]
    fn a_noun_stands_for_its_verbs() {
        assert!(wants(&[], "rfc.published"));
        assert!(wants(&events(&["service", "rfc"]), "rfc.published"));
        assert!(wants(&events(&["rfc.published"]), "rfc.published"));
        assert!(!wants(&events(&["rfc.published"]), "rfc.published_twice"));
        assert!(!wants(&events(&["rfc.withdrawn", "service"]), "rfc.published"));
        assert!(!wants(&events(&["person"]), "person.signed_in"));
    }

    #[test]
    fn events_are_checked() {
        assert_eq!(
            parse_events(&events(&[" rfc ", "", "rfc", "service.created"])),
            Ok(events(&["rfc", "service.created"]))
        );
        for wrong in ["token", "person.signed_in", "rfc.", ".rfc", "RFC", "rfc published", "zeppelin.landed"] {
            assert!(parse_events(&events(&[wrong])).is_err(), "{wrong}");
        }
        let refused = |event: &str| parse_events(&events(&[event])).unwrap_err().to_string();
        assert!(refused("rfc.accepted").contains("rfc.published, rfc.revision_published, rfc.status_changed"));
        assert!(!refused("rfc.accepted").contains("service"));
        assert!(refused("zeppelin.landed").contains("rfc, thread, comment"));
        for event in VERBS.into_iter().chain(NOUNS.map(|(noun, _)| noun)) {
            assert_eq!(parse_events(&events(&[event])), Ok(events(&[event])));
        }
    }
}
