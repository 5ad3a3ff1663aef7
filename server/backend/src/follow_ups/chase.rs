//! Reminding of follow-ups until they are done, whatever becomes of what they came from.
//!
//! Once a day, in the morning of the organisation, [`run`] looks at every open follow-up and writes the reminder that is
//! due ([`domain::follow_up::Chase`]) as an event; whom it is for and how they are told is worked out from the event like
//! for every other one. A row per reminder and due day makes each happen once; a moved day begins anew.

use domain::follow_up::{Chase, SOON_DAYS, days_between};
use jiff::ToSpan as _;
use jiff_sqlx::ToSqlx;
use serde_json::json;

use super::today;
use crate::{Error, Result, Subject, Tx};

/// The timed job's name.
pub(crate) const JOB: &str = "follow_ups";

/// Writes the reminders that are due today and were not given yet.
pub(crate) async fn run(tx: &mut Tx<'_>) -> Result<()> {
    let today = today(tx.backend());
    let until = today.checked_add(SOON_DAYS.days()).map_err(Error::internal)?;
    let due = sqlx::query!(
        r#"select f.id, f.title, f.due_on, owner.email as owner,
                  owner.disabled_at is not null or owner.role = 'reader' as "needs_owner!"
           from follow_ups f join people owner on owner.id = f.owner_id
           where f.state = 'open' and f.due_on <= $1
           order by f.due_on, f.id for no key update of f"#,
        until.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    let now = tx.now();
    for follow_up in due {
        let due_on = follow_up.due_on.to_jiff();
        let days = days_between(due_on, today);
        let Some(chase) = Chase::on(days) else { continue };
        let first = sqlx::query!(
            "insert into follow_up_chases (follow_up_id, due_on, chase, at) values ($1, $2, $3, $4)
             on conflict do nothing",
            follow_up.id,
            due_on.to_sqlx() as _,
            chase.key(),
            now.to_sqlx(),
        )
        .execute(&mut **tx)
        .await?;
        if first.rows_affected() == 0 {
            continue;
        }
        let subject = Subject::follow_up(follow_up.id);
        let after = json!({
            "title": follow_up.title,
            "owner": follow_up.owner,
            "due": due_on,
            "days_overdue": days,
            "needs_owner": follow_up.needs_owner,
        });
        let verb = match chase {
            Chase::DueSoon => "follow_up.due_soon",
            Chase::Overdue { .. } => "follow_up.overdue",
        };
        tx.event(verb, &subject, None, Some(after.clone())).await?;
        if chase.escalates() {
            tx.event("follow_up.escalated", &subject, None, Some(after)).await?;
        }
    }
    Ok(())
}
