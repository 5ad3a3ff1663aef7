//! Whom the events of webhooks concern: the admins, when one stopped by itself or what it should have said was given
//! up. What an admin did to one concerns nobody else.

use domain::notice::{Kind, Reason};
use serde_json::Value;

use crate::events::Event;
use crate::notices::{About, Concern, Told, excerpt};
use crate::{Error, Result, Tx};

/// Whom an event about a webhook concerns.
pub(crate) async fn of(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Told>> {
    let text = match (event.verb.as_str(), event.actor_id) {
        ("webhook.disabled", None) => "It is not called any more",
        ("webhook.gave_up", _) => "A call failed for three days and was given up",
        _ => return Ok(None),
    };
    let id: i64 = event.subject_key.parse().map_err(Error::internal)?;
    let name = sqlx::query_scalar!("select name from webhooks where id = $1", id).fetch_optional(&mut **tx).await?;
    let Some(name) = name else { return Ok(None) };
    let admins = sqlx::query_scalar!("select id from people where role = 'admin' and disabled_at is null order by id");
    let admins = admins.fetch_all(&mut **tx).await?;
    let why = event.after.as_ref().unwrap_or(&Value::Null)["reason"].as_str().unwrap_or_default();
    let concerns = admins.into_iter().map(|person| Concern {
        person,
        kind: Kind::Webhook,
        reason: Reason::Admin,
        text: text.to_owned(),
        excerpt: excerpt(why),
        place: String::new(),
    });
    let concerns = concerns.collect();
    let title = format!("Webhook {name}");
    let about = About { tag: String::new(), title, path: format!("/admin/webhooks/{id}"), access: None };
    Ok(Some(Told { about, concerns }))
}
