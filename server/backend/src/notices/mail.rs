//! The mail for notices. What it tells waits in the outbox, and is written out when the mail is sent or looked at. News
//! about one object that come close together become one mail: as long as it waits (two minutes, or until the quiet hours
//! end), what comes goes into it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::notice::{Kind, Reason};
use domain::{PersonId, Refusal};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::digest::Section;
use super::letter::{self, Block, Letter, Title};
use super::unsubscribe::Secret;
use super::{About, Concern, Reader, readers};
use crate::events::Event;
use crate::outbox::{self, Claimed, Work};
use crate::{Backend, Error, Result, Tx, entropy, rfcs};

/// The note on a mail that was not sent because no mail server is configured: it can be read in the outbox.
pub const KEPT: &str = "not sent: no mail server is configured (PLUMBLINE_SMTP_URL); read it here";
/// How long a mail waits for more news about the same object.
const TOGETHER: SignedDuration = SignedDuration::from_mins(2);
/// The news that one mail tells; more are counted.
const NEWS: i32 = 20;

/// A mail as it waits in the outbox: the payload of work of the kind `mail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MailMessage {
    /// The address it goes to.
    pub to: String,
    /// Whose that is.
    pub to_name: String,
    /// Its subject: the same for all mails about one object.
    pub subject: String,
    /// The person's key.
    pub(crate) person: PersonId,
    /// The zone that it tells times in.
    zone: String,
    /// The object it is about, `<noun>:<name>`; `digest` for the digest.
    pub(super) thread: String,
    /// What that is called.
    title: Title,
    /// What it tells.
    news: Vec<News>,
    /// How many more there were.
    #[serde(default)]
    more: usize,
    /// What a digest lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sections: Vec<Section>,
}

/// A mail written out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WrittenMail {
    /// The address it goes to.
    pub to: String,
    /// Whose that is.
    pub to_name: String,
    /// Its subject.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// All other headers but `From` and `Date`: name and value, one line each, not encoded.
    pub headers: Vec<(String, String)>,
}

impl WrittenMail {
    /// The value of one of its headers.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// One thing that a mail tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct News {
    kind: Kind,
    reason: Reason,
    text: String,
    excerpt: String,
    place: String,
    at: Timestamp,
}

/// Whether a mail may be sent, asked right before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// Yes.
    Now,
    /// The person has quiet hours for so long.
    In(SignedDuration),
    /// No, and why: they were disabled, may not read it any more, or want no such mail.
    Never(&'static str),
}

impl MailMessage {
    /// Reads the payload of an outbox row of the kind `mail`.
    pub fn of(work: &Claimed) -> Result<Self> {
        Ok(Self::deserialize(&work.payload)?)
    }

    /// The RFCs that it tells of: the one it is about, those that a digest lists.
    pub(crate) fn rfcs(&self) -> impl Iterator<Item = i64> {
        let listed = self.sections.iter().flat_map(|section| &section.rows);
        let listed = listed.filter_map(|(_, path)| path.strip_prefix("/rfcs/"));
        self.thread.strip_prefix("rfc:").into_iter().chain(listed).filter_map(|number| number.parse().ok())
    }

    /// Whether it may be sent now: while it waited, much may have changed.
    pub async fn ready(&self, backend: &Backend) -> Result<Ready> {
        let mut connection = backend.pool().acquire().await?;
        let Some(reader) = readers(&mut connection, &[self.person]).await?.pop() else {
            return Ok(Ready::Never("not sent: the person is disabled"));
        };
        if !self.kinds().any(|kind| reader.preferences.mail(kind)) {
            return Ok(Ready::Never("not sent: the person turned this kind of mail off"));
        }
        if !self.is_readable(&mut connection, &reader).await? {
            return Ok(Ready::Never("not sent: the person may not read this any more"));
        }
        let now = backend.now();
        let awake = if self.kinds().any(Kind::is_fixed) { now } else { reader.awake_at(now) };
        Ok(if awake > now { Ready::In(awake.duration_since(now)) } else { Ready::Now })
    }

