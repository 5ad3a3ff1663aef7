//! Whom the events of follow-ups concern: who is to do it; whoever made it, once it is done, dropped or moved; and the
//! leads, when it is long overdue or has nobody who could do it.

use domain::notice::{Kind, Reason};
use domain::{PersonId, Role};
use jiff::civil::Date;
use serde_json::Value;

use crate::events::Event;
use crate::notices::{About, Concern, Told, excerpt, who};
use crate::{Error, Result, Tx};

/// Whom an event about a follow-up concerns.
pub(crate) async fn of(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Told>> {
    let id: i64 = event.subject_key.parse().map_err(Error::internal)?;
    let row = sqlx::query!("select title, owner_id, made_by_id, note from follow_ups where id = $1", id);
    let Some(row) = row.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let name = who(event);
    let after = event.after.as_ref().unwrap_or(&Value::Null);
    let due = after["due"].as_str().and_then(|due| due.parse::<Date>().ok());
    let due = due.map(|due| due.strftime("%-d %b %Y").to_string()).unwrap_or_default();
    let owner = vec![(row.owner_id, Reason::Owner)];
    let both: Vec<_> = owner.iter().copied().chain(row.made_by_id.map(|person| (person, Reason::Author))).collect();
    // Their account is disabled, or they only read: the reminders go to the leads, who find somebody else.
    let orphaned = after["needs_owner"] == true;
    let (people, text) = match event.verb.as_str() {
        "follow_up.due_soon" if orphaned => (leads(tx).await?, format!("It needs a new owner and is due {due}")),
        "follow_up.overdue" if orphaned => (leads(tx).await?, format!("It needs a new owner and was due {due}")),
        // They have just been told by the reminder itself.
        "follow_up.escalated" if orphaned => (Vec::new(), String::new()),
        "follow_up.created" => (owner, format!("{name} asks you to do it by {due}")),
        "follow_up.reassigned" => (owner, format!("{name} handed it to you, due {due}")),
        "follow_up.moved" => (both, format!("{name} moved it to {due}")),
        "follow_up.reopened" => (both, format!("{name} opened it again")),
        "follow_up.done" => (both, format!("{name} did it")),
        "follow_up.dropped" => (both, format!("{name} dropped it")),
        "follow_up.due_soon" => (owner, format!("It is due {due}")),
        "follow_up.overdue" => (owner, format!("It was due {due}")),
        "follow_up.escalated" => (leads(tx).await?, format!("It was due {due} and is still open")),
        _ => (Vec::new(), String::new()),
    };
    let said = if matches!(event.verb.as_str(), "follow_up.done" | "follow_up.dropped") {
        excerpt(&row.note)
    } else {
        String::new()
    };
    let concerns = people.into_iter().map(|(person, reason)| Concern {
        person,
        kind: Kind::FollowUp,
        reason,
        text: text.clone(),
        excerpt: said.clone(),
        place: String::new(),
    });
    let concerns = concerns.collect();
    let about = About { tag: String::new(), title: row.title, path: format!("/follow-ups/{id}"), access: None };
    Ok(Some(Told { about, concerns }))
}

/// The SRE leads; the admins where there are none.
async fn leads(tx: &mut Tx<'_>) -> Result<Vec<(PersonId, Reason)>> {
    let leads = sqlx::query!(
        "select id, role from people
         where disabled_at is null
           and role = case when exists (select from people where role = 'lead' and disabled_at is null)
                           then 'lead' else 'admin' end
         order by id"
    );
    let reason = |role: &str| if role == Role::Lead.as_str() { Reason::Lead } else { Reason::Admin };
    Ok(leads.fetch_all(&mut **tx).await?.into_iter().map(|row| (row.id, reason(&row.role))).collect())
}
