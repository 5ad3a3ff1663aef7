//! Labelled controls. Inside a refused [`super::Form`] they show what was typed and what is wrong with it.

use leptos::prelude::*;

use super::form::FormScope;
use super::{Glyph, Icon, present};
use crate::form_echo::in_text_area;

/// What a one-line field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldKind {
    /// A line of text.
    #[default]
    Text,
    /// An e-mail address.
    Email,
    /// A password; never filled in again.
    Password,
    /// Words to look for.
    Search,
    /// A web address.
    Url,
    /// A number.
    Number,
    /// A day.
    Date,
}

impl FieldKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Password => "password",
            Self::Search => "search",
            Self::Url => "url",
            Self::Number => "number",
            Self::Date => "date",
        }
    }
}

/// One of several values to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    value: String,
    label: String,
    hint: String,
}

impl Choice {
    /// A value and the words for it.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: String::new() }
    }

    /// A line under the words; only [`Radios`] show it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// What a control and the lines around it have in common.
struct Parts {
    id: String,
    message: Option<String>,
    hint: String,
    scope: FormScope,
}

impl Parts {
    fn new(name: &str, hint: String) -> Self {
        let scope = FormScope::current();
        Self { id: scope.id(name), message: scope.message(name), hint, scope }
    }

    /// What was typed last, else `value`.
    fn value(&self, name: &str, value: String) -> String {
        self.scope.echo.as_ref().and_then(|echo| echo.value(name)).unwrap_or(value)
    }

    fn invalid(&self) -> Option<&'static str> {
        self.message.as_ref().map(|_| "true")
    }

    /// The ids of the lines that describe the control.
    fn described_by(&self) -> Option<String> {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.id));
        let message = self.message.as_ref().map(|_| format!("{}-message", self.id));
        present(hint.into_iter().chain(message).collect::<Vec<_>>().join(" "))
    }

    fn hint_line(&self) -> impl IntoView + use<> {
        present(self.hint.clone()).map(|hint| view! { <p class="field-hint" id=format!("{}-hint", self.id)>{hint}</p> })
    }

    fn message_line(&self) -> impl IntoView + use<> {
        self.message.clone().map(|message| {
            view! {
                <p class="field-message" id=format!("{}-message", self.id)>
                    <Icon glyph=Glyph::Alert/>
                    {message}
                </p>
            }
        })
    }

    fn label_line(&self, label: String, optional: bool, hide: bool) -> impl IntoView + use<> {
        view! {
            <label class=if hide { "visually-hidden" } else { "field-label" } for=self.id.clone()>
                {label}
                {optional.then(|| view! { <span class="field-optional">"optional"</span> })}
            </label>
        }
    }
}

/// A line of text.
#[component]
pub fn Field(
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What stands in it at first.
    #[prop(optional, into)]
    value: String,
    /// How to fill it in, and its limit.
    #[prop(optional, into)]
    hint: String,
    /// What it takes.
    #[prop(optional)]
    kind: FieldKind,
    /// The browser's own word for it, for example `email` or `current-password`.
    #[prop(optional, into)]
    autocomplete: String,
    /// May not stay empty.
    #[prop(optional)]
    required: bool,
    /// Says "optional" beside the label, where most fields are required.
    #[prop(optional)]
    optional: bool,
    /// Shown and sent, not to be changed.
    #[prop(optional)]
    readonly: bool,
    /// The most characters it takes.
    #[prop(optional, into)]
    max_chars: Option<usize>,
    /// An example, in grey.
    #[prop(optional, into)]
    placeholder: String,
    /// Keeps the label for screen readers only.
    #[prop(optional)]
    hide_label: bool,
    /// The id of a `<datalist>` with suggestions.
    #[prop(optional, into)]
    list: String,
    /// The first thing to fill in on this page.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let parts = Parts::new(&name, with_limit(hint, max_chars));
    let value = if kind == FieldKind::Password { String::new() } else { parts.value(&name, value) };
    // Words about people and addresses must not be corrected or capitalised by a phone.
    let exact = matches!(kind, FieldKind::Email | FieldKind::Password | FieldKind::Url);
    view! {
        <div class="field">
            {parts.label_line(label, optional, hide_label)}
            {parts.hint_line()}
            <input
                class="input"
                type=kind.as_str()
                id=parts.id.clone()
                name=name
                value=value
                autocomplete=present(autocomplete)
                required=required
                readonly=readonly
                maxlength=max_chars
                placeholder=present(placeholder)
                list=present(list)
                autofocus=autofocus && parts.scope.echo.is_none()
                dir=(kind == FieldKind::Text).then_some("auto")
                autocapitalize=exact.then_some("none")
                spellcheck=exact.then_some("false")
                aria-invalid=parts.invalid()
                aria-describedby=parts.described_by()
            />
            {parts.message_line()}
        </div>
    }
}

