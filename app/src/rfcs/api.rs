//! Server functions of this slice: what its forms post to. Each says who is asking, calls one use case, and sends the
//! browser to the page that shows the result.

#![expect(
    missing_docs,
    reason = "the macro makes a struct of each function's parameters; the functions are documented"
)]

use leptos::prelude::*;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::{session, ui::Done, urls};
#[cfg(feature = "ssr")]
use backend::rfcs::{comments, create, read, renderings, revisions, status, threads, update};
#[cfg(feature = "ssr")]
use backend::{Backend, Expected};
#[cfg(feature = "ssr")]
use domain::rfc::Status;
#[cfg(feature = "ssr")]
use domain::{Actor, Refusal, limits, text};

/// What the button of a form for a text wants: save it, publish it for review, or only see what it will look like.
#[cfg(feature = "ssr")]
pub(super) mod intent {
    /// Keep the text.
    pub const SAVE: &str = "save";
    /// Keep the text and publish the draft.
    pub const PUBLISH: &str = "publish";
    /// Show the form again with the text as readers would see it.
    pub const PREVIEW: &str = "preview";
}

/// Saves a new draft and, if that is the intent, publishes it for review.
#[server(prefix = "/do", endpoint = "rfcs/create")]
pub async fn create_rfc(
    title: String,
    kind: String,
    #[server(default)] picked: Vec<String>,
    #[server(default)] services: String,
    body: String,
    intent: String,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    if intent == intent::PREVIEW {
        return Err(AppError::Preview);
    }
    let new = create::NewRfc { title, kind, body, services: with_words(picked, &services) };
    let created = create::create(&backend, &actor, new).await?;
    let done = match publish_if(&intent, &backend, &actor, created.number).await {
        None => Done::DraftCreated,
        Some(true) => Done::CreatedAndPublished,
        Some(false) => Done::CreatedNotPublished,
    };
    session::done(&urls::rfc(created.number), done);
    Ok(())
}

/// Publishes the next revision of an RFC; of a draft, it is the next save. A draft whose text is as it was is only
/// published, if that is the intent.
#[server(prefix = "/do", endpoint = "rfcs/revise")]
pub async fn revise(
    number: i64,
    base_revision: i64,
    body: String,
    #[server(default)] summary: String,
    #[server(default)] major: bool,
    intent: String,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    if intent == intent::PREVIEW {
        return Err(AppError::Preview);
    }
    let before = read::read(&backend, &actor, number, None).await?;
    let draft = before.status == Status::Draft;
    if !is_unchanged(&before, base_revision, &body, &summary) {
        let new = revisions::NewRevision { body, summary, base_revision, major };
        revisions::publish_revision(&backend, &actor, number, new).await?;
    } else if intent != intent::PUBLISH {
        let message = format!("Nothing has changed since revision {}.", before.newest_revision);
        return Err(Refusal::field("body", message).into());
    }
    let done = if draft {
        match publish_if(&intent, &backend, &actor, number).await {
            None => Done::DraftSaved,
            Some(true) => Done::SavedAndPublished,
            Some(false) => Done::SavedNotPublished,
        }
    } else if intent == intent::PUBLISH {
        // Only a draft's form has that button: it was pressed twice, or somebody else was quicker.
        Done::SavedAndPublished
    } else {
        Done::Revised
    };
    session::done(&urls::rfc(number), done);
    Ok(())
}

/// Whether the text is the newest revision's and nothing else is said about it. Not on an older base: that is a conflict,
/// or the same form sent twice.
#[cfg(feature = "ssr")]
fn is_unchanged(rfc: &read::Rfc, base: i64, body: &str, summary: &str) -> bool {
    let newest = rfc.revisions.iter().find(|revision| revision.revision == rfc.newest_revision);
    let same_summary = newest.is_some_and(|newest| summary.trim().is_empty() || newest.summary == summary.trim());
    let body = text::body("body", "The text", body, limits::RFC_BODY_BYTES);
    base == i64::from(rfc.newest_revision) && same_summary && body.is_ok_and(|body| body == rfc.body)
}

/// Changes an RFC's title, kind, services and people. Whom it is shared with is asked by a `draft`'s form only.
#[server(prefix = "/do", endpoint = "rfcs/update")]
pub async fn update_rfc(
    number: i64,
    version: i64,
    title: String,
    kind: String,
    #[server(default)] picked: Vec<String>,
    #[server(default)] services: String,
    authors: String,
    #[server(default)] shared_with: String,
    #[server(default)] draft: bool,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let change = update::UpdateRfc {
        title: Some(title),
        kind: Some(kind),
        services: Some(with_words(picked, &services)),
        authors: Some(with_words(Vec::new(), &authors)),
        shared_with: draft.then(|| with_words(Vec::new(), &shared_with)),
    };
    update::update(&backend, &actor, number, Expected::Version(version), change).await?;
    session::done(&urls::rfc(number), Done::Saved);
    Ok(())
}

/// Publishes a draft or withdraws what was published.
#[server(prefix = "/do", endpoint = "rfcs/status")]
pub async fn change_status(number: i64, to: String, #[server(default)] reason: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let done = if to == Status::Withdrawn.as_str() { Done::Withdrawn } else { Done::Published };
    let change = status::ChangeStatus { to, reason: Some(reason) };
    status::change_status(&backend, &actor, number, change).await?;
    session::done(&urls::rfc(number), done);
    Ok(())
}

