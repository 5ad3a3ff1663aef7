//! The mail server: `PLUMBLINE_SMTP_URL` and `PLUMBLINE_MAIL_FROM`.

use std::net::IpAddr;

use lettre::message::Mailbox;
use url::{Host, Url};

use super::{Reader, Secret};

/// Where mail is handed in, and whom it is from.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// The server as lettre takes it, with what it needs to know about encryption.
    pub url: Secret,
    /// The sender.
    pub from: Mailbox,
}

impl MailServer {
    /// Reads both variables; none without the first.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let from = reader.parsed("PLUMBLINE_MAIL_FROM", parse_sender);
        let url = reader.parsed("PLUMBLINE_SMTP_URL", parse_server)?;
        if from.is_none() && reader.value("PLUMBLINE_MAIL_FROM").is_none() {
            let example = "such as Plumbline <plumbline@example.com>";
            reader.errors.push(format!(
                "PLUMBLINE_MAIL_FROM is missing: with PLUMBLINE_SMTP_URL set, say whom mail is from, {example}"
            ));
        }
        Some(Self { url, from: from? })
    }
}

/// `smtps://` speaks TLS from the first byte; `smtp://` must begin it with STARTTLS unless the server is this machine.
fn parse_server(text: &str) -> Result<Secret, String> {
    // The parser's own message could repeat the password.
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "smtp" | "smtps"));
    let mut url = url.ok_or("not a mail server like smtps://user:password@mail.example.com")?;
    let Some(host) = url.host().filter(|host| *host != Host::Domain("")).map(|host| host.to_owned()) else {
        return Err("the mail server has no host; write smtps://user:password@mail.example.com".into());
    };
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("it must be scheme, user, password, host and port only".into());
    }
    if url.username().is_empty() != url.password().is_none() {
        return Err("give a user and a password, or neither".into());
    }
    // lettre takes what follows the host as its own name in the greeting.
    url.set_path("");
    if url.scheme() == "smtp" && !is_local(&host) {
        url.set_query(Some("tls=required"));
    }
    Ok(Secret(url.into()))
}

/// Whether the way there leaves this machine.
fn is_local(host: &Host<String>) -> bool {
    let address = |address: IpAddr| address.is_loopback();
    match host {
        // The parser of a scheme it does not know leaves addresses as names.
        Host::Domain(name) => name == "localhost" || name.parse().is_ok_and(address),
        Host::Ipv4(ip) => address((*ip).into()),
        Host::Ipv6(ip) => address((*ip).into()),
    }
}

fn parse_sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        format!("\"{text}\" is not a sender like plumbline@example.com or Plumbline <plumbline@example.com>")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_encrypted_unless_it_stays_here() {
        let read = |text: &str| parse_server(text).map(|url| url.expose().to_owned());
        for (text, expected) in [
            ("smtps://user:p%40ss@mail.example.com", "smtps://user:p%40ss@mail.example.com"),
            ("smtp://mail.example.com:2525/", "smtp://mail.example.com:2525?tls=required"),
            ("smtp://localhost:1025", "smtp://localhost:1025"),
            ("smtp://127.0.0.1:1025", "smtp://127.0.0.1:1025"),
            ("smtp://[::1]:1025", "smtp://[::1]:1025"),
        ] {
            assert_eq!(read(text).unwrap(), expected);
        }
        for bad in [
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://user@mail.example.com",
            "smtp://mail.example.com?tls=none",
            "smtp://mail.example.com/name",
            "smtps://s3cret:s3cret@",
        ] {
            let error = read(bad).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
