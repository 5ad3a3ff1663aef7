//! Forms that post to a server function: they come back with what was typed and what was wrong, and take effect once.

use std::fmt::Write as _;
use std::sync::Arc;

use backend::entropy;
use domain::Refusal;
use leptos::context::Provider;
use leptos::prelude::*;

use super::{Glyph, Icon, present};
use crate::error::{AppError, WHOLE_FORM};
use crate::form_echo::{FormEcho, KEY, ONCE, PAGE, in_text_area};
use crate::session::{of_visit, use_visit};

/// The form around a field. Fields find it in the context.
#[derive(Debug, Clone, Default)]
pub(super) struct FormScope {
    /// Begins the id of every field, so that ids are unique in the page.
    prefix: String,
    /// What was sent, if this form was just refused.
    pub(super) echo: Option<Arc<FormEcho>>,
}

impl FormScope {
    /// The form around the component being rendered.
    pub(super) fn current() -> Self {
        let scope = use_context();
        debug_assert!(scope.is_some(), "a field was made before the form it stands in: make it inside <Form>");
        scope.unwrap_or_default()
    }

    /// The id of a field.
    pub(super) fn id(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}-{name}", self.prefix) }
    }

    /// What is wrong with a field.
    pub(super) fn message(&self, name: &str) -> Option<String> {
        self.echo.as_ref()?.message(name)
    }
}

/// A form's key as a part of ids: those have no blanks. Two keys never become the same.
fn id_of(key: &str) -> String {
    let mut id = String::with_capacity(key.len());
    for letter in key.chars() {
        if letter.is_alphanumeric() || matches!(letter, '-' | '.' | '@') {
            id.push(letter);
        } else {
            _ = write!(id, "_{:x}_", u32::from(letter));
        }
    }
    id
}

/// The echo of the form with this action and key (empty: the only one with this action), if it was just refused.
fn echo_of(action: &str, key: &str) -> Option<Arc<FormEcho>> {
    let key = (!key.is_empty()).then_some(key);
    of_visit(|visit| visit.echo.clone().filter(|echo| echo.is_for(action, key)))?
}

/// Whether the form with this action and key was just refused: opens the `<details>` around it.
pub fn is_refused(action: &str, key: &str) -> bool {
    echo_of(action, key).is_some()
}

/// Whether the form with this action was just refused and one of its fields was complained about or filled in: shows a
/// field that is needed seldom.
pub fn is_field_refused(action: &str, field: &str) -> bool {
    echo_of(action, "")
        .is_some_and(|echo| echo.message(field).is_some() || echo.value(field).is_some_and(|value| !value.is_empty()))
}

/// A form. Posts to `action`; refused, the page comes back with what was wrong on top, focused, and every
/// [`super::Field`] in it with what was typed and its own message.
#[component]
pub fn Form(
    /// The server function's address.
    #[prop(into)]
    action: String,
    /// Tells several forms with the same action on one page apart, for example by the thread's id.
    #[prop(optional, into)]
    key: String,
    /// Classes beside `form`: `form-close`, `form-inline`.
    #[prop(optional, into)]
    class: String,
    /// The target of links to it.
    #[prop(optional, into)]
    id: String,
    /// Has a file in it.
    #[prop(optional)]
    multipart: bool,
    /// Fields and [`FormActions`].
    children: Children,
) -> impl IntoView {
    let echo = echo_of(&action, &key);
    let mut prefix = action.rsplit('/').next().unwrap_or_default().replace('_', "-");
    if !key.is_empty() {
        prefix = format!("{prefix}-{}", id_of(&key));
    }
    let scope = FormScope { prefix, echo: echo.clone() };
    let page = of_visit(|visit| visit.echo.is_some().then(|| visit.path.clone())).flatten();
    let sent = echo.as_ref().and_then(|echo| echo.value(ONCE));
    let once = sent.or_else(|| of_visit(|visit| entropy::secret(visit.backend.entropy())));
    let summary = echo.filter(|echo| echo.error != AppError::Preview).map(|echo| summary(&echo.error, &scope));
    view! {
        <form
            method="post"
            action=action
            enctype=multipart.then_some("multipart/form-data")
            class=format!("form {class}").trim_end().to_owned()
            id=present(id)
        >
            {once.map(|once| view! { <input type="hidden" name=ONCE value=once/> })}
            {page.map(|page| view! { <input type="hidden" name=PAGE value=page/> })}
            {present(key).map(|key| view! { <input type="hidden" name=KEY value=key/> })}
            {summary}
            <Provider value=scope>{children()}</Provider>
        </form>
    }
}

