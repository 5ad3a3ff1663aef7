//! Whom the events of RFCs concern.
//!
//! * A comment, a reply: the authors, who took part in the thread, and who is mentioned.
//! * A thread resolved or reopened: who opened it.
//! * A status or revision: everybody who writes the RFC, took part in a thread, or had its draft shared with them.
//! * A draft shared, an author added: they themselves.
//! * An import: nobody.

use domain::notice::{Kind, Reason};
use domain::rfc::Status;
use domain::{PersonId, Refusal};
use jiff_sqlx::ToSqlx as _;
use serde_json::Value;
use sqlx::PgConnection;

use super::Row;
use super::render::plain;
use crate::events::Event;
use crate::notices::{About, Concern, Told, excerpt, inbox, mail, mentions, who};
use crate::{Error, Result, Tx};

/// Whom an event about an RFC concerns.
pub(crate) async fn of(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Told>> {
    let number = event.subject_key.parse().map_err(Error::internal)?;
    let rfc = match super::look(&mut **tx, number).await {
        Ok(rfc) => rfc,
        // A draft that was deleted since: there is nothing to be told of.
        Err(Error::Refused(Refusal::NotFound { .. })) => return Ok(None),
        Err(error) => return Err(error),
    };
    let after = event.after.as_ref().unwrap_or(&Value::Null);
    let told = Telling { event, rfc: &rfc, after };
    let concerns = match event.verb.as_str() {
        "thread.opened" | "comment.posted" => told.comment(tx).await?,
        "comment.edited" => told.edited(tx).await?,
        "comment.deleted" => {
            let place = place(event.before.as_ref().unwrap_or(&Value::Null));
            inbox::forget(tx, event, &place).await?;
            mail::forget(tx, event, &place).await?;
            Vec::new()
        }
        "thread.resolved" => told.settled(tx, "resolved your thread").await?,
        "thread.reopened" => told.settled(tx, "reopened your thread").await?,
        "rfc.revision_published" if after["imported"] != true => {
            let text = format!("{} published revision {}", who(event), after["revision"]);
            let summary = after["summary"].as_str().unwrap_or_default();
            told.everybody(tx, Kind::Revision, &text, summary).await?
        }
        "rfc.published" => {
            told.everybody(tx, Kind::Status, &format!("{} published it for review", who(event)), "").await?
        }
        "rfc.withdrawn" | "rfc.status_changed" => {
            let status = after["status"].as_str().and_then(|status| Status::parse("status", status).ok());
            let status = status.map_or("changed", Status::label).to_lowercase();
            let text = format!("{} moved it to “{status}”", who(event));
            told.everybody(tx, Kind::Status, &text, after["reason"].as_str().unwrap_or_default()).await?
        }
        "rfc.changed" => told.added(tx).await?,
        _ => return Ok(None),
    };
    let about = About {
        tag: format!("RFC-{number}"),
        title: rfc.title.clone(),
        path: format!("/rfcs/{number}"),
        access: Some(rfc.access),
    };
    Ok(Some(Told { about, concerns }))
}

/// Where the comment that an event names stands on the RFC's page.
fn place(named: &Value) -> String {
    format!("comment-{}", named["comment"].as_str().unwrap_or_default())
}

/// An event and its RFC.
struct Telling<'a> {
    event: &'a Event,
    rfc: &'a Row,
    after: &'a Value,
}

