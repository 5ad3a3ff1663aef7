//! The weekly digest: on Monday at eight in the morning of everybody's own zone, what happened and what waits. It is made
//! of sections; who has none in a week gets no mail. A pillar adds its section in [`sections`].

use domain::PersonId;
use domain::notice::{self, Kind};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use super::{Reader, mail, readers};
use crate::jobs::Job;
use crate::outbox::Work;
use crate::{Error, Result, Tx};

/// The daily job that plans the digests of the next day.
pub(crate) const PLAN: &str = "plan_digests";
/// The job that sends one person theirs.
pub(crate) const SEND: &str = "digest";

/// How far ahead digests are planned: to the next round, and some more.
const AHEAD: SignedDuration = SignedDuration::from_hours(26);
/// How late a digest is still sent that nobody planned in time.
const LATE: SignedDuration = SignedDuration::from_hours(24);
/// What a digest looks back on.
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Rows of a section at most.
const ROWS: i64 = 10;

/// A part of the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What it lists.
    pub title: String,
    /// Its rows: words, and the path of the page that they lead to.
    pub rows: Vec<(String, String)>,
}

/// The sections of one person's digest, in the order of the mail; empty ones are left out.
async fn sections(connection: &mut PgConnection, reader: &Reader, now: Timestamp) -> Result<Vec<Section>> {
    let sections =
        [waiting(connection, reader, now).await?, follow_ups(connection, reader).await?, rfcs(connection, now).await?];
    Ok(sections.into_iter().filter(|section| !section.rows.is_empty()).collect())
}

/// What waits in the inbox.
async fn waiting(connection: &mut PgConnection, reader: &Reader, now: Timestamp) -> Result<Section> {
    let rows = sqlx::query!(
        r#"select tag as "tag!", title as "title!", path as "path!", count(*) over () as "all!"
           from inbox where person_id = $1 and (state = 'open' or back_at <= $2)
           order by sort_at desc, id desc limit $3"#,
        reader.actor.id,
        now.to_sqlx(),
        ROWS,
    )
    .fetch_all(connection)
    .await?;
    let all = rows.first().map_or(0, |row| row.all);
    let title = format!("In your inbox: {all}");
    let rows = rows.into_iter().map(|row| (format!("{} {}", row.tag, row.title).trim_start().to_owned(), row.path));
    Ok(Section { title, rows: rows.collect() })
}

/// The person's open follow-ups, the one that is due first at first.
async fn follow_ups(connection: &mut PgConnection, reader: &Reader) -> Result<Section> {
    let rows = sqlx::query!(
        r#"select id, title, due_on, count(*) over () as "all!" from follow_ups
           where owner_id = $1 and state = 'open' order by due_on, id limit $2"#,
        reader.actor.id,
        ROWS,
    )
    .fetch_all(connection)
    .await?;
    let all = rows.first().map_or(0, |row| row.all);
    let title = format!("Your open follow-ups: {all}");
    let rows = rows.into_iter().map(|row| {
        let due = row.due_on.to_jiff().strftime("%-d %b %Y").to_string();
        (format!("{} (due {due})", row.title), format!("/follow-ups/{}", row.id))
    });
    Ok(Section { title, rows: rows.collect() })
}

/// RFCs opened and closed this week. Not those that were imported: they are no news.
async fn rfcs(connection: &mut PgConnection, now: Timestamp) -> Result<Section> {
    let rows = sqlx::query!(
        r#"select distinct on (rfcs.id) number, title, to_status, changes.at
           from rfc_status_changes as changes join rfcs on rfcs.id = rfc_id
           where changes.at > $1 and changes.at <= $2 and to_status <> 'final_comment'
             and not exists (select from events where subject_kind = 'rfc' and subject_key = number::text
                               and verb = 'rfc.imported' and events.at = changes.at)
           order by rfcs.id, changes.id desc"#,
        now.checked_sub(WEEK).unwrap_or(Timestamp::MIN).to_sqlx(),
        now.to_sqlx(),
    )
    .fetch_all(connection)
    .await?;
    let mut rows = rows;
    rows.sort_by_key(|row| std::cmp::Reverse(row.at.to_jiff()));
    let title = format!("RFCs opened or closed this week: {}", rows.len());
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let rows = rows.into_iter().take(most).map(|row| {
        let status = crate::rfcs::word(&row.to_status)?;
        let words = format!("RFC-{} {} ({})", row.number, row.title, status.label().to_lowercase());
        Ok((words, format!("/rfcs/{}", row.number)))
    });
    Ok(Section { title, rows: rows.collect::<Result<_>>()? })
}

/// Whose digest, of which week.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    person: PersonId,
    /// Its Monday.
    week: Date,
}

/// Plans the digests of everybody whose Monday morning comes within the day.
pub(crate) async fn plan(tx: &mut Tx<'_>) -> Result<()> {
    let now = tx.now();
    let people = sqlx::query!(
        "select id, time_zone, created_at from people left join notice_preferences on person_id = id
         where disabled_at is null and not 'digest' = any (coalesce(mail_off, '{}'))",
    )
    .fetch_all(&mut **tx)
    .await?;
    let (earliest, latest) = (now.saturating_sub(LATE), now.saturating_add(AHEAD));
    let (earliest, latest) = (earliest.map_err(Error::internal)?, latest.map_err(Error::internal)?);
    for person in people {
        let zone = TimeZone::get(&person.time_zone).unwrap_or(TimeZone::UTC);
        // The week that the end of the window is in, as the person counts.
        let Some(at) = notice::digest_at(latest, &zone) else { continue };
        if at > earliest && at <= latest && at > person.created_at.to_jiff() {
            let about = About { person: person.id, week: at.to_zoned(zone).date() };
            tx.put(&job(&about, at)?).await?;
        }
    }
    Ok(())
}

/// The week names the digest, its time the occasion: who moved to another zone meanwhile gets it when it is Monday there.
fn job(about: &About, at: Timestamp) -> Result<Work> {
    Job::at(SEND, format!("digest:{}:{}@{at}", about.person, about.week), at, serde_json::to_value(about)?)
}

/// Puts one person's digest into the outbox, once a week.
pub(crate) async fn send(tx: &mut Tx<'_>, about: &Value) -> Result<()> {
    let about = About::deserialize(about)?;
    let now = tx.now();
    let Some(reader) = readers(tx, &[about.person]).await?.pop() else { return Ok(()) };
    if !reader.preferences.mail(Kind::Digest) {
        return Ok(());
    }
    let monday = about.week.at(12, 0, 0, 0).to_zoned(reader.zone()).map_err(Error::internal)?.timestamp();
    let at = notice::digest_at(monday, &reader.zone()).unwrap_or(now);
    if at > now {
        tx.put(&job(&about, at)?).await?;
        return Ok(());
    }
    let sections = sections(tx, &reader, now).await?;
    if sections.is_empty() {
        return Ok(());
    }
    let key = format!("mail:digest:{}:{}", about.person, about.week);
    let title = format!("Your week from {}", about.week.strftime("%-d %B %Y"));
    mail::put_digest(tx, key, &reader, title, sections).await
}
