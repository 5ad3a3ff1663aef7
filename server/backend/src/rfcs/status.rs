//! Moving an RFC through its life: publishing a draft, withdrawing, deleting a draft.

use domain::policy::{self, Action};
use domain::rfc::Status;
use domain::{Actor, Refusal, limits, text};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Hold;
use crate::{Backend, Expected, Result, Subject};

/// A wanted change of status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeStatus {
    /// A word of [`Status`]; `in_review` publishes a draft.
    pub to: String,
    /// Why; may be empty.
    pub reason: Option<String>,
}

/// The RFC after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChanged {
    /// The RFC.
    pub number: i64,
    /// Where it stands now.
    pub status: Status,
    /// For the next change.
    pub version: i64,
}

/// Brings the RFC `number` into another status.
pub async fn change_status(
    backend: &Backend,
    actor: &Actor,
    number: i64,
    change: ChangeStatus,
) -> Result<StatusChanged> {
    let to = Status::parse("to", &change.to);
    let reason = text::paragraph("reason", "The reason", &change.reason.unwrap_or_default(), limits::REASON_CHARS);
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let rfc = super::hold(&mut tx, number, Hold::Alone).await?;
    policy::allows(actor, Action::EditRfc(&rfc.access))?;
    tx.check_version(rfc.version)?;
    let (to, reason) = (to?, reason?);
    let from = rfc.access.status;
    if !from.next().contains(&to) {
        let possible: Vec<_> = from.next().iter().map(|status| status.as_str()).collect();
        let possible = if possible.is_empty() { "nothing else".to_owned() } else { possible.join(" or ") };
        let message = format!("An RFC that is {} can become {possible}, not {}.", from.as_str(), to.as_str());
        return Err(Refusal::conflict(message).into());
    }
    let now = backend.now().to_sqlx();
    let version = sqlx::query_scalar!(
        "update rfcs set status = $2, version = version + 1, updated_at = $3, published_at = coalesce(published_at, $3)
         where id = $1 returning version",
        rfc.id,
        to.as_str(),
        now,
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into rfc_status_changes (rfc_id, from_status, to_status, revision, actor_id, reason, at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        rfc.id,
        from.as_str(),
        to.as_str(),
        rfc.revision,
        actor.id,
        reason,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let verb = match to {
        Status::InReview => "rfc.published",
        Status::Withdrawn => "rfc.withdrawn",
        _ => "rfc.status_changed",
    };
    let (before, after) = (json!({ "status": from }), json!({ "status": to, "reason": reason }));
    tx.event(verb, &Subject::rfc(number), Some(before), Some(after)).await?;
    tx.commit(StatusChanged { number, status: to, version }).await
}

/// Deletes a draft with everything in it. Its number stays used, its events stay.
pub async fn delete(backend: &Backend, actor: &Actor, number: i64, expected: Expected) -> Result<()> {
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let rfc = super::hold(&mut tx, number, Hold::Alone).await?;
    policy::allows(actor, Action::EditRfc(&rfc.access))?;
    if rfc.access.status != Status::Draft {
        let message = "Only a draft can be deleted; what was published can be withdrawn.";
        return Err(Refusal::conflict(message).into());
    }
    expected.check_existing(rfc.version)?;
    sqlx::query!("delete from rfcs where id = $1", rfc.id).execute(&mut *tx).await?;
    let before = json!({ "title": rfc.title, "revision": rfc.revision });
    tx.event("rfc.deleted", &Subject::rfc(number), Some(before), None).await?;
    tx.commit(()).await
}
