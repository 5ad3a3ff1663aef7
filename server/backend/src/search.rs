//! Search over everything that exists.
//!
//! The table `search_documents` has one row for each thing that can be found; triggers keep it in the transaction of the
//! change (`migrations/…_search.sql`, where the SQL function `search_found` also says what is found and what a reader may
//! see). To make another kind findable: a trigger that calls `search_put`, a [`Kind`], and its address.
//!
//! Order: what is called exactly so; what has the words in its name; what has them in its text; each the best first, or
//! the newest when there are many. When nothing has the words: what is called nearly so.

use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::rfc::Status;
use domain::search::{Kind, Part, marked, snippet};
use domain::{Actor, limits};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::page::{Page, PageRequest};
use crate::rfcs::PersonRef;
use crate::{Backend, Error, Result};

/// Up to so many finds are ordered by how well they fit; more of them by time, the newest first.
const WEIGHED: i64 = 300;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The words.
    pub q: String,
    /// Only of this kind: a word of [`Kind`].
    pub kind: Option<String>,
}

/// The RFC that something is said in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfcRef {
    /// Its number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub status: Status,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// The name that it has in the API: number, slug, address or id.
    pub key: String,
    /// What it is called, the words found marked; empty for a comment.
    pub title: Vec<Part>,
    /// The piece of its text with the words.
    pub snippet: Vec<Part>,
    /// The RFC that it is, or that it is said in.
    pub rfc: Option<RfcRef>,
    /// Who wrote it, where one person did.
    pub by: Option<PersonRef>,
    /// No longer in use: archived, disabled.
    pub archived: bool,
    /// When it was last written.
    pub at: Timestamp,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// One page of it.
    pub page: Page<Hit>,
    /// How much there is of each kind, whatever kind is asked for; kinds without any are left out.
    pub kinds: Vec<(Kind, i64)>,
    /// Nothing has the words; these are called nearly so.
    pub similar: bool,
}

impl Found {
    /// How much there is of all kinds.
    pub fn total(&self) -> i64 {
        self.kinds.iter().map(|(_, count)| count).sum()
    }
}

/// Where a page ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    class: i32,
    archived: bool,
    fit: f32,
    /// Microseconds since 1970.
    at: i64,
    kind: String,
    id: i64,
}

/// Everything that `actor` may see and that has the words, the best first.
pub async fn search(backend: &Backend, actor: &Actor, wanted: &Wanted, page: &PageRequest) -> Result<Found> {
    policy::allows(actor, Action::Read)?;
    let rows = page.rows()?;
    let after: Option<Cursor> = page.after()?;
    let mut fields = Fields::default();
    let kind = fields.take(wanted.kind.as_deref().map(|word| Kind::parse("kind", word)).transpose())?;
    // A NUL, which cannot be sent to Postgres, stands in no text.
    let q = wanted.q.trim().replace('\0', "\u{fffd}");
    if q.is_empty() {
        fields.complain("q", "Say what to look for.");
    } else if q.chars().count() > limits::SEARCH_CHARS {
        fields.complain("q", format!("Search for at most {} characters.", limits::SEARCH_CHARS));
    }
    let kind = fields.finish(kind)?;

    let found = sqlx::query!(
        r#"with found as materialized (
             select * from search_found($1, $2)
           ), weighed as (
             select f.kind, f.id, f.class, f.archived, (extract(epoch from f.at) * 1000000)::bigint as at,
               case when f.class = 0 then f.nearness
                    when (select count(*) from found) <= $4 then
                      (select ts_rank(d.words, (select search_query($2)), 1) from search_documents d
                       where d.kind = f.kind and d.id = f.id)
                    else 0 end as fit
             from found f
             where $3::text is null or f.kind = $3
           ), page as (
             select * from weighed w
             where $5::int is null
                or (-w.class, w.archived, -w.fit, -w.at, w.kind, w.id) > (-$5, $6::bool, -$7::real, -$8::bigint, $9::text, $10::bigint)
             order by -w.class, w.archived, -w.fit, -w.at, w.kind, w.id
             limit $11::bigint + 1
           )
           select
             (select coalesce(jsonb_object_agg(c.kind, c.n), '{}') from (
                select kind, count(*) as n from found group by kind) c) as "kinds!: Json<std::collections::HashMap<String, i64>>",
             tsvector_to_array(to_tsvector('search_simple', $2) || to_tsvector('search_english', $2)) as "terms!",
             w.kind, w.id, w.class, w.archived, w.fit, w.at as "micros", d.key as "key?", d.title as "title?",
             d.body as "body?", d.at as "at?", r.number as "number?", r.title as "rfc_title?", r.status as "status?",
             p.email as "email?: String", p.name as "name?"
           from (select) one
           left join page w on true
           left join search_documents d on d.kind = w.kind and d.id = w.id
           left join rfcs r on r.id = d.rfc_id
           left join people p on p.id = d.person_id
           order by -w.class, w.archived, -w.fit, -w.at, w.kind, w.id"#,
        actor.id,
        q,
        kind.map(Kind::as_str),
        WEIGHED,
        after.as_ref().map(|after| after.class),
        after.as_ref().map(|after| after.archived),
        after.as_ref().map(|after| after.fit),
        after.as_ref().map(|after| after.at),
        after.as_ref().map(|after| after.kind.as_str()),
        after.as_ref().map(|after| after.id),
        rows,
    )
    .fetch_all(backend.pool())
    .await?;

    let mut kinds = Vec::new();
    let mut similar = false;
    let mut items = Vec::with_capacity(found.len());
    let mut said = words(&q);
    for row in found {
        if kinds.is_empty() {
            let counts = row.kinds.0;
            kinds = Kind::ALL.iter().filter_map(|kind| Some((*kind, *counts.get(kind.as_str())?))).collect();
            said.extend(row.terms);
        }
        let (Some(kind), Some(id), Some(at), Some(key)) = (row.kind, row.id, row.at, row.key) else { continue };
        let (class, fit) = (row.class.unwrap_or_default(), row.fit.unwrap_or_default());
        let archived = row.archived.unwrap_or_default();
        let cursor = Cursor { class, archived, fit, at: row.micros.unwrap_or_default(), kind: kind.clone(), id };
        similar |= class == 0;
        let rfc = match (row.number, row.rfc_title, row.status) {
            (Some(number), Some(title), Some(status)) => {
                Some(RfcRef { number, title, status: crate::rfcs::word(&status)? })
            }
            _ => None,
        };
        let kind = Kind::parse("kind", &kind).map_err(Error::internal)?;
        let hit = Hit {
            kind,
            key,
            title: marked(&row.title.unwrap_or_default(), &said),
            snippet: snippet(&row.body.unwrap_or_default(), &said),
            rfc,
            by: row.email.zip(row.name).map(|(email, name)| PersonRef { email, name }),
            archived,
            at: at.to_jiff(),
        };
        items.push((cursor, hit));
    }
    let page = Page::new(items, rows, |(cursor, _)| cursor.clone())?.try_map(|(_, hit)| Ok(hit))?;
    Ok(Found { page, kinds, similar })
}

/// What was typed, word by word, as [`marked`] wants it.
fn words(q: &str) -> Vec<String> {
    let words = q.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
