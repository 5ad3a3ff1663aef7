//! Notices: who is told of an event, where and when.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | from an event to the people it concerns, their inboxes and their mail |
//! | `rfcs/concerns`, `accounts/concerns`, … | whom the events of a slice concern: one function each, called in [`concerns`] |
//! | [`mentions`] | who is mentioned in a comment |
//! | [`inbox`] | what a person was told of, by object: unread, put off, done |
//! | [`preferences`] | what a person wants to be told, and when not |
//! | [`mail`] | the mail for a notice, as it waits in the outbox |
//! | `letter` | how mails look |
//! | [`unsubscribe`] | the links that turn a kind of mail off, without signing in |
//! | [`digest`] | the weekly mail, of sections that every pillar adds to |
//!
//! Nobody is told what they did themselves, and nobody of what they may not read. Events are the only source: a timed
//! chase writes an event, too.

pub mod digest;
pub mod inbox;
mod letter;
pub mod mail;
pub(crate) mod mentions;
pub mod preferences;
#[cfg(test)]
mod tests;
pub mod unsubscribe;

use domain::notice::{Kind, Preferences, Reason};
use domain::policy::{self, Action, RfcAccess};
use domain::{Actor, PersonId, limits};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::events::Event;
use crate::jobs::Round;
use crate::{Result, Tx, accounts, follow_ups, incidents, rfcs, webhooks};

/// The object of an event, as notices show it.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// Its short name, such as `RFC-12`; may be empty.
    pub tag: String,
    /// Its title.
    pub title: String,
    /// Its page.
    pub path: String,
    /// Who may read it; `None`: everybody.
    pub access: Option<RfcAccess>,
}

/// Somebody whom an event concerns, and what they are told.
#[derive(Debug, Clone)]
pub(crate) struct Concern {
    /// Who.
    pub person: PersonId,
    /// What they can turn off.
    pub kind: Kind,
    /// Why they are told.
    pub reason: Reason,
    /// What happened, as a sentence without a full stop: `Ada Lovelace replied`.
    pub text: String,
    /// The beginning of what was said, as plain words; may be empty.
    pub excerpt: String,
    /// The id of the part of the object's page that it is about; empty: the whole page.
    pub place: String,
}

/// What an event means to people.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Its object.
    pub about: About,
    /// Whom it concerns. Somebody who is named twice is told the first; the order is from the strongest reason.
    pub concerns: Vec<Concern>,
}

