//! The mail for notices. It is composed when the notice is made and waits in the outbox whole; who sends it only adds the
//! sender and the date. News about one object that come close together become one mail: as long as it waits (two
//! minutes, or until the quiet hours end), what comes goes into it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::notice::{Kind, Reason};
use domain::{PersonId, Refusal};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::letter::{self, Block, Letter, Title};
use super::unsubscribe::Secret;
use super::{About, Concern, Reader, readers};
use crate::events::Event;
use crate::outbox::{self, Claimed, Work};
use crate::{Backend, Error, Result, Tx, entropy, rfcs};

/// The note on a mail that was not sent because no mail server is configured: it can be read in the outbox.
pub const KEPT: &str = "kept";
/// How long a mail waits for more news about the same object.
const TOGETHER: SignedDuration = SignedDuration::from_mins(2);
/// The news that one mail tells; more are counted.
const NEWS: usize = 20;

/// A mail as it waits in the outbox: the payload of work of the kind `mail`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MailMessage {
    /// The address it goes to.
    pub to: String,
    /// Whose that is.
    pub to_name: String,
    /// Its subject: the same for all mails about one object.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// All other headers but `From` and `Date`: name and value, one line each, not encoded.
    pub headers: Vec<(String, String)>,
    /// The person's key.
    pub(super) person: PersonId,
    /// The object it is about, `<noun>:<name>`; `digest` for the digest.
    pub(super) thread: String,
    /// What that is called.
    pub(super) title: Title,
    /// Its news, to be composed anew when more comes.
    pub(super) news: Vec<News>,
    /// How many more there were.
    pub(super) more: usize,
}

/// One thing that a mail tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct News {
    pub(super) kind: Kind,
    pub(super) reason: Reason,
    text: String,
    excerpt: String,
    place: String,
    at: Timestamp,
}

impl News {
    /// News that says nothing by itself.
    pub(super) fn only(kind: Kind, reason: Reason, at: Timestamp) -> Self {
        Self { kind, reason, text: String::new(), excerpt: String::new(), place: String::new(), at }
    }
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

    /// The value of one of its headers.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether it may be sent now: while it waited, much may have changed.
    pub async fn ready(&self, backend: &Backend) -> Result<Ready> {
        let mut connection = backend.pool().acquire().await?;
        let Some(reader) = readers(&mut connection, &[self.person]).await?.pop() else {
            return Ok(Ready::Never("not sent: the person is disabled"));
        };
        if !self.news.iter().any(|news| reader.preferences.mail(news.kind)) {
            return Ok(Ready::Never("not sent: the person turned this kind of mail off"));
        }
        if !self.is_readable(&mut connection, &reader).await? {
            return Ok(Ready::Never("not sent: the person may not read this any more"));
        }
        let now = backend.now();
        let awake = if self.news.iter().any(|news| news.kind.is_fixed()) { now } else { reader.awake_at(now) };
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
    if !news.kind.is_fixed()
        && let Some((id, mut message)) = waiting(tx, reader.actor.id, &thread).await?
    {
        if message.news.len() < NEWS {
            message.news.push(news);
        } else {
            message.more += 1;
        }
        message.title = Title::of(about);
        let letter = message.letter(tx.backend().base_url());
        compose(tx, reader, &mut message, &letter).await?;
        return replace(tx, id, &message).await;
    }
    let key = format!("mail:{}:{}", reader.actor.id, event.id);
    let now = tx.now();
    let due_at = if news.kind.is_fixed() { now } else { reader.awake_at(now.saturating_add(TOGETHER).unwrap_or(now)) };
    let mut message = MailMessage::empty(reader, thread, Title::of(about), &key, tx.backend().base_url());
    message.news.push(news);
    message.subject = match about.tag.as_str() {
        "" => format!("[Plumbline] {}", about.title),
        tag => format!("[{tag}] {}", about.title),
    };
    let letter = message.letter(tx.backend().base_url());
    compose(tx, reader, &mut message, &letter).await?;
    tx.put(&Work { key, kind: outbox::Kind::Mail, payload: serde_json::to_value(&message)?, due_at }).await?;
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
        let reader = readers(tx, &[message.person]).await?.pop();
        let Some(reader) = reader.filter(|_| !message.news.is_empty()) else {
            sqlx::query!("delete from outbox where id = $1", row.id).execute(&mut **tx).await?;
            continue;
        };
        let letter = message.letter(tx.backend().base_url());
        compose(tx, &reader, &mut message, &letter).await?;
        replace(tx, row.id, &message).await?;
    }
    Ok(())
}

