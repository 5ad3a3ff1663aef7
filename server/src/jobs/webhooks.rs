//! Calls webhooks: Standard Webhooks 1.0, or Slack's form.
//!
//! The receiver is somebody else's: it may hang, reset, answer without end, lead elsewhere. Every call is bounded in time
//! and bytes, goes to a public address only ([`addresses`]), follows nothing, and is written down with its outcome. Each
//! webhook has its own queue and a few calls at a time, so that a slow one holds up nobody but itself.

mod addresses;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use backend::Backend;
use backend::deliveries::{self, ANSWER_BYTES, Outcome};
use backend::outbox::{self, Claimed, Failed, Kind};
use backend::webhooks::message::{self, Call, Message};
use backend::webhooks::{self, Target, signature};
use domain::webhook::Format;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Response, StatusCode, header, redirect, retry};
use serde::Deserialize as _;
use tokio::time::Instant;
use url::{Host, Url};

use super::worker::{SendError, Sender};
use crate::config::{BaseUrl, Networks};
use addresses::{Resolver, Rule};

/// How many calls there are at a time.
const AT_ONCE: usize = 24;
/// How many of them of one webhook.
const OF_EACH: i64 = 6;
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
    /// How many calls of each webhook are under way or about to be.
    at_work: Mutex<HashMap<i64, i64>>,
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
            at_work: Mutex::default(),
        }
    }

    fn at_work(&self) -> MutexGuard<'_, HashMap<i64, i64>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn claim(&self, backend: &Backend, worker: &str, limit: i64) -> backend::Result<Vec<Claimed>> {
        let busy: Vec<_> = self.at_work().iter().map(|(webhook, calls)| (*webhook, *calls)).collect();
        let claimed = outbox::claim_by_webhook(backend, worker, limit, OF_EACH, &busy).await?;
        let mut at_work = self.at_work();
        for webhook in claimed.iter().filter_map(webhook_of) {
            *at_work.entry(webhook).or_default() += 1;
        }
        Ok(claimed)
    }

    async fn send(&self, backend: &Backend, work: &Claimed) -> Result<(), SendError> {
        let _under_way = UnderWay { of: self, webhook: webhook_of(work) };
        let for_good = |why: &str| SendError { why: why.to_owned(), failed: Failed::ForGood };
        let call =
            Call::deserialize(&work.payload).map_err(|error| for_good(&format!("no call of a webhook: {error}")))?;
        let target = webhooks::target(backend, call.webhook).await.map_err(SendError::later)?;
        let target = target.ok_or_else(|| for_good("the webhook was deleted"))?;
        if !target.active {
            return Err(for_good("the webhook is disabled; enable it, then send this again"));
        }
        let url = Url::parse(&target.url).map_err(|error| for_good(&format!("this is no web address: {error}")))?;
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
            webhooks::disable_gone(backend, call.webhook, &target.url).await.map_err(SendError::later)?;
        }
        // Whoever tests looks at it now, not in three days.
        let test = message.r#type == message::TEST;
        let tried_enough = work.attempt >= outbox::TRIES && outcome.status != Some(StatusCode::GONE.as_u16());
        if result.is_err() && tried_enough && !test {
            webhooks::give_up(backend, call.webhook).await.map_err(SendError::later)?;
        }
        result.map_err(|error| if test { SendError { failed: Failed::ForGood, ..error } } else { error })
    }
}

/// The webhook of a call.
fn webhook_of(work: &Claimed) -> Option<i64> {
    work.payload.get("webhook")?.as_i64()
}

/// A call that is counted until it ends, however it ends.
struct UnderWay<'a> {
    of: &'a Webhooks,
    webhook: Option<i64>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut at_work = self.of.at_work();
        if let Some(webhook) = self.webhook
            && let Entry::Occupied(mut calls) = at_work.entry(webhook)
        {
            *calls.get_mut() -= 1;
            if *calls.get() <= 0 {
                calls.remove();
            }
        }
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
    let subject = message.subject.as_ref().and_then(|subject| app::urls::subject(&subject.kind, &subject.key));
    subject.unwrap_or_else(app::urls::home)
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
