//! Where tower-sessions keeps sessions: our own table, by the SHA-256 of the token, with the person beside it, so that
//! "sign out everywhere" and disabling a person are one statement. Idle and absolute lifetime are the backend's rules.

use std::cell::Cell;
use std::collections::HashMap;

use app::session::{ADDRESS, BUSY, PASSWORD, PERSON, USER_AGENT};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use backend::accounts::sessions::{self, Begun, Content, SignedIn};
use backend::{Backend, entropy};
use domain::Refusal;
use serde_json::Value;
use tower_sessions::SessionStore as Store;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use crate::middleware::answer::Answer;

/// The key under which a session remembers, while a request lasts, the id it was read with.
const READ_AS: &str = "read_as";

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct SessionStore(pub Backend);

impl std::fmt::Debug for SessionStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SessionStore")
    }
}

#[async_trait::async_trait]
impl Store for SessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let text = |key: &str| record.data.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let mut content = Content {
            person: signed_in(record),
            data: data(record)?,
            user_agent: text(USER_AGENT),
            address: text(ADDRESS),
        };
        loop {
            match sessions::create(&self.0, &hash(&record.id), &content).await.map_err(failed)? {
                Begun::Yes => return Ok(()),
                // 128 random bits do not collide; if they ever do, the next id does not.
                Begun::TokenTaken => record.id = Id::default(),
                // Whoever was kept out at this very moment is signed in nowhere.
                Begun::NoLongerAllowed => {
                    record.data.remove(PERSON);
                    (content.person, content.data) = (None, data(record)?);
                }
            }
        }
    }

    /// A session under a new id (the old one was cycled away) is new; one that was read and is gone meanwhile has been
    /// ended, and stays so.
    async fn save(&self, record: &Record) -> Result<()> {
        let saved = sessions::save(&self.0, &hash(&record.id), person(record), &data(record)?).await.map_err(failed)?;
        let ended = record.data.get(READ_AS).and_then(|id| id.as_str()) == Some(record.id.to_string().as_str());
        if saved || ended { Ok(()) } else { self.create(&mut record.clone()).await }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(row) = sessions::load(&self.0, &hash(id)).await.map_err(failed)? else { return Ok(None) };
        let mut data: HashMap<String, Value> =
            serde_json::from_value(row.data).map_err(|error| Error::Decode(error.to_string()))?;
        data.insert(READ_AS.to_owned(), id.to_string().into());
        let expiry_date = OffsetDateTime::from_unix_timestamp(row.expires_at.as_second())
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sessions::delete(&self.0, &hash(id)).await.map_err(failed)
    }
}

/// What the table keeps of a session's id.
pub fn hash(id: &Id) -> [u8; 32] {
    entropy::hash_bytes(&id.0.to_le_bytes())
}

fn person(record: &Record) -> Option<i64> {
    record.data.get(PERSON).and_then(Value::as_i64)
}

fn signed_in(record: &Record) -> Option<SignedIn> {
    let password = record.data.get(PASSWORD).and_then(|hash| serde_json::from_value(hash.clone()).ok());
    person(record).map(|person| SignedIn { person, password })
}

/// What is kept: everything but the id, which must not be in the table, and what only the beginning asks for.
fn data(record: &Record) -> Result<Value> {
    let kept = record.data.iter().filter(|(key, _)| *key != READ_AS && *key != PASSWORD).collect::<HashMap<_, _>>();
    serde_json::to_value(kept).map_err(|error| Error::Encode(error.to_string()))
}

tokio::task_local! {
    /// Was the database too busy for the session of the request at hand?
    static TOO_BUSY: Cell<bool>;
}

/// The error names what it is about in one word when time mends it: [`BUSY`].
fn failed(error: backend::Error) -> Error {
    if !matches!(error, backend::Error::Refused(Refusal::Busy { .. })) {
        return Error::Backend(error.to_string());
    }
    // Not set for what runs as a task of its own; that reads the error itself.
    let _ = TOO_BUSY.try_with(|busy| busy.set(true));
    Error::Backend(BUSY.to_owned())
}

/// Middleware around the session layer, which answers an empty 500 when a session cannot be saved: gives it words, and
/// says 503 when the database is only busy.
pub async fn answer_unsaved(request: Request, next: Next) -> Response {
    let answer = Answer::to(&request);
    let answered = async { (next.run(request).await, TOO_BUSY.with(Cell::get)) };
    let (response, busy) = TOO_BUSY.scope(Cell::new(false), answered).await;
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR || response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    if busy {
        let busy = answer.with(StatusCode::SERVICE_UNAVAILABLE, "Too busy", "Please try again in a few seconds.");
        return ([(header::RETRY_AFTER, "2")], busy).into_response();
    }
    let detail = "Something went wrong on our side. If it happens again, report the request's id.";
    answer.with(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", detail)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt as _;
    use tower_sessions::{Session, SessionManagerLayer};

    use super::*;

    #[tokio::test]
    async fn a_session_that_cannot_be_kept_is_a_503_that_says_so() {
        let backend = backend::testing::backend().await.backend;
        let app = Router::new()
            .route(
                "/",
                get(|session: Session| async move { session.insert("colour", "red").await.is_ok().to_string() }),
            )
            .layer(SessionManagerLayer::new(SessionStore(backend.clone())))
            .layer(middleware::from_fn(answer_unsaved));
        let ask = async || {
            let response = app.clone().oneshot(Request::new(Body::empty())).await.unwrap();
            let (parts, body) = response.into_parts();
            (parts, String::from_utf8(to_bytes(body, 10_000).await.unwrap().to_vec()).unwrap())
        };
        let (parts, body) = ask().await;
        assert_eq!((parts.status, body.as_str()), (StatusCode::OK, "true"));
        backend.pool().close().await;
        let (parts, body) = ask().await;
        assert_eq!(parts.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(parts.headers[header::RETRY_AFTER], "2");
        assert!(body.contains("Too busy"), "{body}");
    }
}
