//! Sends mail: what waits in the outbox (`backend::notices::mail`) goes to the mail server, or stays readable there when
//! none is configured.

use std::time::Duration;

use async_trait::async_trait;
use backend::Backend;
use backend::notices::mail::{self, MailMessage, Ready, WrittenMail};
use backend::outbox::{Claimed, Failed, Kind};
use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::worker::{SendError, Sender};
use crate::config::{BaseUrl, MailServer};
use crate::problem::Problem;

/// How long a mail server may take for one command.
const PER_COMMAND: Duration = Duration::from_secs(15);
/// How long it may take for one mail.
const PER_MAIL: Duration = Duration::from_secs(45);
/// Replies about who we are and not about the mail: the operator mends that, and the mail waits.
const NOT_THE_MAIL: [u16; 5] = [421, 530, 534, 535, 538];

/// Hands mail to a server, or keeps it.
pub struct MailSender {
    server: Option<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)>,
}

impl MailSender {
    /// For this server; without one, mail is kept.
    pub fn new(server: Option<&MailServer>, base_url: &BaseUrl) -> Result<Self, Problem> {
        let Some(server) = server else { return Ok(Self { server: None }) };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server.url.expose());
        let transport = transport.map_err(|error| {
            let mend = "write PLUMBLINE_SMTP_URL like smtps://user:password@mail.example.com";
            Problem::new(format!("the mail server cannot be used: {error}"), mend)
        })?;
        let name = base_url.url().host_str().unwrap_or("localhost").to_owned();
        let transport = transport.timeout(Some(PER_COMMAND)).hello_name(ClientId::Domain(name)).build();
        Ok(Self { server: Some((transport, server.from.clone())) })
    }
}

#[async_trait]
impl Sender for MailSender {
    fn kind(&self) -> Kind {
        Kind::Mail
    }

    fn at_once(&self) -> usize {
        4
    }

    async fn send(&self, backend: &Backend, work: &Claimed) -> Result<(), SendError> {
        let for_good = |why: String| SendError { why, failed: Failed::ForGood };
        let message = MailMessage::of(work).map_err(|error| for_good(format!("this is no mail: {error}")))?;
        let note = match message.ready(backend).await.map_err(SendError::later)? {
            Ready::Never(why) => Some(why),
            _ if self.server.is_none() => Some(mail::KEPT),
            Ready::In(time) => {
                return Err(SendError { why: "waits for the end of quiet hours".into(), failed: Failed::NotYet(time) });
            }
            Ready::Now => None,
        };
        if let Some(note) = note {
            return mail::keep(backend, work, note).await.map_err(SendError::later);
        }
        let Some((transport, from)) = &self.server else { return Ok(()) };
        let message = message.write(backend, &work.key).await.map_err(SendError::later)?;
        let written = encode(message, from.clone(), backend.now()).map_err(|error| for_good(error.to_string()))?;
        match tokio::time::timeout(PER_MAIL, transport.send(written)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if is_about_the_mail(&error) => Err(for_good(reason(&error))),
            Ok(Err(error)) => Err(SendError::later(reason(&error))),
            Err(_) => Err(SendError::later("the mail server took too long")),
        }
    }
}

/// The server will never take this mail (RFC 5321: 5yz).
fn is_about_the_mail(error: &smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    error.is_permanent() && !code.is_some_and(|code| NOT_THE_MAIL.contains(&code))
}

/// An error with its causes, for the operator.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A mail as it goes over the wire. Names, titles and every other header are encoded here; nothing in them can begin
/// another line.
fn encode(message: WrittenMail, from: Mailbox, now: Timestamp) -> Result<Message, Unwritable> {
    let plain = |text: &str| -> String {
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
    };
    let address = message.to.parse().map_err(|_| Unwritable::Address(message.to.clone()))?;
    let mut builder = Message::builder()
        .from(from)
        .to(Mailbox::new(Some(plain(&message.to_name)), address))
        .subject(plain(&message.subject))
        .date(now.into());
    for (header, value) in message.headers {
        let header = HeaderName::new_from_ascii(header.clone()).map_err(|_| Unwritable::Header(header))?;
        builder = builder.raw_header(HeaderValue::new(header, plain(&value)));
    }
    let body = MultiPart::alternative_plain_html(message.text, message.html);
    builder.multipart(body).map_err(Unwritable::Mail)
}

/// Why a mail cannot be written.
#[derive(Debug, thiserror::Error)]
enum Unwritable {
    #[error("{0} is no address that mail can be sent to")]
    Address(String),
    #[error("{0} is no header")]
    Header(String),
    #[error(transparent)]
    Mail(lettre::error::Error),
}
