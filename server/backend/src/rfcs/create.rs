//! The first save of an RFC: a draft with a number that it keeps for ever.

use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::rfc::{Kind, Status};
use domain::{Actor, Refusal, limits, text};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::services::named;
use crate::{Backend, Error, Result, Subject};

/// An RFC as somebody wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRfc {
    /// One line, at most 300 characters.
    pub title: String,
    /// A word of [`Kind`].
    pub kind: String,
    /// Markdown, at most 512 KiB, kept byte for byte after CRLF → LF.
    pub body: String,
    /// Slugs of the services it touches.
    pub services: Vec<String>,
}

/// The RFC that came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Its number.
    pub number: i64,
    /// Its name in files and exports, made from the title.
    pub slug: String,
    /// Always a draft.
    pub status: Status,
    /// Always 1.
    pub revision: i32,
    /// For the next change.
    pub version: i64,
}

/// Saves a new draft by `actor`.
pub async fn create(backend: &Backend, actor: &Actor, new: NewRfc) -> Result<Created> {
    policy::allows(actor, Action::WriteRfc)?;
    let mut fields = Fields::default();
    let title = fields.take(title(&new.title))?;
    let kind = fields.take(Kind::parse("kind", &new.kind))?;
    let body = fields.take(body(&new.body))?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let services = fields.take(Error::apart(services(&mut tx, &new.services).await)?)?;
    let (title, kind, body, services) = fields.finish((title, kind, body, services))?;

    let number = next_number(&mut tx).await?;
    let slug = free_slug(&mut tx, &text::slugify(&title, "rfc")).await?;
    let now = backend.now().to_sqlx();
    let id = sqlx::query_scalar!(
        "insert into rfcs (number, slug, title, kind, status, revision, created_at, updated_at)
         values ($1, $2, $3, $4, 'draft', 1, $5, $5) returning id",
        number,
        slug,
        title,
        kind.as_str(),
        now,
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!("insert into rfc_authors (rfc_id, person_id) values ($1, $2)", id, actor.id).execute(&mut *tx).await?;
    sqlx::query!(
        "insert into rfc_services (rfc_id, service_id) select $1, service from unnest($2::bigint[]) as service",
        id,
        &services,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into rfc_revisions (rfc_id, revision, body, author_id, created_at) values ($1, 1, $2, $3, $4)",
        id,
        body,
        actor.id,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let after = json!({ "title": title, "kind": kind, "status": Status::Draft, "revision": 1 });
    tx.event("rfc.created", &Subject::rfc(number), None, Some(after)).await?;
    tx.commit(Created { number, slug, status: Status::Draft, revision: 1, version: 1 }).await
}

/// A title, checked.
pub(super) fn title(value: &str) -> std::result::Result<String, Refusal> {
    text::line("title", "The title", value, limits::RFC_TITLE_CHARS)
}

/// A body, checked.
pub(super) fn body(value: &str) -> std::result::Result<String, Refusal> {
    text::body("body", "The text", value, limits::RFC_BODY_BYTES)
}

/// The ids of services by slug, also a former one; the refusal names the unknown ones.
pub(super) async fn services(tx: &mut PgConnection, slugs: &[String]) -> Result<Vec<i64>> {
    if slugs.len() > limits::RFC_SERVICES {
        let message = format!("An RFC touches at most {} services.", limits::RFC_SERVICES);
        return Err(Refusal::field("services", message).into());
    }
    let known = named(tx, slugs).await?;
    let mut unknown: Vec<&str> = slugs.iter().map(String::as_str).collect();
    unknown.retain(|slug| known.iter().all(|service| service.asked != *slug));
    unknown.dedup();
    if unknown.is_empty() {
        let mut ids: Vec<i64> = known.into_iter().map(|service| service.id).collect();
        ids.dedup();
        return Ok(ids);
    }
    let names = unknown.iter().map(|slug| format!("\"{}\"", slug.escape_default())).collect::<Vec<_>>().join(", ");
    let message = format!("There is no service {names}. Use a service's short name, or describe the service first.");
    Err(Refusal::field("services", message).into())
}

/// The next RFC number. Its row stays locked until the end of the transaction: RFCs are created one after the other,
/// which is also what makes [`free_slug`] safe.
pub(super) async fn next_number(tx: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar!("update rfc_numbers set last = last + 1 returning last").fetch_one(&mut *tx).await?)
}

/// `wanted`, or `wanted-2`, `wanted-3` … when it is taken.
async fn free_slug(tx: &mut PgConnection, wanted: &str) -> Result<String> {
    let free = sqlx::query_scalar!(
        r#"select case when n = 1 then $1 else $1 || '-' || n end as "slug!"
           from generate_series(1, (select count(*) + 1 from rfcs where slug = $1 or slug like $1 || '-%')) as n
           where not exists (select from rfcs where slug = case when n = 1 then $1 else $1 || '-' || n end)
           order by n limit 1"#,
        wanted,
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(free)
}