    async fn is_readable(&self, connection: &mut PgConnection, reader: &Reader) -> Result<bool> {
        let Some(number) = self.thread.strip_prefix("rfc:").and_then(|number| number.parse().ok()) else {
            return Ok(true);
        };
        match rfcs::look(connection, number).await {
            Ok(rfc) => {
                let read = domain::policy::Action::ReadRfc(&rfc.access);
                Ok(domain::policy::allows(&reader.actor, read).is_ok())
            }
            Err(Error::Refused(Refusal::NotFound { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A mail that will not be sent is done, with a note that says why.
pub async fn keep(backend: &Backend, work: &Claimed, note: &str) -> Result<()> {
    outbox::finish_noting(backend, work.id, note).await
}

/// Puts a mail about an event into the outbox, or the news into one that waits.
pub(super) async fn put(
    tx: &mut Tx<'_>,
    event: &Event,
    about: &About,
    reader: &Reader,
    concern: &Concern,
) -> Result<()> {
    let news = News {
        kind: concern.kind,
        reason: concern.reason,
        text: concern.text.clone(),
        excerpt: concern.excerpt.clone(),
        place: concern.place.clone(),
        at: event.at,
    };
    let thread = format!("{}:{}", event.subject_kind, event.subject_key);
    let title = Title::of(about);
    if !news.kind.is_fixed() && add(tx, reader.actor.id, &thread, &title, &news).await? {
        return Ok(());
    }
    let now = tx.now();
    let due_at = if news.kind.is_fixed() { now } else { reader.awake_at(now.saturating_add(TOGETHER).unwrap_or(now)) };
    let subject = match about.tag.as_str() {
        "" => format!("[Plumbline] {}", about.title),
        tag => format!("[{tag}] {}", about.title),
    };
    let mut message = MailMessage::to(reader, subject, thread, title);
    message.news.push(news);
    let key = format!("mail:{}:{}", reader.actor.id, event.id);
    tx.put(&Work { key, kind: outbox::Kind::Mail, payload: serde_json::to_value(&message)?, due_at }).await?;
    Ok(())
}

/// Puts a digest into the outbox.
pub(super) async fn put_digest(
    tx: &mut Tx<'_>,
    key: String,
    reader: &Reader,
    title: String,
    sections: Vec<Section>,
) -> Result<()> {
    let now = tx.now();
    let title = Title { words: title, path: "/".to_owned() };
    let mut message = MailMessage::to(reader, "[Plumbline] Your week".to_owned(), "digest".to_owned(), title);
    message.sections = sections;
    let payload = serde_json::to_value(&message)?;
    tx.put(&Work { key, kind: outbox::Kind::Mail, payload, due_at: reader.awake_at(now) }).await?;
    Ok(())
}

/// Takes what was said there out of the mails that still wait: its author took it back.
pub(crate) async fn forget(tx: &mut Tx<'_>, event: &Event, place: &str) -> Result<()> {
    let rows = sqlx::query!(
        "select id, payload from outbox
         where kind = 'mail' and state = 'waiting' and leased_by is null and payload ->> 'thread' = $1
           and payload -> 'news' @> $2
         for update skip locked",
        format!("{}:{}", event.subject_kind, event.subject_key),
        json!([{ "place": place }]),
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in rows {
        let mut message = MailMessage::deserialize(&row.payload)?;
        message.news.retain(|news| news.place != place);
        if message.news.is_empty() {
            sqlx::query!("delete from outbox where id = $1", row.id).execute(&mut **tx).await?;
        } else {
            replace(tx, row.id, &message).await?;
        }
    }
    Ok(())
}

impl MailMessage {
    /// A mail that says nothing yet.
    fn to(reader: &Reader, subject: String, thread: String, title: Title) -> Self {
        Self {
            to: reader.actor.email.clone(),
            to_name: reader.actor.name.clone(),
            subject,
            person: reader.actor.id,
            zone: reader.actor.time_zone.clone(),
            thread,
            title,
            news: Vec::new(),
            more: 0,
            sections: Vec::new(),
        }
    }

    /// What it tells, by kind and reason; a digest is its own.
    fn why(&self) -> Vec<(Kind, Reason)> {
        let mut why: Vec<(Kind, Reason)> = Vec::new();
        for one in self.news.iter().map(|news| (news.kind, news.reason)) {
            if !why.contains(&one) {
                why.push(one);
            }
        }
        if !self.sections.is_empty() {
            why.push((Kind::Digest, Reason::Digest));
        }
        why
    }

    /// The kinds of what it tells.
    fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.why().into_iter().map(|(kind, _)| kind)
    }

    /// Writes it out. `key` is the work's: the `Message-ID` follows from it, so that the mail is the same one when it is
    /// sent a second time.
    pub async fn write(&self, backend: &Backend, key: &str) -> Result<WrittenMail> {
        let base = backend.base_url();
        let host = host(base);
        let secret = Secret::get(&mut *backend.pool().acquire().await?, backend.entropy()).await?;
        let mut why: Vec<(Kind, Reason, Option<String>)> = Vec::new();
        for (kind, reason) in self.why() {
            let token = secret.token(self.person, kind)?;
            why.push((kind, reason, (!kind.is_fixed()).then(|| format!("{base}/unsubscribe/{token}"))));
        }
        let (noun, name) = self.thread.split_once(':').unwrap_or((&self.thread, ""));
        let mut reasons: Vec<&str> = why.iter().map(|(_, reason, _)| reason.as_str()).collect();
        reasons.dedup();
        let mut headers = vec![("Message-ID", format!("<{}@{host}>", short(key)))];
        if !name.is_empty() {
            // Nobody ever sent it: all mails about the object are answers to it.
            let root = format!("<{noun}.{}@{host}>", short(&self.thread));
            headers.push(("In-Reply-To", root.clone()));
            headers.push(("References", root));
        }
        headers.push(("List-Id", format!("Plumbline <{}.{host}>", noun.replace('_', "-"))));
        headers.push(("X-Plumbline-Reason", reasons.join(", ")));
        // One click turns off what the mail began with.
        if let Some(link) = why.iter().find_map(|(_, _, link)| link.clone()) {
            headers.push(("List-Unsubscribe", format!("<{link}>")));
            headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        for (name, value) in
            [("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"), ("X-Auto-Response-Suppress", "All")]
        {
            headers.push((name, value.to_owned()));
        }
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let (text, html) = letter::write(&self.letter(base), &why, &format!("{base}/account/notices"), &zone);
        let (to, to_name, subject) = (self.to.clone(), self.to_name.clone(), self.subject.clone());
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(WrittenMail { to, to_name, subject, text, html, headers })
    }

    /// What it says.
    fn letter(&self, base: &str) -> Letter {
        let page = format!("{base}{}", self.title.path);
        let news = self.news.iter().map(|news| Block {
            heading: news.text.clone(),
            at: Some(news.at),
            quote: news.excerpt.clone(),
            link: if news.place.is_empty() { page.clone() } else { format!("{page}#{}", news.place) },
            lines: Vec::new(),
        });
        let sections = self.sections.iter().map(|section| Block {
            heading: section.title.clone(),
            at: None,
            quote: String::new(),
            link: String::new(),
            lines: section.rows.iter().map(|(words, path)| (words.clone(), format!("{base}{path}"))).collect(),
        });
        let blocks = news.chain(sections).collect();
        Letter { title: self.title.words.clone(), link: page, blocks, more: self.more }
    }
}

/// Adds news to the mail about this object that the person has not been sent yet; answers whether there is one. Not to
/// one that was tried already: what a server may have taken is not changed any more.
async fn add(tx: &mut Tx<'_>, person: PersonId, thread: &str, title: &Title, news: &News) -> Result<bool> {
    let done = sqlx::query!(
        "update outbox
         set payload = payload || jsonb_build_object('title', $3::jsonb) ||
               case when jsonb_array_length(payload -> 'news') < $5
                    then jsonb_build_object('news', payload -> 'news' || $4::jsonb)
                    else jsonb_build_object('more', coalesce((payload ->> 'more')::int, 0) + 1) end
         where id = (select id from outbox
                     where kind = 'mail' and state = 'waiting' and leased_by is null and attempts = 0
                       and payload ->> 'person' = $1 and payload ->> 'thread' = $2
                     order by id desc limit 1 for update skip locked)",
        person.to_string(),
        thread,
        serde_json::to_value(title)?,
        serde_json::to_value(news)?,
        NEWS,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn replace(tx: &mut Tx<'_>, id: i64, message: &MailMessage) -> Result<()> {
    sqlx::query!("update outbox set payload = $2 where id = $1", id, serde_json::to_value(message)?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A name for something that has a longer one.
fn short(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(&entropy::hash(name)[..16])
}

/// The host of an address, as it stands behind the `@` of a message's name.
fn host(base_url: &str) -> String {
    let url = url::Url::parse(base_url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "localhost".to_owned())
}
