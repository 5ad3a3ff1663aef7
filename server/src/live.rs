//! `GET /live?topics=rfc:12,inbox`: server-sent events for the pages of a browser that is signed in.
//!
//! A message says that something happened, never what was written: `{kind, key, verb, actor, own, ids}`. Its id is a
//! place in the order of events; whoever comes back with it (`Last-Event-ID`, or `?after=` for a page that knows when it
//! was rendered) first hears what they missed, or `reset` when that is too much: the page is to be loaded again. `inbox`
//! says how much of one's inbox is new. `bye` says that this reader is not to come back: signed out, disabled, or no
//! longer allowed to read what they listen to.
//!
//! [`hub`] does the listening, once a process.

pub mod hub;

use std::sync::Arc;
use std::time::Duration;

use app::session::PERSON;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use backend::events::{self, Event, Position};
use backend::live::{Topic, audiences};
use backend::notices::inbox::Unread;
use backend::{Backend, accounts};
use domain::{Actor, Refusal};
use futures_util::stream::{self, Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tower_sessions::Session;

use crate::api::problem::{self, Failure};
use crate::middleware::request_id::RequestId;
use crate::{logging, session_store};
use hub::{Hub, Listener};

/// Topics of one page.
const MOST_TOPICS: usize = 10;
/// Events that are told after a gap; beyond it the page is to be loaded again.
const MOST_MISSED: usize = 100;
/// Something is sent at least this often, so that nobody on the way takes the line for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A browser whose stream broke comes back after this long.
const COME_BACK: Duration = Duration::from_secs(2);

/// What the route needs.
#[derive(Clone)]
pub struct Live {
    /// The use cases.
    pub backend: Backend,
    /// Who listens in this process.
    pub hub: Hub,
    /// Our own origin, as browsers write it.
    pub origin: Arc<str>,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
}

/// The route; the session layer goes around it.
pub fn routes(live: Live) -> Router {
    Router::new().route("/live", get(listen)).with_state(live).layer(middleware::from_fn(problem::finish))
}

/// The query of the address.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    topics: String,
    after: Option<String>,
}

async fn listen(
    State(live): State<Live>,
    Query(asked): Query<Asked>,
    session: Session,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    extensions: http::Extensions,
) -> Result<Response, Failure> {
    if !is_from_us(&headers, &live.origin) {
        return Err(Refusal::not_allowed("Only pages of Plumbline may listen.").into());
    }
    let backend = live.backend.for_request(request_id.as_str(), None);
    let actor = signed_in(&backend, &session).await?;
    logging::note_person(&extensions, &actor);
    let token = session.id().map(|id| session_store::hash(&id)).ok_or(Refusal::SignInNeeded)?;
    let topics = topics(&asked.topics)?;
    let about: Vec<_> = topics.iter().map(|topic| (topic.kind.as_str(), topic.key.as_str())).collect();
    for audience in audiences(&backend, &about).await? {
        audience.check(&actor)?;
    }
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let after = seen.or(asked.after.as_deref()).map(str::parse::<Position>).transpose();
    let after = after.map_err(|_| Refusal::field("after", "This is none of the ids that events have."))?;
    if live.stopping.is_cancelled() {
        return Err(Refusal::Busy { retry_after_seconds: 2 }.into());
    }

    let (after, lost) = match after {
        Some(after) if Some(after) <= live.hub.place() => (after, false),
        after => {
            let newest = events::newest(&backend).await?;
            // Of a database that is another one now: nothing that happens here would ever be later.
            (after.unwrap_or(newest).min(newest), after > Some(newest))
        }
    };
    let listener = Listener { actor: actor.clone(), token, topics: topics.clone(), after };
    let seat = live.hub.join(listener).await?;
    let mut first = vec![Message::default().retry(COME_BACK)];
    if lost {
        first.push(reset(seat.after()));
    }
    if after < seat.place() {
        first.extend(missed(&backend, &actor, &topics, after, seat.place()).await?);
    }
    // Whoever is cut off before the next event comes back to here.
    first.push(Message::default().id(seat.after().to_string()));
    let told = stream::iter(first).chain(stream::unfold(seat, async |mut seat| {
        let message = seat.next().await?;
        Some((message, seat))
    }));
    Ok(answer(told.take_until(live.stopping.cancelled_owned())))
}