/// Deletes a draft.
#[server(prefix = "/do", endpoint = "rfcs/delete")]
pub async fn delete_draft(number: i64, version: i64) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    status::delete(&backend, &actor, number, Expected::Version(version)).await?;
    session::done(&urls::rfcs(), Done::DraftDeleted);
    Ok(())
}

/// The text as readers would see it: sanitised HTML, for the live preview.
#[server(prefix = "/do", endpoint = "rfcs/preview")]
pub async fn preview_text(body: String) -> Result<String, AppError> {
    let (_, actor) = session::signed_in()?;
    Ok(renderings::preview(&actor, &body).await?.html())
}

/// Opens a thread on a range of a revision, or without a range on the whole RFC.
#[server(prefix = "/do", endpoint = "rfcs/open-thread")]
pub async fn open_thread(
    number: i64,
    revision: i64,
    start: Option<i64>,
    end: Option<i64>,
    severity: String,
    body: String,
    shown: Option<i32>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let new = threads::NewThread { revision, start, end, body, severity };
    let opened = threads::open(&backend, &actor, number, new).await?;
    back(number, shown, Done::Commented, &format!("thread-{}", opened.id));
    Ok(())
}

/// Answers in a thread. `shown` is the revision on the screen when it is not the newest: there the browser goes back.
#[server(prefix = "/do", endpoint = "rfcs/reply")]
pub async fn reply(thread: String, body: String, shown: Option<i32>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let posted = comments::reply(&backend, &actor, &thread, &body).await?;
    back(posted.rfc, shown, Done::Replied, &format!("comment-{}", posted.id));
    Ok(())
}

/// Says that a thread is done.
#[server(prefix = "/do", endpoint = "rfcs/resolve")]
pub async fn resolve(thread: String, shown: Option<i32>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let settled = threads::resolve(&backend, &actor, &thread).await?;
    back(settled.rfc, shown, Done::Resolved, &format!("thread-{thread}"));
    Ok(())
}

/// Takes that back.
#[server(prefix = "/do", endpoint = "rfcs/reopen")]
pub async fn reopen(thread: String, shown: Option<i32>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let settled = threads::reopen(&backend, &actor, &thread).await?;
    back(settled.rfc, shown, Done::Reopened, &format!("thread-{thread}"));
    Ok(())
}

/// Says a comment in other words.
#[server(prefix = "/do", endpoint = "rfcs/edit-comment")]
pub async fn edit_comment(comment: String, version: i64, body: String, shown: Option<i32>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let posted = comments::edit(&backend, &actor, &comment, Expected::Version(version), &body).await?;
    back(posted.rfc, shown, Done::CommentEdited, &format!("comment-{comment}"));
    Ok(())
}

/// Takes a comment back.
#[server(prefix = "/do", endpoint = "rfcs/delete-comment")]
pub async fn delete_comment(comment: String, version: i64, shown: Option<i32>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let posted = comments::delete(&backend, &actor, &comment, Expected::Version(version)).await?;
    back(posted.rfc, shown, Done::CommentDeleted, &format!("thread-{}", posted.thread));
    Ok(())
}

/// Puts a thread where it belongs. `range` is `START-END`, the value of the button of the text's block.
#[server(prefix = "/do", endpoint = "rfcs/reattach")]
pub async fn reattach(number: i64, thread: String, revision: i64, range: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let (start, end) = range.split_once('-').unwrap_or_default();
    let to = threads::Reattach { revision, start: start.parse().ok(), end: end.parse().ok() };
    threads::reattach(&backend, &actor, &thread, to).await?;
    back(number, None, Done::Reattached, &format!("thread-{thread}"));
    Ok(())
}

/// Publishes a draft that was just saved, if that is the intent: a fact of its own, with an idempotency key of its own.
/// `None`: it is not; `false`: the draft is safe but could not be published, which its page offers again.
#[cfg(feature = "ssr")]
async fn publish_if(intent: &str, backend: &Backend, actor: &Actor, number: i64) -> Option<bool> {
    if intent != intent::PUBLISH {
        return None;
    }
    let change = status::ChangeStatus { to: "in_review".into(), reason: None };
    let published = status::change_status(&backend.next_step(), actor, number, change).await;
    Some(published.map_err(AppError::from).is_ok())
}

/// Sends the browser back to an RFC's page, at the revision it was reading.
#[cfg(feature = "ssr")]
fn back(number: i64, shown: Option<i32>, done: Done, fragment: &str) {
    let shown = shown.map(|revision| revision.to_string()).unwrap_or_default();
    session::done(&urls::rfc_state(number, &[("revision", &shown)], fragment), done);
}

/// What was ticked, and the words typed beside it: slugs or addresses with commas or spaces between them.
#[cfg(feature = "ssr")]
fn with_words(mut ticked: Vec<String>, typed: &str) -> Vec<String> {
    for word in typed.split(|c: char| c == ',' || c == ';' || c.is_whitespace()).filter(|word| !word.is_empty()) {
        if !ticked.iter().any(|known| known == word) {
            ticked.push(word.to_owned());
        }
    }
    ticked
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn words_are_added_once_however_they_are_separated() {
        let ticked = vec!["checkout".to_owned()];
        assert_eq!(
            with_words(ticked, " payments, checkout;ledger\nvault "),
            ["checkout", "payments", "ledger", "vault"]
        );
        assert!(with_words(Vec::new(), " , ").is_empty());
    }
}
