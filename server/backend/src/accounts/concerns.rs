//! Whom the events of accounts concern: the person themselves, when something about their way in changed. They are told
//! of what they did themselves, too: it may have been somebody else with their password.

use domain::Role;
use domain::notice::{Kind, Reason};
use serde_json::Value;

use crate::events::Event;
use crate::notices::{About, Concern, Told};
use crate::{Result, Tx};

/// Whom an event about a person concerns.
pub(crate) async fn of(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Told>> {
    let after = event.after.as_ref().unwrap_or(&Value::Null);
    let (text, place) = match event.verb.as_str() {
        "person.password_changed" => ("Your password was changed".to_owned(), "password"),
        "person.password_reset" => (format!("Your password was set anew{}", by(event)), "password"),
        "token.created" => {
            let name = after["name"].as_str().unwrap_or_default();
            (format!("An API token “{name}” was made for you{}", by(event)), "tokens")
        }
        "person.role_changed" => {
            let role = after["role"].as_str().and_then(Role::parse).map_or("another one", Role::label);
            (format!("Your role is now {role}{}", by(event)), "you")
        }
        _ => return Ok(None),
    };
    let person = sqlx::query_scalar!("select id from people where email = $1::text::citext", event.subject_key)
        .fetch_optional(&mut **tx)
        .await?;
    let about =
        About { tag: String::new(), title: "Your account".to_owned(), path: "/account".to_owned(), access: None };
    let concern = |person| Concern {
        person,
        kind: Kind::Security,
        reason: Reason::Account,
        text,
        excerpt: String::new(),
        place: place.to_owned(),
    };
    Ok(Some(Told { about, concerns: person.map(concern).into_iter().collect() }))
}

/// Who did it, when it was not the person.
fn by(event: &Event) -> String {
    match (&event.actor, &event.actor_name) {
        (Some(actor), _) if *actor == event.subject_key => String::new(),
        (_, Some(name)) => format!(" by {name}"),
        (_, None) => " by an operator".to_owned(),
    }
}
