//! Server functions about follow-ups.

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session,
    crate::ui::Done,
    crate::urls,
    backend::Expected,
    backend::follow_ups::write::{self, Change, NewFollowUp, SourceInput},
    domain::follow_up::SourceKind,
};

/// Makes a follow-up. `incident` is the key of the one it comes from; `back` the page it was made on.
#[server(prefix = "/do", endpoint = "follow-ups/create")]
pub async fn create(
    title: String,
    owner: String,
    due: String,
    incident: Option<String>,
    back: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let new = NewFollowUp { title, owner, due, source: incident.and_then(of_incident) };
    let made = write::create(&backend, &actor, new).await.map_err(in_form)?;
    session::done(&back.unwrap_or_else(|| urls::follow_up(made.id)), Done::FollowUpMade);
    Ok(())
}

/// It is done.
#[server(prefix = "/do", endpoint = "follow-ups/finish")]
pub async fn finish(follow_up: String, note: Option<String>, back: Option<String>) -> Result<(), AppError> {
    close(&follow_up, "done", note, back, Done::FollowUpDone).await
}

/// It is not to be done any more, for the reason in the note.
#[server(prefix = "/do", endpoint = "follow-ups/drop")]
pub async fn abandon(follow_up: String, note: Option<String>, back: Option<String>) -> Result<(), AppError> {
    close(&follow_up, "dropped", note, back, Done::FollowUpDropped).await
}

/// It is to be done after all.
#[server(prefix = "/do", endpoint = "follow-ups/reopen")]
pub async fn reopen(follow_up: String) -> Result<(), AppError> {
    close(&follow_up, "open", None, None, Done::FollowUpReopened).await
}

/// Somebody else does it. `version` is the one the form was made from.
#[server(prefix = "/do", endpoint = "follow-ups/hand-on")]
pub async fn hand_on(follow_up: String, version: i64, owner: String) -> Result<(), AppError> {
    let change = Change { owner: Some(owner), ..Change::default() };
    edit(&follow_up, Expected::Version(version), change, None, Done::HandedOn).await
}

/// It is due on another day.
#[server(prefix = "/do", endpoint = "follow-ups/move")]
pub async fn move_day(follow_up: String, version: i64, due: String) -> Result<(), AppError> {
    let change = Change { due: Some(due), ..Change::default() };
    edit(&follow_up, Expected::Version(version), change, None, Done::Moved).await
}

/// Says anew what is to be done and what it comes from; an empty `incident` is none.
#[server(prefix = "/do", endpoint = "follow-ups/edit")]
pub async fn amend(follow_up: String, version: i64, title: String, incident: Option<String>) -> Result<(), AppError> {
    let source = Some(incident.and_then(of_incident));
    let change = Change { title: Some(title), source, ..Change::default() };
    edit(&follow_up, Expected::Version(version), change, None, Done::Saved).await
}

#[cfg(feature = "ssr")]
async fn close(id: &str, state: &str, note: Option<String>, back: Option<String>, done: Done) -> Result<(), AppError> {
    let change = Change { state: Some(state.to_owned()), note, ..Change::default() };
    // Whatever was changed meanwhile: it is done, or not to be done.
    edit(id, Expected::Any, change, back, done).await
}

#[cfg(feature = "ssr")]
async fn edit(id: &str, expected: Expected, change: Change, back: Option<String>, done: Done) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let follow_up = write::change(&backend, &actor, id, expected, change).await.map_err(in_form)?;
    session::done(&back.unwrap_or_else(|| urls::follow_up(follow_up.id)), done);
    Ok(())
}

/// The source of a key as it is typed: `12` or `#12`.
#[cfg(feature = "ssr")]
fn of_incident(key: String) -> Option<SourceInput> {
    let key = key.trim().trim_start_matches('#').to_owned();
    (!key.is_empty()).then(|| SourceInput { kind: SourceKind::Incident.as_str().to_owned(), key })
}

/// The form has one field for the source.
#[cfg(feature = "ssr")]
fn in_form(error: backend::Error) -> AppError {
    let mut error = AppError::from(error);
    if let AppError::Refused { refusal: domain::Refusal::Invalid { fields } } = &mut error {
        for wrong in fields.iter_mut().filter(|wrong| wrong.field.starts_with("source")) {
            "incident".clone_into(&mut wrong.field);
        }
    }
    error
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::ui::{CREATE_FOLLOW_UP, FINISH_FOLLOW_UP};
    use leptos::server_fn::ServerFn as _;

    #[test]
    fn the_forms_of_other_slices_lead_here() {
        assert_eq!((Create::PATH, Finish::PATH), (CREATE_FOLLOW_UP, FINISH_FOLLOW_UP));
    }

    #[test]
    fn an_incident_is_named_by_its_number() {
        assert_eq!(of_incident(" #12 ".into()).unwrap().key, "12");
        assert_eq!(of_incident(" ".into()), None);
    }
}
