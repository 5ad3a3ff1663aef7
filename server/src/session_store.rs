//! Where tower-sessions keeps sessions: our own table, by the SHA-256 of the token, with the person beside it, so that
//! "sign out everywhere" and disabling a person are one statement. Idle and absolute lifetime are the backend's rules.

use backend::accounts::sessions::{self, Content};
use serde_json::Value;
use std::collections::HashMap;

use backend::{Backend, entropy};
use tower_sessions::SessionStore as Store;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use app::session::{ADDRESS, PERSON, USER_AGENT};

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
        let content = Content {
            person: person(record),
            data: data(record)?,
            user_agent: text(USER_AGENT),
            address: text(ADDRESS),
        };
        // 128 random bits do not collide; if they ever do, the next id does not.
        while !sessions::create(&self.0, &hash(&record.id), &content).await.map_err(failed)? {
            record.id = Id::default();
        }
        Ok(())
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

/// What is kept: everything but the id, which must not be in the table.
fn data(record: &Record) -> Result<Value> {
    let kept = record.data.iter().filter(|(key, _)| *key != READ_AS).collect::<HashMap<_, _>>();
    serde_json::to_value(kept).map_err(|error| Error::Encode(error.to_string()))
}

fn failed(error: backend::Error) -> Error {
    Error::Backend(error.to_string())
}