/// The hint, and how long the text may be.
fn with_limit(hint: String, max_chars: Option<usize>) -> String {
    match max_chars {
        None => hint,
        Some(max) if hint.is_empty() => format!("At most {max} characters."),
        Some(max) => format!("{hint} At most {max} characters."),
    }
}

/// Several lines of text; grows with them.
#[component]
pub fn TextArea(
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What stands in it at first.
    #[prop(optional, into)]
    value: String,
    /// How to fill it in, and its limit.
    #[prop(optional, into)]
    hint: String,
    /// Lines shown at least.
    #[prop(default = 4)]
    rows: u16,
    /// For source: letters of one width.
    #[prop(optional)]
    mono: bool,
    /// May not stay empty.
    #[prop(optional)]
    required: bool,
    /// Says "optional" beside the label.
    #[prop(optional)]
    optional: bool,
    /// An example, in grey.
    #[prop(optional, into)]
    placeholder: String,
    /// Keeps the label for screen readers only.
    #[prop(optional)]
    hide_label: bool,
    /// The first thing to fill in on this page.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let parts = Parts::new(&name, hint);
    let value = parts.value(&name, value);
    let value = in_text_area(&value);
    view! {
        <div class="field">
            {parts.label_line(label, optional, hide_label)}
            {parts.hint_line()}
            <textarea
                class=if mono { "input mono" } else { "input" }
                id=parts.id.clone()
                name=name
                rows=rows
                required=required
                placeholder=present(placeholder)
                autofocus=autofocus && parts.scope.echo.is_none()
                dir="auto"
                spellcheck=mono.then_some("false")
                aria-invalid=parts.invalid()
                aria-describedby=parts.described_by()
            >
                {value}
            </textarea>
            {parts.message_line()}
        </div>
    }
}

/// One of several values, folded.
#[component]
pub fn Select(
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What to choose from.
    options: Vec<Choice>,
    /// What is chosen at first.
    #[prop(optional, into)]
    value: String,
    /// How to choose.
    #[prop(optional, into)]
    hint: String,
    /// Says "optional" beside the label.
    #[prop(optional)]
    optional: bool,
    /// Keeps the label for screen readers only.
    #[prop(optional)]
    hide_label: bool,
) -> impl IntoView {
    let parts = Parts::new(&name, hint);
    let chosen = parts.value(&name, value);
    let options = options.into_iter().map(|choice| {
        let selected = choice.value == chosen;
        view! { <option value=choice.value selected=selected>{choice.label}</option> }
    });
    view! {
        <div class="field">
            {parts.label_line(label, optional, hide_label)}
            {parts.hint_line()}
            <div class="select">
                <select
                    class="input"
                    id=parts.id.clone()
                    name=name
                    aria-invalid=parts.invalid()
                    aria-describedby=parts.described_by()
                >
                    {options.collect_view()}
                </select>
                <Icon glyph=Glyph::ChevronDown/>
            </div>
            {parts.message_line()}
        </div>
    }
}