fn answer(told: impl Stream<Item = Message> + Send + 'static) -> Response {
    let told = told.map(Ok::<_, std::convert::Infallible>);
    let mut response = Sse::new(told).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that collects the answer would keep everything to itself.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// What happened between the place a reader comes back with and the place from which the hub tells them.
async fn missed(
    backend: &Backend,
    actor: &Actor,
    topics: &[Topic],
    after: Position,
    place: Position,
) -> Result<Vec<Message>, Failure> {
    let (kinds, keys): (Vec<_>, Vec<_>) = topics.iter().map(|topic| (topic.kind.clone(), topic.key.clone())).unzip();
    let limit = i64::try_from(MOST_MISSED).unwrap_or(i64::MAX);
    let events = events::after_about(backend, after, &kinds, &keys, limit + 1).await?;
    if events.len() > MOST_MISSED {
        return Ok(vec![reset(place)]);
    }
    let missed = events.iter().filter(|(at, _)| *at <= place);
    Ok(missed.filter_map(|(at, event)| message(*at, event, event.actor_id == Some(actor.id))).collect())
}

/// Too much was missed to tell it: whoever loads the page again has it up to this place.
fn reset(place: Position) -> Message {
    Message::default().event("reset").id(place.to_string()).data("{}")
}

/// This reader is not to come back.
fn bye() -> Message {
    Message::default().event("bye").data("{}")
}

/// How much of the reader's inbox is new, and a mark by which a page knows whether there is other news than it was told
/// of. Texts: the page shows the number as it is.
fn unread(Unread { count, mark }: Unread) -> Message {
    Message::default().event("inbox").data(format!("{{\"unread\":\"{count}\",\"mark\":\"{mark}\"}}"))
}

/// What a reader is told of an event.
#[derive(Debug, Serialize)]
struct Told<'a> {
    kind: &'a str,
    key: &'a str,
    verb: &'a str,
    /// Who did it, by name; null: the product itself.
    actor: Option<&'a str>,
    /// Whether the reader did it.
    own: bool,
    ids: Ids<'a>,
}

/// Names of parts that the event is about.
#[derive(Debug, Serialize)]
struct Ids<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

/// An event as a message; nothing of it but names. `None` never happens: these types have a JSON form.
fn message(at: Position, event: &Event, own: bool) -> Option<Message> {
    let of = |name: &str| event.after.as_ref().or(event.before.as_ref()).and_then(|state| state.get(name));
    let ids = Ids {
        thread: of("thread").and_then(|id| id.as_str()),
        comment: of("comment").and_then(|id| id.as_str()),
        revision: of("revision").and_then(serde_json::Value::as_i64),
    };
    let told = Told {
        kind: &event.subject_kind,
        key: &event.subject_key,
        verb: &event.verb,
        actor: event.actor_name.as_deref(),
        own,
        ids,
    };
    Message::default().id(at.to_string()).json_data(told).ok()
}

fn topics(asked: &str) -> Result<Vec<Topic>, Refusal> {
    let mut topics = Vec::new();
    for topic in asked.split(',') {
        let topic = Topic::parse(topic)?;
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    if topics.len() > MOST_TOPICS {
        return Err(Refusal::field("topics", format!("A page listens to at most {MOST_TOPICS} topics.")));
    }
    Ok(topics)
}

/// Whoever is signed in on this browser.
async fn signed_in(backend: &Backend, session: &Session) -> Result<Actor, Failure> {
    let person = session.get::<i64>(PERSON).await.map_err(|error| {
        tracing::error!(%error, "cannot find out who is signed in");
        Refusal::Busy { retry_after_seconds: 2 }
    })?;
    let person = person.ok_or(Refusal::SignInNeeded)?;
    Ok(accounts::actor_of(backend, person).await?.ok_or(Refusal::SignInNeeded)?)
}

/// Reading changes nothing, so the cross-site layer lets it pass; but nobody else's page may hold our connections open.
fn is_from_us(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        Some(site) => site == "same-origin" || site == "none",
        None => text("origin").is_none_or(|from| from == origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_programs_listen() {
        let ours = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_from_us(&headers.collect(), "https://plumbline.example")
        };
        assert!(ours(&[]));
        assert!(ours(&[("origin", "https://plumbline.example")]));
        // Reached by another name, as a developer does.
        assert!(ours(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:3000")]));
        assert!(!ours(&[("origin", "https://evil.example")]));
        assert!(!ours(&[("origin", "null")]));
        assert!(!ours(&[("sec-fetch-site", "cross-site")]));
        assert!(!ours(&[("sec-fetch-site", "same-site"), ("origin", "https://other.plumbline.example")]));
    }

    #[test]
    fn topics_are_few_and_each_counts_once() {
        assert_eq!(topics("rfc:1,rfc:1,inbox").map(|topics| topics.len()), Ok(2));
        let many: Vec<_> = (0..11).map(|number| format!("rfc:{number}")).collect();
        assert!(topics(&many.join(",")).is_err());
        assert!(topics("").is_err());
    }
}
