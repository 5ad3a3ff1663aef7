//! What the reader of an RFC asked the page for: which revision, and what is open on it. All of it stands in the
//! address, so that every state can be linked to and works without JavaScript.

use backend::rfcs::comments::EarlierText;
use backend::rfcs::threads::Thread;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::api;
use crate::error::AppError;
use crate::session;
use crate::ui::Hidden;
use crate::urls;

/// The number in the address; what is no number is no RFC.
pub(super) fn number() -> Result<i64, AppError> {
    let number = use_params_map().read_untracked().get("number").and_then(|number| number.parse().ok());
    number.ok_or_else(|| domain::Refusal::not_found("RFC").into())
}

/// The page's address, taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The revision to read; nonsense is a revision that does not exist.
    pub(super) revision: Option<i64>,
    /// The byte range to comment on.
    pub(super) range: Option<(usize, usize)>,
    /// The comment to change.
    pub(super) edit: String,
    /// The comment whose earlier texts are shown.
    pub(super) history: String,
    /// The thread to put in its place.
    pub(super) attach: String,
}

impl Asked {
    /// Reads the address. A refused form for a comment asks for its range again, and for the revision it is a range of:
    /// meanwhile there may be a newer one.
    pub(super) fn read() -> Self {
        let query = use_query_map();
        let query = query.read_untracked();
        let word = |name: &str| query.get(name).unwrap_or_default();
        let echo = session::use_visit().and_then(|visit| visit.echo);
        let refused = echo.filter(|echo| echo.is_for(api::OpenThread::PATH, Some("text")));
        let sent = |name: &str| refused.as_ref().and_then(|echo| echo.value(name)).or_else(|| query.get(name));
        let offset = |name: &str| -> Option<usize> { sent(name).and_then(|offset| offset.parse().ok()) };
        Self {
            revision: sent("revision").map(|revision| revision.parse().unwrap_or(0)),
            range: offset("start").zip(offset("end")).filter(|(start, end)| start < end),
            edit: word("edit"),
            history: word("history"),
            attach: word("attach"),
        }
    }
}

/// The RFC on the screen, for everything that stands beside its text.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// Its number.
    pub(super) number: i64,
    /// The revision shown.
    pub(super) revision: i32,
    /// The newest revision.
    pub(super) newest: i32,
    /// Whether the reader may comment.
    pub(super) may_comment: bool,
    /// The name of texts in the browser's own store that are done with, when this page is the result of saving them.
    pub(super) kept: Option<String>,
    /// What the reader asked for.
    pub(super) asked: Asked,
    /// The earlier texts of the comment in [`Asked::history`].
    pub(super) history: Vec<EarlierText>,
}

impl Reading {
    /// Whether the newest revision is shown.
    pub(super) fn is_newest(&self) -> bool {
        self.revision == self.newest
    }

    /// The thread that is being put in its place, if its reader may do that here.
    pub(super) fn attaching(&self) -> Option<&str> {
        (self.may_comment && self.is_newest() && !self.asked.attach.is_empty()).then_some(&self.asked.attach)
    }

    /// Whether the form for this comment is shown instead of its text.
    pub(super) fn edits(&self, comment: &str) -> bool {
        self.asked.edit == comment
    }

    /// What the comment said before, if that is asked for.
    pub(super) fn history_of(&self, comment: &str) -> Option<&[EarlierText]> {
        (self.asked.history == comment).then_some(&self.history)
    }

    /// Whether something in the thread is open, so that it must not be folded.
    pub(super) fn is_in_use(&self, thread: &Thread) -> bool {
        let asked = |id: &str| self.edits(id) || self.asked.history == id;
        thread.comments.iter().any(|comment| asked(&comment.id))
            || crate::ui::is_refused(api::Reply::PATH, &thread.id)
            || crate::ui::is_refused(api::Reopen::PATH, &thread.id)
    }

    /// The page's address with something else open, at the same revision.
    pub(super) fn state(&self, query: &[(&str, &str)], fragment: &str) -> String {
        let revision = self.older();
        let query: Vec<_> = [("revision", revision.as_str())].into_iter().chain(query.iter().copied()).collect();
        urls::rfc_state(self.number, &query, fragment)
    }

    /// A hidden field by which a form leads back to an older revision.
    pub(super) fn shown(&self) -> Option<AnyView> {
        (!self.is_newest()).then(|| view! { <Hidden name="shown" value=self.older()/> }.into_any())
    }

    /// The revision when it is not the newest; empty otherwise.
    fn older(&self) -> String {
        if self.is_newest() { String::new() } else { self.revision.to_string() }
    }
}