impl MailMessage {
    /// A mail that says nothing yet, with the headers that never change. Its `Message-ID` follows from the outbox's key:
    /// sent a second time, it is the same mail.
    pub(super) fn empty(reader: &Reader, thread: String, title: Title, key: &str, base_url: &str) -> Self {
        let host = host(base_url);
        let mut headers = vec![("Message-ID".to_owned(), format!("<{}@{host}>", short(key)))];
        let (noun, name) = thread.split_once(':').unwrap_or((&thread, ""));
        if !name.is_empty() {
            // Nobody ever sent it: all mails about the object are answers to it.
            let root = format!("<{noun}.{}@{host}>", short(&thread));
            headers.push(("In-Reply-To".to_owned(), root.clone()));
            headers.push(("References".to_owned(), root));
        }
        let list = noun.replace('_', "-");
        headers.push(("List-Id".to_owned(), format!("Plumbline <{list}.{host}>")));
        for (name, value) in
            [("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"), ("X-Auto-Response-Suppress", "All")]
        {
            headers.push((name.to_owned(), value.to_owned()));
        }
        Self {
            to: reader.actor.email.clone(),
            to_name: reader.actor.name.clone(),
            subject: String::new(),
            text: String::new(),
            html: String::new(),
            headers,
            person: reader.actor.id,
            thread,
            title,
            news: Vec::new(),
            more: 0,
        }
    }

    /// Its news as a letter.
    fn letter(&self, base_url: &str) -> Letter {
        let page = format!("{base_url}{}", self.title.path);
        let blocks = self.news.iter().map(|news| Block {
            heading: news.text.clone(),
            at: Some(news.at),
            quote: news.excerpt.clone(),
            link: if news.place.is_empty() { page.clone() } else { format!("{page}#{}", news.place) },
            lines: Vec::new(),
        });
        let blocks = blocks.collect();
        Letter { title: self.title.words.clone(), link: page, blocks, more: self.more }
    }

    fn set_header(&mut self, name: &str, value: String) {
        self.headers.retain(|(header, _)| header != name);
        self.headers.push((name.to_owned(), value));
    }
}

/// Writes text, HTML and the headers that follow from what it says.
pub(super) async fn compose(
    tx: &mut Tx<'_>,
    reader: &Reader,
    message: &mut MailMessage,
    letter: &Letter,
) -> Result<()> {
    let base = tx.backend().base_url().to_owned();
    let entropy = tx.backend().entropy();
    let secret = Secret::get(tx, entropy).await?;
    let mut why: Vec<(Kind, Reason, Option<String>)> = Vec::new();
    for news in &message.news {
        if !why.iter().any(|(kind, reason, _)| (*kind, *reason) == (news.kind, news.reason)) {
            let token = secret.token(reader.actor.id, news.kind)?;
            let link = (!news.kind.is_fixed()).then(|| format!("{base}/unsubscribe/{token}"));
            why.push((news.kind, news.reason, link));
        }
    }
    let mut reasons: Vec<&str> = why.iter().map(|(_, reason, _)| reason.as_str()).collect();
    reasons.dedup();
    message.set_header("X-Plumbline-Reason", reasons.join(", "));
    // One click turns off what the mail began with.
    if let Some(link) = why.iter().find_map(|(_, _, link)| link.clone()) {
        message.set_header("List-Unsubscribe", format!("<{link}>"));
        message.set_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned());
    }
    let written = letter::write(letter, &why, &format!("{base}/account/notices"), &reader.zone());
    message.text = written.text;
    message.html = written.html;
    Ok(())
}

/// The mail about this object that the person has not been sent yet, held. Not one that was tried already: what a server
/// may have taken is not changed any more.
async fn waiting(tx: &mut Tx<'_>, person: PersonId, thread: &str) -> Result<Option<(i64, MailMessage)>> {
    let row = sqlx::query!(
        "select id, payload from outbox
         where kind = 'mail' and state = 'waiting' and leased_by is null and attempts = 0
           and payload ->> 'person' = $1 and payload ->> 'thread' = $2
         order by id desc limit 1 for update skip locked",
        person.to_string(),
        thread,
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| Ok((row.id, MailMessage::deserialize(&row.payload)?))).transpose()
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