/// Whom an event concerns. A new slice adds its line here; its function lies with the slice and knows its verbs.
/// `None`: nobody, ever. (README: a new kind of notice.)
async fn concerns(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Told>> {
    match event.subject_kind.as_str() {
        "rfc" => rfcs::concerns::of(tx, event).await,
        "person" => accounts::concerns::of(tx, event).await,
        "incident" => incidents::concerns::of(tx, event).await,
        "follow_up" => follow_ups::concerns::of(tx, event).await,
        "webhook" => webhooks::concerns::of(tx, event).await,
        _ => Ok(None),
    }
}

/// Tells everybody whom an event concerns.
pub(crate) async fn tell(tx: &mut Tx<'_>, round: &mut Round, event: &Event) -> Result<()> {
    let Some(mut told) = concerns(tx, event).await? else { return Ok(()) };
    // Of its own verbs only: a comment gives it no other name.
    if event.verb.split('.').next() == Some(event.subject_kind.as_str()) {
        rename(tx, event, &told.about).await?;
    }
    // Of what somebody did to their own account they are told all the same: it may have been somebody else.
    told.concerns.retain(|concern| concern.kind.is_fixed() || Some(concern.person) != event.actor_id);
    let mut seen = Vec::new();
    told.concerns.retain(|concern| {
        !seen.contains(&concern.person) && {
            seen.push(concern.person);
            true
        }
    });
    if told.concerns.is_empty() {
        return Ok(());
    }
    let unknown: Vec<PersonId> = seen.into_iter().filter(|person| !round.readers.contains_key(person)).collect();
    if !unknown.is_empty() {
        let found = readers(tx, &unknown).await?;
        round.readers.extend(unknown.into_iter().map(|person| (person, None)));
        round.readers.extend(found.into_iter().map(|reader| (reader.actor.id, Some(reader))));
    }
    let told_to: Vec<(&Reader, &Concern)> = told
        .concerns
        .iter()
        .filter_map(|concern| Some((round.readers.get(&concern.person)?.as_ref()?, concern)))
        .filter(|(reader, _)| may_read(&reader.actor, &told.about))
        .collect();
    let in_inbox: Vec<&Concern> = told_to
        .iter()
        .filter(|(reader, concern)| reader.preferences.inbox(concern.kind))
        .map(|(_, concern)| *concern)
        .collect();
    inbox::put(tx, event, &told.about, &in_inbox).await?;
    for (reader, concern) in told_to.into_iter().filter(|(reader, concern)| reader.preferences.mail(concern.kind)) {
        mail::put(tx, event, &told.about, reader, concern).await?;
    }
    Ok(())
}

/// Whether somebody may read what they would be told of.
fn may_read(actor: &Actor, about: &About) -> bool {
    let action = about.access.as_ref().map_or(Action::Read, Action::ReadRfc);
    policy::allows(actor, action).is_ok()
}

/// Lets the inboxes show what the object is called now.
async fn rename(connection: &mut PgConnection, event: &Event, about: &About) -> Result<()> {
    sqlx::query!(
        "update inbox_items set tag = $3, title = $4, path = $5
         where subject_kind = $1 and subject_key = $2 and (tag, title, path) <> ($3, $4, $5)",
        event.subject_kind,
        event.subject_key,
        about.tag,
        about.title,
        about.path,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Somebody who can be told something.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Who.
    pub actor: Actor,
    /// What they want to be told.
    pub preferences: Preferences,
}

impl Reader {
    /// The zone of their clock; UTC when theirs is not known any more.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.actor.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The first instant from `at` on at which they may get mail.
    pub fn awake_at(&self, at: Timestamp) -> Timestamp {
        self.preferences.quiet.and_then(|quiet| quiet.end(at, &self.zone())).unwrap_or(at)
    }
}

/// Those of these people who are not disabled.
pub(crate) async fn readers(connection: &mut PgConnection, people: &[PersonId]) -> Result<Vec<Reader>> {
    let rows = sqlx::query!(
        r#"select id, email, name, role, time_zone,
                  array(select team_id from team_members where team_members.person_id = people.id) as "teams!",
                  coalesce(inbox_off, '{}') as "inbox_off!", coalesce(mail_off, '{}') as "mail_off!",
                  quiet_from as "quiet_from?", quiet_until as "quiet_until?"
           from people left join notice_preferences on person_id = id
           where id = any($1) and disabled_at is null"#,
        people,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let actor = Actor {
                id: row.id,
                email: row.email,
                name: row.name,
                role: accounts::role(&row.role)?,
                teams: row.teams,
                scopes: domain::Scopes::ALL,
                time_zone: row.time_zone,
            };
            let preferences = preferences::from_row(&row.inbox_off, &row.mail_off, row.quiet_from, row.quiet_until);
            Ok(Reader { actor, preferences })
        })
        .collect()
}

/// The name of whoever did it, as a sentence begins.
pub(crate) fn who(event: &Event) -> &str {
    event.actor_name.as_deref().unwrap_or("Plumbline")
}

/// The beginning of a text, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, limits::EXCERPT_CHARS)
}

/// At most so many characters, the last one then an ellipsis.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let begin: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", begin.trim_end())
}

/// Removes what was done with, or at least looked at, half a year ago.
pub(crate) async fn delete_old(backend: &crate::Backend) -> Result<u64> {
    const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 182);
    let before = backend.now().checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    let done = sqlx::query!(
        "delete from inbox_items where id in (select id from inbox_items
           where not unread and state <> 'later' and sort_at <= $1 limit $2)",
        before.to_sqlx(),
        crate::housekeeping::PORTION,
    );
    Ok(done.execute(backend.pool()).await?.rows_affected())
}
