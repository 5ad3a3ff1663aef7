//! Calls webhooks: Standard Webhooks 1.0, or Slack's form.
//!
//! The receiver is somebody else's: it may hang, reset, answer without end, lead elsewhere. Every call is bounded in time
//! and bytes, goes to a public address only ([`addresses`]), follows nothing, and is written down with its outcome. Only a
//! few calls go to one receiver at a time, so that a slow one holds up nobody but itself.

mod addresses;

use std::collections::HashMap;
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use backend::Backend;
use backend::deliveries::{self, ANSWER_BYTES, Outcome};
use backend::outbox::{Claimed, Failed, Kind};
use backend::webhooks::message::{self, Call, Message};
use backend::webhooks::{self, Target, signature};
use domain::webhook::Format;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Response, StatusCode, header, redirect, retry};
use serde::Deserialize as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::{Host, Url};

use super::worker::{SendError, Sender};
use crate::config::{BaseUrl, Networks};
use addresses::{Resolver, Rule};

/// How many calls there are at a time.
const AT_ONCE: usize = 24;
/// How many of them to one receiver.
const AT_ONE_RECEIVER: usize = 3;
/// How long a call waits for its turn at a receiver before others are let past.
const TURN: Duration = Duration::from_secs(1);
/// Time for one call, from looking up the name to the end of the answer.
const TIME: Duration = Duration::from_secs(15);
/// Bytes of an answer that are read; only the first of them are kept ([`ANSWER_BYTES`]).
const READ: usize = 64 * 1024;
/// The longest pause that a receiver may ask for.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// The sender of webhooks.
pub struct Webhooks {
    /// The product's address, without a slash at the end.
    origin: String,
    allowed: Networks,
    /// For https, to public addresses and allowed networks.
    secure: Result<Client, String>,
    /// For http, to allowed networks only.
    plain: Result<Client, String>,
    receivers: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Webhooks {
    /// Ready to call.
    pub fn new(base_url: &BaseUrl, allowed: &Networks) -> Self {
        Self::with_time(base_url, allowed, TIME)
    }

    /// The same with another time for one call.
    pub fn with_time(base_url: &BaseUrl, allowed: &Networks, time: Duration) -> Self {
        // Whoever comes second finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |allowed_only| client(Rule { allowed: allowed.clone(), allowed_only }, time);
        Self {
            origin: base_url.origin(),
            allowed: allowed.clone(),
            secure: client(false),
            plain: client(true),
            receivers: Mutex::default(),
        }
    }

    /// A turn at this receiver; nothing when there is none for a while.
    async fn turn(&self, receiver: String) -> Option<OwnedSemaphorePermit> {
        let turns = {
            let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
            // A turn that is taken or waited for keeps its receiver.
            receivers.retain(|_, turns| Arc::strong_count(turns) > 1);
            Arc::clone(receivers.entry(receiver).or_insert_with(|| Arc::new(Semaphore::new(AT_ONE_RECEIVER))))
        };
        tokio::time::timeout(TURN, turns.acquire_owned()).await.ok()?.ok()
    }

    /// The client for an address, after what can be said of it without looking anything up.
    fn client(&self, url: &Url) -> Result<&Client, String> {
        let plain = url.scheme() != "https";
        let rule = Rule { allowed: self.allowed.clone(), allowed_only: plain };
        // The resolver is not asked about these.
        match url.host() {
            Some(Host::Ipv4(address)) => rule.check(IpAddr::V4(address))?,
            Some(Host::Ipv6(address)) => rule.check(IpAddr::V6(address))?,
            Some(Host::Domain(_)) => {}
            None => return Err("the address names no host".to_owned()),
        }
        let client = if plain { &self.plain } else { &self.secure };
        client.as_ref().map_err(Clone::clone)
    }

    /// One call.
    async fn call(&self, url: Url, target: &Target, body: String, id: &str, now: Timestamp) -> Result<Answer, String> {
        let client = self.client(&url)?;
        let mut request = client.post(url).header(header::CONTENT_TYPE, "application/json");
        if target.format == Format::Standard {
            let at = now.as_second();
            let signed =
                signature::header(&target.secrets, id, at, body.as_bytes()).map_err(|error| error.to_string())?;
            request =
                request.header(signature::ID, id).header(signature::TIMESTAMP, at).header(signature::SIGNATURE, signed);
        }
        // The address may be a secret (Slack's is): it stays out of what is written down.
        let response = request.body(body).send().await.map_err(|error| explain(&error.without_url()))?;
        Ok(Answer::read(response).await)
    }
}

#[async_trait]
impl Sender for Webhooks {
    fn kind(&self) -> Kind {
        Kind::Webhook
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    async fn send(&self, backend: &Backend, work: &Claimed) -> Result<(), SendError> {
        let for_good = |why: &str| SendError { why: why.to_owned(), failed: Failed::ForGood };
        let call =
            Call::deserialize(&work.payload).map_err(|error| for_good(&format!("no call of a webhook: {error}")))?;
        let target = webhooks::target(backend, call.webhook).await.map_err(SendError::later)?;
        let target = target.ok_or_else(|| for_good("the webhook was deleted"))?;
        if !target.active {
            return Err(for_good("the webhook is disabled; enable it, then send this again"));
        }
        let url = Url::parse(&target.url).map_err(|error| for_good(&format!("this is no web address: {error}")))?;
        let Some(_turn) = self.turn(url.origin().ascii_serialization()).await else {
            // Not all at the same time again.
            let pause = SignedDuration::from_millis(3000 + work.id.rem_euclid(40) * 100);
            return Err(SendError {
                why: "the receiver is busy with other calls".into(),
                failed: Failed::NotYet(pause),
            });
        };
        let message = &call.message;
        let body = message.body(target.format, &self.origin, &path(message)).map_err(SendError::later)?;
        let id = message::id(&work.key, target.created_at);
        let begun = Instant::now();
        let answer = self.call(url, &target, body, &id, backend.now()).await;
        let result = judge(&answer, backend.now());
        let outcome = Outcome {
            status: answer.as_ref().ok().map(|answer| answer.status.as_u16()),
            duration: begun.elapsed(),
            answer: answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default(),
            error: result.as_ref().err().map(|error| error.why.clone()).unwrap_or_default(),
        };
        if let Err(error) = deliveries::record(backend, work, &outcome).await {
            tracing::warn!(%error, key = work.key, "how a webhook's call went was not recorded");
        }
        if outcome.status == Some(StatusCode::GONE.as_u16()) {
            webhooks::disable_gone(backend, call.webhook).await.map_err(SendError::later)?;
        }
        // Whoever tests looks at it now, not in three days.
        let test = message.r#type == message::TEST;
        result.map_err(|error| if test { SendError { failed: Failed::ForGood, ..error } } else { error })
    }
}

fn client(rule: Rule, time: Duration) -> Result<Client, String> {
    let builder = Client::builder()
        .user_agent(concat!("Plumbline/", env!("CARGO_PKG_VERSION")))
        .https_only(!rule.allowed_only)
        .dns_resolver(Arc::new(Resolver(rule)))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .timeout(time)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(20));
    builder.build().map_err(|error| format!("this server cannot call anybody: {}", explain(&error)))
}

/// What a receiver answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    retry_after: Option<String>,
    location: Option<String>,
    /// Its first bytes.
    body: Vec<u8>,
}

