//! What a person wants to be told, and when not. Everybody begins with everything, at any hour.

use std::collections::{BTreeMap, BTreeSet};

use domain::notice::{Kind, Preferences, QuietHours};
use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::{Actor, PersonId, Refusal};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Backend, Expected, Result, Subject, Tx};

/// The version of preferences that nobody has changed yet.
const FIRST_VERSION: i64 = 1;

/// A person's preferences and their version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versioned {
    /// What they want.
    pub preferences: Preferences,
    /// For the next change.
    pub version: i64,
}

/// How a kind of notice comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channels {
    /// In the inbox.
    pub inbox: bool,
    /// By mail.
    pub mail: bool,
}

/// What to change. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// By the word of a kind.
    pub channels: BTreeMap<String, Channels>,
    /// From and until as `HH:MM`; both empty: none.
    pub quiet: Option<(String, String)>,
    /// Whether the weekly digest comes.
    pub digest: Option<bool>,
}

/// One's own preferences.
pub async fn get(backend: &Backend, actor: &Actor) -> Result<Versioned> {
    policy::allows(actor, Action::Read)?;
    let row = sqlx::query!(
        "select inbox_off, mail_off, quiet_from, quiet_until, version from notice_preferences where person_id = $1",
        actor.id,
    )
    .fetch_optional(backend.pool())
    .await?;
    Ok(row.map_or_else(first, |row| Versioned {
        preferences: from_row(&row.inbox_off, &row.mail_off, row.quiet_from, row.quiet_until),
        version: row.version,
    }))
}

/// Changes one's own preferences.
pub async fn put(backend: &Backend, actor: &Actor, expected: Expected, change: Change) -> Result<Versioned> {
    policy::allows(actor, Action::ManageOwnAccount)?;
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        drop(tx);
        return get(backend, actor).await;
    }
    let before = hold(&mut tx, actor.id).await?;
    expected.check_existing(before.version)?;
    let preferences = changed(&before.preferences, &change)?;
    let after = write(&mut tx, actor.id, &actor.email, before, preferences).await?;
    tx.commit(()).await?;
    Ok(after)
}

/// The preferences after a change; refuses what makes no sense, field by field.
fn changed(before: &Preferences, change: &Change) -> Result<Preferences, Refusal> {
    let mut preferences = before.clone();
    let mut fields = Fields::default();
    for (word, channels) in &change.channels {
        let field = format!("channels.{word}");
        match Kind::parse(word) {
            Some(kind) => {
                fields.take(preferences.set(&field, kind, channels.inbox, channels.mail))?;
            }
            None => fields.complain(field, format!("There is no kind of notice called \"{}\".", word.escape_default())),
        }
    }
    if let Some((from, until)) = &change.quiet
        && let Some(quiet) = fields.take(QuietHours::parse(("quiet_from", from), ("quiet_until", until)))?
    {
        preferences.quiet = quiet;
    }
    if let Some(digest) = change.digest {
        fields.take(preferences.set("digest", Kind::Digest, false, digest))?;
    }
    fields.finish(Some(preferences))
}

/// Turns the mail of one kind off. Answers whether it was on.
pub(super) async fn turn_mail_off(tx: &mut Tx<'_>, person: PersonId, email: &str, kind: Kind) -> Result<bool> {
    let before = hold(tx, person).await?;
    let mut preferences = before.preferences.clone();
    preferences.mail_off.insert(kind);
    let changed = preferences != before.preferences;
    write(tx, person, email, before, preferences).await?;
    Ok(changed)
}

/// A person's preferences, held until the end of the transaction. There may be no row yet, so the person's is held.
async fn hold(tx: &mut Tx<'_>, person: PersonId) -> Result<Versioned> {
    sqlx::query!("select id from people where id = $1 for no key update", person).fetch_optional(&mut **tx).await?;
    let row = sqlx::query!(
        "select inbox_off, mail_off, quiet_from, quiet_until, version from notice_preferences where person_id = $1",
        person,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map_or_else(first, |row| Versioned {
        preferences: from_row(&row.inbox_off, &row.mail_off, row.quiet_from, row.quiet_until),
        version: row.version,
    }))
}

async fn write(
    tx: &mut Tx<'_>,
    person: PersonId,
    email: &str,
    before: Versioned,
    preferences: Preferences,
) -> Result<Versioned> {
    if preferences == before.preferences {
        return Ok(before);
    }
    let (inbox_off, mail_off) = (words(&preferences.inbox_off), words(&preferences.mail_off));
    let quiet = preferences.quiet.map(QuietHours::minutes);
    let minute = |minute: u16| i16::try_from(minute).unwrap_or(i16::MAX);
    let version = before.version + 1;
    let now = tx.now();
    sqlx::query!(
        "insert into notice_preferences (person_id, inbox_off, mail_off, quiet_from, quiet_until, version, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (person_id) do update set inbox_off = $2, mail_off = $3, quiet_from = $4, quiet_until = $5,
           version = $6, updated_at = $7",
        person,
        &inbox_off,
        &mail_off,
        quiet.map(|(from, _)| minute(from)),
        quiet.map(|(_, until)| minute(until)),
        version,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let (was, is) = (snapshot(&before.preferences), snapshot(&preferences));
    tx.event("person.preferences_changed", &Subject::person(email), Some(was), Some(is)).await?;
    Ok(Versioned { preferences, version })
}

fn snapshot(preferences: &Preferences) -> Value {
    json!({
        "inbox_off": preferences.inbox_off, "mail_off": preferences.mail_off,
        "quiet_from": preferences.quiet.map(QuietHours::from), "quiet_until": preferences.quiet.map(QuietHours::until),
    })
}

fn first() -> Versioned {
    Versioned { preferences: Preferences::default(), version: FIRST_VERSION }
}

fn words(kinds: &BTreeSet<Kind>) -> Vec<String> {
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// Preferences as the table keeps them. A word that is not known any more means nothing.
pub(super) fn from_row(
    inbox_off: &[String],
    mail_off: &[String],
    quiet_from: Option<i16>,
    quiet_until: Option<i16>,
) -> Preferences {
    let kinds = |words: &[String]| words.iter().filter_map(|word| Kind::parse(word)).collect();
    let minute = |minute: Option<i16>| minute.and_then(|minute| u16::try_from(minute).ok());
    let quiet = minute(quiet_from).zip(minute(quiet_until)).and_then(|(from, until)| QuietHours::new(from, until));
    Preferences { inbox_off: kinds(inbox_off), mail_off: kinds(mail_off), quiet }
}
