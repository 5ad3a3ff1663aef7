//! The list of RFCs: the one in which something happened last comes first.

use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::rfc::{Kind, Status};
use domain::{Actor, limits};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{PersonRef, ServiceRef};
use crate::filter::containing;
use crate::page::{Page, PageRequest};
use crate::services::named;
use crate::{Backend, Error, Result};

/// Which RFCs; what is `None` filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Stands like this in the title, or all its words (or words that begin so, or other forms of them) stand in the
    /// newest text; case does not matter.
    pub q: Option<String>,
    /// A word of [`Status`].
    pub status: Option<String>,
    /// A word of [`Kind`].
    pub kind: Option<String>,
    /// Touches the service with this slug.
    pub service: Option<String>,
    /// Written by the person with this address.
    pub author: Option<String>,
}

/// An RFC in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its number.
    pub number: i64,
    /// Its name in files and exports.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// The newest revision.
    pub revision: i32,
    /// Who writes it, by name.
    pub authors: Vec<PersonRef>,
    /// The services it touches, by slug.
    pub services: Vec<ServiceRef>,
    /// Threads that are neither resolved nor dropped.
    pub open_threads: i64,
    /// Those of them that block.
    pub blocking_threads: i64,
    /// When it was first saved.
    pub created_at: Timestamp,
    /// When the RFC itself was last changed.
    pub updated_at: Timestamp,
    /// When something last happened in it: a change, a comment.
    pub active_at: Timestamp,
    /// For the next change.
    pub version: i64,
}

/// One page of the RFCs that `actor` may see.
pub async fn list(backend: &Backend, actor: &Actor, filter: Filter, page: &PageRequest) -> Result<Page<Listed>> {
    policy::allows(actor, Action::Read)?;
    let rows = page.rows()?;
    let after: Option<Cursor> = page.after()?;
    let mut fields = Fields::default();
    let status = fields.take(given(filter.status).map(|word| Status::parse("status", &word)).transpose())?;
    let kind = fields.take(given(filter.kind).map(|word| Kind::parse("kind", &word)).transpose())?;
    let q = given(filter.q);
    if q.as_ref().is_some_and(|words| words.chars().count() > limits::SEARCH_CHARS) {
        fields.complain("q", format!("Search for at most {} characters.", limits::SEARCH_CHARS));
    }
    let (status, kind) = fields.finish((status, kind))?;
    let service = match given(filter.service) {
        Some(slug) => {
            let named = named(&mut *backend.pool().acquire().await?, &[slug]).await?;
            // An unknown name is no service's: nothing is found.
            Some(named.first().map_or(0, |service| service.id))
        }
        None => None,
    };

    // An RFC's last event says when something last happened in it: every change and comment writes one.
    let found = sqlx::query!(
        r#"with began as (
             select coalesce($11, (select max(id) from events), 0) as event
           ), visible as (
             select r.*, coalesce((select max(e.id) from events e
                                   where e.subject_kind = 'rfc' and e.subject_key = r.number::text
                                     and e.id <= (select event from began)), 0) as last_event
             from readable_rfcs($1) r
             where ($2::text is null or r.status = $2)
               and ($3::text is null or r.kind = $3)
               and ($4::bigint is null or exists (select from rfc_services t
                                                  where t.rfc_id = r.id and t.service_id = $4))
               and ($5::text is null or exists (select from rfc_authors a join people p on p.id = a.person_id
                                                where a.rfc_id = r.id and p.email = $5::citext))
               and ($6::text is null or r.title ilike $6
                    or r.id in (select d.id from search_documents d
                                where d.kind = 'rfc' and d.words @@ (select search_query($10::text))))
           ), page as (
             select * from visible
             where $7::bigint is null or (last_event, number) < ($7, $8)
             order by last_event desc, number desc limit $9::bigint + 1
           )
           select r.number as "number!", r.slug as "slug!", r.title as "title!", r.kind as "kind!",
             r.status as "status!", r.revision as "revision!", r.version as "version!", r.last_event as "last_event!",
             (select event from began) as "began!", r.created_at as "created_at!", r.updated_at as "updated_at!",
             coalesce(greatest(r.updated_at, (select e.at from events e where e.id = r.last_event)), r.updated_at)
               as "active_at!",
             (select coalesce(jsonb_agg(jsonb_build_object('email', p.email, 'name', p.name) order by p.name, p.id),
                              '[]')
              from rfc_authors a join people p on p.id = a.person_id
              where a.rfc_id = r.id) as "authors!: Json<Vec<PersonRef>>",
             (select coalesce(jsonb_agg(jsonb_build_object('slug', s.slug, 'name', s.name, 'tier', s.tier)
                                        order by s.slug), '[]')
              from rfc_services t join services s on s.id = t.service_id
              where t.rfc_id = r.id) as "services!: Json<Vec<ServiceRef>>",
             o.open as "open!", o.blocking as "blocking!"
           from page r
           cross join lateral (
             select count(*) as open, count(*) filter (where t.severity = 'blocking') as blocking
             from rfc_threads t where t.rfc_id = r.id and t.state in ('open', 'needs_verification')
           ) o
           order by r.last_event desc, r.number desc"#,
        actor.id,
        status.map(Status::as_str),
        kind.map(Kind::as_str),
        service,
        given(filter.author),
        containing(q.as_deref()),
        after.map(|after| after.last_event),
        after.map(|after| after.number),
        rows,
        q,
        after.map(|after| after.began),
    )
    .fetch_all(backend.pool())
    .await?;
    let mut items = Vec::with_capacity(found.len());
    for row in found {
        let listed = Listed {
            number: row.number,
            slug: row.slug,
            title: row.title,
            kind: Kind::parse("kind", &row.kind).map_err(Error::internal)?,
            status: super::word(&row.status)?,
            revision: row.revision,
            authors: row.authors.0,
            services: row.services.0,
            open_threads: row.open,
            blocking_threads: row.blocking,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
            active_at: row.active_at.to_jiff(),
            version: row.version,
        };
        items.push((Cursor { began: row.began, last_event: row.last_event, number: row.number }, listed));
    }
    Page::new(items, rows, |(cursor, _)| *cursor)?.try_map(|(_, listed)| Ok(listed))
}

/// Where a page ends. The order is that of the moment when the first page was read, so that an RFC in which something
/// happens meanwhile is not skipped.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    /// The last event at that moment.
    began: i64,
    /// The last row's last event until then.
    last_event: i64,
    /// The last row's number.
    number: i64,
}

/// A filter that says something. A NUL, which cannot be sent to Postgres, stands in no text and finds nothing.
fn given(filter: Option<String>) -> Option<String> {
    filter.map(|filter| filter.trim().replace('\0', "\u{fffd}")).filter(|filter| !filter.is_empty())
}