impl Answer {
    /// Reads it, up to a limit: the status is what counts, and it is known already.
    async fn read(mut response: Response) -> Self {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (status, retry_after, location) = (response.status(), text(header::RETRY_AFTER), text(header::LOCATION));
        let (mut body, mut read) = (Vec::new(), 0);
        while read < READ
            && let Ok(Some(bytes)) = response.chunk().await
        {
            read += bytes.len();
            let room = ANSWER_BYTES.saturating_sub(body.len());
            body.extend(bytes.iter().take(room));
        }
        Self { status, retry_after, location, body }
    }
}

/// Whether it arrived, and if not, what to do about it.
fn judge(answer: &Result<Answer, String>, now: Timestamp) -> Result<(), SendError> {
    let answer = answer.as_ref().map_err(SendError::later)?;
    let status = answer.status.as_u16();
    let error = |why: String, failed| Err(SendError { why, failed });
    match status {
        200..=299 => Ok(()),
        410 => error("answered 410 Gone: the webhook is disabled now".to_owned(), Failed::ForGood),
        429 | 503 => match answer.retry_after.as_deref().and_then(|said| pause(said, now)) {
            Some(pause) => error(format!("answered {status}, Retry-After {} s", pause.as_secs()), Failed::After(pause)),
            None => error(format!("answered {status}"), Failed::Later),
        },
        300..=399 => {
            let to: String = answer.location.as_deref().unwrap_or("somewhere else").chars().take(200).collect();
            error(format!("answered {status}, a redirect to {to}, which is not followed"), Failed::Later)
        }
        _ => error(format!("answered {status}"), Failed::Later),
    }
}

/// `Retry-After`: seconds, or an instant; a day at most.
fn pause(said: &str, now: Timestamp) -> Option<SignedDuration> {
    let pause = match said.trim().parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(seconds.into()),
        Err(_) => jiff::fmt::rfc2822::parse(said.trim()).ok()?.timestamp().duration_since(now),
    };
    Some(pause.clamp(SignedDuration::ZERO, PAUSE_MAX))
}

/// Why no answer came, down to the cause.
fn explain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The page of what a message is about.
fn path(message: &Message) -> String {
    let Some(subject) = &message.subject else { return app::urls::home() };
    let key = &subject.key;
    match subject.kind.as_str() {
        "rfc" => key.parse().map_or_else(|_| app::urls::rfcs(), app::urls::rfc),
        "service" => app::urls::service(key),
        "team" => app::urls::team(key),
        "person" => app::urls::person(key),
        _ => app::urls::home(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: Option<&str>) -> Option<Failed> {
        let now = "2026-11-02T09:00:00Z".parse().unwrap();
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(str::to_owned),
            location: None,
            body: Vec::new(),
        };
        judge(&Ok(answer), now).err().map(|error| error.failed)
    }

    #[test]
    fn an_answer_says_whether_to_come_again_and_when() {
        let after = |seconds| Some(Failed::After(SignedDuration::from_secs(seconds)));
        for fine in [200, 201, 204, 299] {
            assert_eq!(judged(fine, None), None);
        }
        for (status, retry_after, expected) in [
            (410, None, Some(Failed::ForGood)),
            (500, Some("120"), Some(Failed::Later)),
            (302, None, Some(Failed::Later)),
            (404, None, Some(Failed::Later)),
            (429, None, Some(Failed::Later)),
            (429, Some("120"), after(120)),
            (503, Some(" 7 "), after(7)),
            (503, Some("99999999"), after(86_400)),
            (503, Some("Mon, 02 Nov 2026 09:10:00 GMT"), after(600)),
            (503, Some("Mon, 02 Nov 2020 09:10:00 GMT"), after(0)),
            (503, Some("Mon, 02 Nov 2099 09:10:00 GMT"), after(86_400)),
            (503, Some("soon"), Some(Failed::Later)),
            (503, Some("-1"), Some(Failed::Later)),
        ] {
            assert_eq!(judged(status, retry_after), expected, "{status} {retry_after:?}");
        }
    }
}