impl Telling<'_> {
    async fn comment(&self, tx: &mut PgConnection) -> Result<Vec<Concern>> {
        let Some(said) = self.said(tx, 1).await? else { return Ok(Vec::new()) };
        let opened = self.event.verb == "thread.opened";
        let name = who(self.event);
        let what = match (opened, self.after["severity"].as_str()) {
            (true, Some("blocking")) => "raised a concern",
            (true, _) => "commented",
            (false, _) => "replied",
        };
        let mentioned = mentions::of(tx, &said.text).await?;
        let mentioned = mentioned.into_iter().map(|person| (person, Kind::Mention, Reason::Mentioned));
        let authors = self.rfc.access.authors.iter().map(|person| (*person, Kind::Comment, Reason::Author));
        let others = said.participants.iter().map(|person| {
            let reason = if *person == said.opened_by { Reason::Opener } else { Reason::TookPart };
            (*person, Kind::Comment, reason)
        });
        let concerned: Vec<_> = mentioned.chain(authors).chain(others).collect();
        let concerns = concerned.into_iter().map(|(person, kind, reason)| Concern {
            person,
            kind,
            reason,
            text: if kind == Kind::Mention { format!("{name} mentioned you") } else { format!("{name} {what}") },
            excerpt: excerpt(&plain(&said.body)),
            place: place(self.after),
        });
        Ok(concerns.collect())
    }

    /// Whoever is mentioned only since this edit: several may be waiting to be passed on.
    async fn edited(&self, tx: &mut PgConnection) -> Result<Vec<Concern>> {
        let version = self.after["version"].as_i64().unwrap_or(2);
        let Some(said) = self.said(tx, version).await? else { return Ok(Vec::new()) };
        let Some(before) = self.said(tx, version - 1).await? else { return Ok(Vec::new()) };
        let known = mentions::of(tx, &before.text).await?;
        let mut mentioned = mentions::of(tx, &said.text).await?;
        mentioned.retain(|person| !known.contains(person));
        let concerns = mentioned.into_iter().map(|person| Concern {
            person,
            kind: Kind::Mention,
            reason: Reason::Mentioned,
            text: format!("{} mentioned you", who(self.event)),
            excerpt: excerpt(&plain(&said.body)),
            place: place(self.after),
        });
        Ok(concerns.collect())
    }

    async fn settled(&self, tx: &mut PgConnection, what: &str) -> Result<Vec<Concern>> {
        let thread = self.after["thread"].as_str().unwrap_or_default();
        let opener = sqlx::query_scalar!(
            "select opened_by from rfc_threads where id = $1",
            thread.parse::<i64>().map_err(Error::internal)?,
        )
        .fetch_optional(tx)
        .await?;
        let concern = |person| Concern {
            person,
            kind: Kind::Thread,
            reason: Reason::Opener,
            text: format!("{} {what}", who(self.event)),
            excerpt: String::new(),
            place: format!("thread-{thread}"),
        };
        Ok(opener.map(concern).into_iter().collect())
    }

    /// Everybody who had to do with the RFC by then.
    async fn everybody(&self, tx: &mut PgConnection, kind: Kind, text: &str, said: &str) -> Result<Vec<Concern>> {
        let took_part = sqlx::query_scalar!(
            r#"select opened_by as "person!" from rfc_threads where rfc_id = $1 and opened_at <= $2
               union select author_id from rfc_comments join rfc_threads on rfc_threads.id = thread_id
               where rfc_id = $1 and deleted_at is null and created_at <= $2"#,
            self.rfc.id,
            self.event.at.to_sqlx(),
        )
        .fetch_all(tx)
        .await?;
        let access = &self.rfc.access;
        let authors = access.authors.iter().map(|person| (*person, Reason::Author));
        let shared = access.shared_with.iter().map(|person| (*person, Reason::Shared));
        let took_part = took_part.iter().map(|person| (*person, Reason::TookPart));
        let concerns = authors.chain(took_part).chain(shared).map(|(person, reason)| Concern {
            person,
            kind,
            reason,
            text: text.to_owned(),
            excerpt: excerpt(said),
            place: String::new(),
        });
        Ok(concerns.collect())
    }

    /// Those whom the RFC was shared with, or who were made authors.
    async fn added(&self, tx: &mut PgConnection) -> Result<Vec<Concern>> {
        let mut concerns = Vec::new();
        for (list, reason, text) in [
            ("new_authors", Reason::Author, "made you an author"),
            ("newly_shared_with", Reason::Shared, "shared the draft with you"),
        ] {
            let added: Vec<String> = serde_json::from_value(self.after[list].clone()).unwrap_or_default();
            if added.is_empty() {
                continue;
            }
            let people = sqlx::query_scalar!("select id from people where email = any($1::text[]::citext[])", &added)
                .fetch_all(&mut *tx)
                .await?;
            concerns.extend(people.into_iter().map(|person| Concern {
                person,
                kind: Kind::Share,
                reason,
                text: format!("{} {text}", who(self.event)),
                excerpt: String::new(),
                place: String::new(),
            }));
        }
        Ok(concerns)
    }

    /// The comment of the event, and its text in that version; `None` when it was taken back since.
    async fn said(&self, tx: &mut PgConnection, version: i64) -> Result<Option<Said>> {
        let comment = self.after["comment"].as_str().unwrap_or_default();
        let row = sqlx::query!(
            r#"select c.id, c.body, t.opened_by,
                 coalesce((select e.body from rfc_comment_edits e where e.comment_id = c.id and e.version = $2), c.body)
                   as "text!",
                 array(select distinct author_id from rfc_comments
                       where thread_id = t.id and deleted_at is null and id <= c.id) as "spoke!: Vec<PersonId>"
               from rfc_comments c join rfc_threads t on t.id = c.thread_id
               where c.id = $1 and c.deleted_at is null"#,
            comment.parse::<i64>().map_err(Error::internal)?,
            version,
        )
        .fetch_optional(tx)
        .await?;
        Ok(row.map(|row| {
            let mut participants = row.spoke;
            participants.push(row.opened_by);
            Said { body: row.body, text: row.text, opened_by: row.opened_by, participants }
        }))
    }
}

/// A comment, and who is in its thread.
struct Said {
    /// What it says now: what was put right meanwhile is not repeated.
    body: String,
    /// What it said in the version asked for.
    text: String,
    opened_by: PersonId,
    participants: Vec<PersonId>,
}
