//! Changing what an RFC is called, what it touches and who works on it.

use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::rfc::Kind;
use domain::{Actor, PersonId, Refusal, limits};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::read::{self, Rfc};
use super::{Hold, create};
use crate::{Backend, Error, Expected, Result, Subject, Tx};

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateRfc {
    /// One line, at most 300 characters.
    pub title: Option<String>,
    /// A word of [`Kind`].
    pub kind: Option<String>,
    /// Slugs of all services it touches.
    pub services: Option<Vec<String>>,
    /// Addresses of all authors; at least one.
    pub authors: Option<Vec<String>>,
    /// Addresses of all people who may read the draft.
    pub shared_with: Option<Vec<String>>,
}

/// The RFC after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updated {
    /// The RFC.
    pub number: i64,
    /// For the next change.
    pub version: i64,
}

/// Changes the RFC `number`.
pub async fn update(
    backend: &Backend,
    actor: &Actor,
    number: i64,
    expected: Expected,
    change: UpdateRfc,
) -> Result<Updated> {
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let version = apply(&mut tx, backend.now(), actor, number, expected, &change).await?;
    tx.commit(Updated { number, version }).await
}

/// The same, and the RFC as it is after that: also for an author who hands a draft over and reads it here for the last
/// time.
pub async fn update_and_read(
    backend: &Backend,
    actor: &Actor,
    number: i64,
    expected: Expected,
    change: UpdateRfc,
) -> Result<Rfc> {
    let mut tx = backend.begin(actor).await?;
    apply(&mut tx, backend.now(), actor, number, expected, &change).await?;
    let (rfc, _) = read::find(&mut tx, actor, number, None).await?;
    let rfc = rfc.ok_or_else(|| Error::internal("an RFC vanished while it was written"))?;
    tx.commit(()).await?;
    Ok(rfc)
}

/// Makes the change; the version after it. One that says nothing leaves everything as it is.
async fn apply(
    tx: &mut Tx<'_>,
    now: Timestamp,
    actor: &Actor,
    number: i64,
    expected: Expected,
    change: &UpdateRfc,
) -> Result<i64> {
    let rfc = super::hold(tx, number, Hold::Alone).await?;
    policy::allows(actor, Action::EditRfc(&rfc.access))?;
    expected.check_existing(rfc.version)?;
    if *change == UpdateRfc::default() {
        return Ok(rfc.version);
    }
    let mut fields = Fields::default();
    let title = fields.take(change.title.as_deref().map(create::title).transpose())?;
    let kind = fields.take(change.kind.as_deref().map(|kind| Kind::parse("kind", kind)).transpose())?;
    let services = match &change.services {
        Some(slugs) => Some(create::services(tx, slugs).await),
        None => None,
    };
    let services = fields.take(Error::apart(services.transpose())?)?;
    if change.authors.as_ref().is_some_and(Vec::is_empty) {
        fields.complain("authors", "An RFC has at least one author.");
    }
    let authors = fields.take(Error::apart(people(tx, "authors", change.authors.as_deref()).await)?)?;
    let shared_with = fields.take(Error::apart(people(tx, "shared_with", change.shared_with.as_deref()).await)?)?;
    let (title, kind, services, authors, shared_with) = fields.finish((title, kind, services, authors, shared_with))?;

    let version = sqlx::query_scalar!(
        "update rfcs set title = coalesce($2, title), kind = coalesce($3, kind), version = version + 1, updated_at = $4
         where id = $1 returning version",
        rfc.id,
        title,
        kind.map(Kind::as_str),
        now.to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await?;
    if let Some(services) = &services {
        sqlx::query!("delete from rfc_services where rfc_id = $1 and service_id <> all($2)", rfc.id, services)
            .execute(&mut **tx)
            .await?;
        sqlx::query!(
            "insert into rfc_services (rfc_id, service_id) select $1, service from unnest($2::bigint[]) as service
             on conflict do nothing",
            rfc.id,
            services,
        )
        .execute(&mut **tx)
        .await?;
    }
    if let Some(authors) = &authors {
        sqlx::query!("delete from rfc_authors where rfc_id = $1 and person_id <> all($2)", rfc.id, authors)
            .execute(&mut **tx)
            .await?;
        sqlx::query!(
            "insert into rfc_authors (rfc_id, person_id) select $1, person from unnest($2::bigint[]) as person
             on conflict do nothing",
            rfc.id,
            authors,
        )
        .execute(&mut **tx)
        .await?;
    }
    if let Some(shared_with) = &shared_with {
        sqlx::query!("delete from rfc_shares where rfc_id = $1 and person_id <> all($2)", rfc.id, shared_with)
            .execute(&mut **tx)
            .await?;
        sqlx::query!(
            "insert into rfc_shares (rfc_id, person_id) select $1, person from unnest($2::bigint[]) as person
             on conflict do nothing",
            rfc.id,
            shared_with,
        )
        .execute(&mut **tx)
        .await?;
    }
    let before = json!({ "title": rfc.title, "version": rfc.version });
    let mut after = serde_json::to_value(change)?;
    after["new_authors"] = added(tx, &rfc.access.authors, authors.as_deref()).await?;
    after["newly_shared_with"] = added(tx, &rfc.access.shared_with, shared_with.as_deref()).await?;
    tx.event("rfc.changed", &Subject::rfc(number), Some(before), Some(after)).await?;
    Ok(version)
}

/// The addresses of those who are in a list of people now and were not before: whoever reads the event tells them.
async fn added(tx: &mut PgConnection, before: &[PersonId], now: Option<&[PersonId]>) -> Result<Value> {
    let now = now.unwrap_or_default().iter().filter(|person| !before.contains(person));
    let added: Vec<PersonId> = now.copied().collect();
    if added.is_empty() {
        return Ok(json!([]));
    }
    let addresses =
        sqlx::query_scalar!(r#"select email as "email!: String" from people where id = any($1) order by id"#, &added)
            .fetch_all(tx)
            .await?;
    Ok(json!(addresses))
}

/// The ids of people by address, if any are given; the refusal names those who have no account.
async fn people(tx: &mut PgConnection, field: &str, addresses: Option<&[String]>) -> Result<Option<Vec<PersonId>>> {
    let Some(addresses) = addresses else { return Ok(None) };
    if addresses.len() > limits::RFC_PEOPLE {
        let message = format!("At most {} people can be named here.", limits::RFC_PEOPLE);
        return Err(Refusal::field(field, message).into());
    }
    // A NUL cannot be sent to Postgres; no address has one.
    let asked: Vec<String> = addresses.iter().map(|address| address.replace('\0', "\u{fffd}")).collect();
    let found = sqlx::query!(
        r#"select asked as "asked!", p.id as "id?"
           from unnest($1::text[]) as asked left join people p on p.email = asked::citext"#,
        &asked,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut ids = Vec::new();
    let mut unknown = Vec::new();
    for person in found {
        match person.id {
            Some(id) if ids.contains(&id) => {}
            Some(id) => ids.push(id),
            None => unknown.push(format!("\"{}\"", person.asked.escape_default())),
        }
    }
    if unknown.is_empty() {
        return Ok(Some(ids));
    }
    let message = format!("Nobody with an account here has the address {}.", unknown.join(", "));
    Err(Refusal::field(field, message).into())
}
