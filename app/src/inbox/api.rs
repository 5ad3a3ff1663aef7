//! Server functions about one's own inbox.

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session,
    crate::ui::Done,
    crate::urls,
    backend::notices::inbox::{self, Change, Until},
    domain::Refusal,
    domain::notice::Later,
};

/// Does something with an item: `to` is `read`, `unread`, `done`, `open`, `tomorrow` or `next_week`. `seen` is the newest
/// notice that the page showed of it, `back` the list that it was on.
#[server(prefix = "/do", endpoint = "inbox/change")]
pub async fn change_item(item: String, to: String, seen: Option<String>, back: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let (change, done) = match to.as_str() {
        "read" => (Change::Read, Done::MarkedRead),
        "unread" => (Change::Unread, Done::MarkedUnread),
        "done" => (Change::Done, Done::MarkedDone),
        "open" => (Change::Reopen, Done::BackInInbox),
        other => {
            let later = Later::parse(other).ok_or_else(|| Refusal::field("to", "Choose what to do with it."))?;
            (Change::Later(Until::Morning(later)), Done::PutOff)
        }
    };
    inbox::change(&backend, &actor, &item, change, number(seen)).await?;
    session::done(&back.unwrap_or_else(urls::inbox), done);
    Ok(())
}

/// Marks everything as read, up to the newest notice that the page showed.
#[server(prefix = "/do", endpoint = "inbox/read-all")]
pub async fn read_all(seen: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    inbox::read_all(&backend, &actor, number(seen)).await?;
    session::done(&urls::inbox(), Done::AllRead);
    Ok(())
}

/// A number that the page itself wrote; nothing when there was nothing on it.
#[cfg(feature = "ssr")]
fn number(seen: Option<String>) -> Option<i64> {
    seen?.parse().ok()
}