/// The row of buttons at the end of a form.
#[component]
pub fn FormActions(
    /// The buttons, the primary one first.
    children: Children,
) -> impl IntoView {
    view! { <div class="form-actions">{children()}</div> }
}

/// What is wrong with a form, each sentence leading to its field. Focused, so that it is read aloud first.
fn summary(error: &AppError, scope: &FormScope) -> impl IntoView + use<> {
    let said = match error.refusal() {
        Some(Refusal::Invalid { fields }) => {
            let items = fields.iter().map(|wrong| {
                let message = wrong.message.clone();
                if wrong.field == WHOLE_FORM {
                    return view! { <li>{message}</li> }.into_any();
                }
                let href = format!("#{}", scope.id(&wrong.field));
                view! { <li><a href=href>{message}</a></li> }.into_any()
            });
            let title = if fields.len() == 1 {
                "One thing to mend; nothing was saved yet:".to_owned()
            } else {
                format!("{} things to mend; nothing was saved yet:", fields.len())
            };
            view! {
                <p>{title}</p>
                <ul>{items.collect_view()}</ul>
            }
            .into_any()
        }
        Some(Refusal::Stale { .. }) => {
            let here = use_visit().map(|visit| visit.path);
            view! {
                <p>
                    "Somebody else changed this while you wrote, so nothing was saved. "
                    <a href=here target="_blank" rel="noopener">"Open it as it is now (in a new tab)"</a>
                    " and make your change there; what you wrote stays here to copy from."
                </p>
            }
            .into_any()
        }
        _ => view! { <p>{error.to_string()}</p> }.into_any(),
    };
    view! {
        <div class="form-errors" role="alert" tabindex="-1" autofocus=true>
            <Icon glyph=Glyph::Alert/>
            {said}
        </div>
    }
}

/// A refused form that the page has no place for any more (its thread is gone, say): why, and the texts that were sent.
/// Stands at the top of every page; hidden by the style sheet where the form itself is shown with its errors.
#[component]
pub fn FormFallback() -> impl IntoView {
    use_visit().and_then(|visit| visit.echo).filter(|echo| echo.error != AppError::Preview).map(|echo| {
        let texts = echo.texts().into_iter().enumerate().map(|(number, (label, text))| {
            let id = format!("kept-{number}");
            view! {
                <div class="field">
                    <label class="field-label" for=id.clone()>"What you wrote: " {label}</label>
                    <textarea class="input" id=id readonly=true>{in_text_area(text)}</textarea>
                </div>
            }
        });
        view! {
            <div class="form-fallback notice tone-bad" role="alert">
                <Icon glyph=Glyph::Alert/>
                <div class="notice-body">
                    <p>{echo.error.to_string()}</p>
                    {texts.collect_view()}
                </div>
            </div>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_begin_with_their_form() {
        let scope = FormScope { prefix: "reply-17".into(), echo: None };
        assert_eq!(scope.id("body"), "reply-17-body");
        assert_eq!(FormScope::default().id("q"), "q");
        assert_eq!(id_of("harbour wi-fi 2.0"), "harbour_20_wi-fi_20_2.0");
        assert_ne!(id_of("a_20_b"), id_of("a b"));
    }
}