/// One of a few values, all in sight.
#[component]
pub fn Radios(
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What is chosen.
    #[prop(into)]
    legend: String,
    /// What to choose from.
    options: Vec<Choice>,
    /// What is chosen at first.
    #[prop(optional, into)]
    value: String,
    /// Side by side.
    #[prop(optional)]
    row: bool,
    /// Keeps the legend for screen readers only.
    #[prop(optional)]
    hide_legend: bool,
) -> impl IntoView {
    let parts = Parts::new(&name, String::new());
    let chosen = parts.value(&name, value);
    let options = options.into_iter().enumerate().map(|(place, choice)| {
        // The first one answers to the field's own id: the error summary leads there.
        let id = if place == 0 { parts.id.clone() } else { format!("{}-{place}", parts.id) };
        let described = (!choice.hint.is_empty()).then(|| format!("{id}-hint"));
        let hint = described.clone().map(|hint_id| view! { <p class="field-hint" id=hint_id>{choice.hint}</p> });
        view! {
            <div class="choice">
                <input
                    type="radio"
                    id=id.clone()
                    name=name.clone()
                    checked=choice.value == chosen
                    value=choice.value
                    aria-describedby=described
                />
                <label for=id>{choice.label}</label>
                {hint}
            </div>
        }
    });
    let options = options.collect_view();
    view! {
        <fieldset class="choices" aria-describedby=parts.described_by()>
            <legend class=hide_legend.then_some("visually-hidden")>{legend}</legend>
            <div class=if row { "choices-row" } else { "choices-column" }>{options}</div>
            {parts.message_line()}
        </fieldset>
    }
}

/// Yes or no; or, with a `value` each, several of many under one name.
#[component]
pub fn Checkbox(
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What it says.
    #[prop(into)]
    label: String,
    /// What is sent when it is ticked.
    #[prop(default = "true".into(), into)]
    value: String,
    /// Whether it is ticked at first.
    #[prop(optional)]
    checked: bool,
    /// What it means.
    #[prop(optional, into)]
    hint: String,
) -> impl IntoView {
    let parts = Parts::new(&name, String::new());
    let id = if value == "true" { parts.id.clone() } else { format!("{}-{value}", parts.id) };
    let checked = parts.scope.echo.as_ref().map_or(checked, |echo| echo.values(&name).contains(&value));
    let described = (!hint.is_empty()).then(|| format!("{id}-hint"));
    let hint = described.clone().map(|hint_id| view! { <p class="field-hint" id=hint_id>{hint}</p> });
    view! {
        <div class="choice">
            <input type="checkbox" id=id.clone() name=name value=value checked=checked aria-describedby=described/>
            <label for=id>{label}</label>
            {hint}
        </div>
    }
}

/// A file of the person's own. Browsers never fill it in again.
#[component]
pub fn FileField(
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What is expected, and its limit.
    #[prop(optional, into)]
    hint: String,
    /// The kinds of files that are offered first.
    #[prop(optional, into)]
    accept: String,
) -> impl IntoView {
    let parts = Parts::new(&name, hint);
    view! {
        <div class="field">
            {parts.label_line(label, false, false)}
            {parts.hint_line()}
            <input
                class="input"
                type="file"
                id=parts.id.clone()
                name=name
                accept=present(accept)
                required=true
                aria-invalid=parts.invalid()
                aria-describedby=parts.described_by()
            />
            {parts.message_line()}
        </div>
    }
}

/// The field with the version of an object that its form was made from.
const VERSION: &str = "version";

/// A value the person does not see.
///
/// In a refused form the `version` stays the one that was sent: what was typed was typed over that one, and must not
/// silently replace what somebody else wrote meanwhile.
#[component]
pub fn Hidden(
    /// The name it is sent under.
    #[prop(into)]
    name: String,
    /// The value.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let sent = (name == VERSION).then(FormScope::current).and_then(|scope| scope.echo?.value(VERSION));
    let value = sent.unwrap_or(value);
    view! { <input type="hidden" name=name value=value/> }
}
