//! One page of a list: how many rows, and where the next page starts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Refusal, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Rows: 1–200, default 50, more is cut to 200.
    pub limit: Option<i64>,
    /// Where the page before ended, as that page said.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// How many rows to show.
    pub fn rows(&self) -> Result<i64> {
        match self.limit {
            None => Ok(limits::PAGE_ROWS),
            Some(limit) if limit < 1 => Err(Refusal::field("limit", "limit is 1 to 200.").into()),
            Some(limit) => Ok(limit.min(limits::PAGE_ROWS_MAX)),
        }
    }

    /// The sort key of the last row of the page before.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Some)
            .ok_or_else(|| Refusal::field("cursor", "This cursor is not one that a list gave; start without.").into())
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Ask for the next page with this; null at the end. Characters `[A-Za-z0-9_-]`.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `rows` of `items`, of which one more than `rows` was read to know whether there is a next page.
    pub fn new<K: Serialize>(mut items: Vec<T>, rows: i64, key: impl FnOnce(&T) -> K) -> Result<Self> {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let more = items.len() > rows;
        items.truncate(rows);
        let cursor = items.last().filter(|_| more).map(key);
        Self::ending(items, cursor)
    }

    /// A page of `items` that ends at `cursor` when there is a next one.
    pub fn ending<K: Serialize>(items: Vec<T>, cursor: Option<K>) -> Result<Self> {
        let next_cursor = cursor.map(|key| Ok::<_, crate::Error>(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&key)?)));
        Ok(Self { items, next_cursor: next_cursor.transpose()? })
    }

    /// The same page of something else.
    pub fn try_map<U>(self, with: impl FnMut(T) -> Result<U>) -> Result<Page<U>> {
        let items = self.items.into_iter().map(with).collect::<Result<_>>()?;
        Ok(Page { items, next_cursor: self.next_cursor })
    }
}
