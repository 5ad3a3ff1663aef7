//! One RFC, as a page and the API show it.

use domain::policy::{self, Action, RfcAccess};
use domain::rfc::{Kind, Status};
use domain::{Actor, PersonId, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::revisions::RevisionSummary;
use super::{PersonRef, ServiceRef};
use crate::{Backend, Error, Result};

/// An RFC at one of its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rfc {
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
    /// The revision whose text this is.
    pub revision: i32,
    /// The newest revision.
    pub newest_revision: i32,
    /// That revision's Markdown.
    pub body: String,
    /// Who writes it, by name.
    pub authors: Vec<PersonRef>,
    /// Whom its draft is shared with, by name.
    pub shared_with: Vec<PersonRef>,
    /// The services it touches, by slug.
    pub services: Vec<ServiceRef>,
    /// For the next change of title, kind, services, authors or sharing.
    pub version: i64,
    /// When it was first saved.
    pub created_at: Timestamp,
    /// When the RFC itself was last changed; comments do not count.
    pub updated_at: Timestamp,
    /// When it first left draft.
    pub published_at: Option<Timestamp>,
    /// Who brought it into its status, when and why; `None` for one that was first saved or imported in it.
    pub status_change: Option<StatusChange>,
    /// Every revision, the newest first.
    pub revisions: Vec<RevisionSummary>,
    /// What the reader may do.
    pub may: RfcMay,
    /// The table's key, for [`super::renderings`].
    #[serde(skip)]
    pub(crate) id: i64,
}

/// How an RFC came into its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// Who brought it there.
    pub by: PersonRef,
    /// When.
    pub at: Timestamp,
    /// Why; may be empty.
    pub reason: String,
}

/// What the reader of an RFC may do with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one answer a button")]
pub struct RfcMay {
    /// Change title, kind, services, authors and sharing.
    pub edit: bool,
    /// Publish a revision (its status takes some).
    pub revise: bool,
    /// Delete it: it is a draft.
    pub delete: bool,
    /// Open threads and answer.
    pub comment: bool,
    /// The statuses it may be brought into.
    pub statuses: Vec<Status>,
}

impl RfcMay {
    /// Whether it may be brought into this status.
    pub fn allows(&self, status: Status) -> bool {
        self.statuses.contains(&status)
    }

    fn of(actor: &Actor, access: &RfcAccess) -> Self {
        let edit = policy::allows(actor, Action::EditRfc(access)).is_ok();
        Self {
            edit,
            revise: edit && access.status.takes_revisions(),
            delete: edit && access.status == Status::Draft,
            comment: policy::allows(actor, Action::Comment(access)).is_ok(),
            statuses: if edit { access.status.next().to_vec() } else { Vec::new() },
        }
    }
}

/// A person with the key that the rules need.
#[derive(Debug, Deserialize)]
struct Keyed {
    id: PersonId,
    #[serde(flatten)]
    person: PersonRef,
}

/// Reads the RFC `number` at `revision`, else at its newest one.
pub async fn read(backend: &Backend, actor: &Actor, number: i64, revision: Option<i64>) -> Result<Rfc> {
    let mut connection = backend.pool().acquire().await?;
    let (rfc, access) = find(&mut connection, actor, number, revision).await?;
    policy::allows(actor, Action::ReadRfc(&access))?;
    // Said to nobody who may not know that the RFC exists.
    rfc.ok_or_else(|| Refusal::not_found("revision").into())
}

/// The same without asking whether `actor` may read it; `None`: the RFC has no such revision.
pub(super) async fn find(
    connection: &mut PgConnection,
    actor: &Actor,
    number: i64,
    revision: Option<i64>,
) -> Result<(Option<Rfc>, RfcAccess)> {
    let row = sqlx::query!(
        r#"select r.id, r.slug, r.title, r.kind, r.status, r.revision as newest, r.version,
             r.created_at, r.updated_at, r.published_at,
             (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'email', p.email, 'name', p.name)
                                        order by p.name, p.id), '[]')
              from rfc_authors a join people p on p.id = a.person_id
              where a.rfc_id = r.id) as "authors!: Json<Vec<Keyed>>",
             (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'email', p.email, 'name', p.name)
                                        order by p.name, p.id), '[]')
              from rfc_shares s join people p on p.id = s.person_id
              where s.rfc_id = r.id) as "shared_with!: Json<Vec<Keyed>>",
             (select coalesce(jsonb_agg(jsonb_build_object('slug', s.slug, 'name', s.name, 'tier', s.tier)
                                        order by s.slug), '[]')
              from rfc_services t join services s on s.id = t.service_id
              where t.rfc_id = r.id) as "services!: Json<Vec<ServiceRef>>",
             v.revision as "shown?", v.body as "body?",
             c.email as "changed_by_email?", c.name as "changed_by_name?", c.at as "changed_at?", c.reason as "reason?"
           from rfcs r
           left join rfc_revisions v on v.rfc_id = r.id and v.revision = coalesce($2, r.revision)
           left join lateral (
             select p.email, p.name, h.at, h.reason, h.to_status
             from rfc_status_changes h join people p on p.id = h.actor_id
             where h.rfc_id = r.id order by h.id desc limit 1
           ) c on c.to_status = r.status
           where r.number = $1"#,
        number,
        revision.map(|revision| i32::try_from(revision).unwrap_or(0)),
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or_else(|| Refusal::not_found("RFC"))?;
    let access = RfcAccess {
        status: super::word(&row.status)?,
        authors: row.authors.iter().map(|author| author.id).collect(),
        shared_with: row.shared_with.iter().map(|person| person.id).collect(),
    };
    let (Some(shown), Some(body)) = (row.shown, row.body) else { return Ok((None, access)) };
    let changed = row.changed_by_email.zip(row.changed_by_name).zip(row.changed_at);
    let status_change = changed.map(|((email, name), at)| StatusChange {
        by: PersonRef { email, name },
        at: at.to_jiff(),
        reason: row.reason.unwrap_or_default(),
    });
    let revisions = super::revisions::summaries(connection, row.id).await?;
    let people = |keyed: Vec<Keyed>| keyed.into_iter().map(|keyed| keyed.person).collect();
    let rfc = Rfc {
        number,
        slug: row.slug,
        title: row.title,
        kind: Kind::parse("kind", &row.kind).map_err(Error::internal)?,
        status: access.status,
        revision: shown,
        newest_revision: row.newest,
        body,
        authors: people(row.authors.0),
        shared_with: people(row.shared_with.0),
        services: row.services.0,
        version: row.version,
        created_at: row.created_at.to_jiff(),
        updated_at: row.updated_at.to_jiff(),
        published_at: row.published_at.map(jiff_sqlx::Timestamp::to_jiff),
        status_change,
        revisions,
        may: RfcMay::of(actor, &access),
        id: row.id,
    };
    Ok((Some(rfc), access))
}
