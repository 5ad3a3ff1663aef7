//! Buttons, and links that look like them.

use leptos::prelude::*;

use super::{Glyph, Icon, present};

/// How much a button asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// The one thing this page or form is for.
    Primary,
    /// Everything else.
    #[default]
    Secondary,
    /// In a row or a card, where a border would be noise.
    Quiet,
    /// Deletes, disables, withdraws.
    Danger,
}

impl Variant {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Primary => " button-primary",
            Self::Secondary => "",
            Self::Quiet => " button-quiet",
            Self::Danger => " button-danger",
        }
    }
}

/// A link when it has an `href`, else a submit button.
///
/// What a person may not do is not hidden: with a `disabled_reason` the button is there, does nothing, and says why.
#[component]
pub fn Button(
    /// How much it asks for.
    #[prop(optional)]
    variant: Variant,
    /// Where the link leads; absent for a submit button.
    #[prop(optional, into)]
    href: String,
    /// The name sent with the form.
    #[prop(optional, into)]
    name: String,
    /// The value sent with the form.
    #[prop(optional, into)]
    value: String,
    /// Sends the form somewhere else than its own action.
    #[prop(optional, into)]
    formaction: String,
    /// Sends the form as it is, whatever is still missing.
    #[prop(optional)]
    novalidate: bool,
    /// Lower, for rows and cards.
    #[prop(optional)]
    small: bool,
    /// Drawn before the words.
    #[prop(optional)]
    icon: Glyph,
    /// What an icon without words means.
    #[prop(optional, into)]
    label: String,
    /// Why it cannot be used now, in a sentence that names who may or what is missing.
    #[prop(optional, into)]
    disabled_reason: String,
    /// The words.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let wordless = children.is_none();
    let class = format!(
        "button{}{}{}",
        variant.class(),
        if small { " button-small" } else { "" },
        if wordless { " button-icon" } else { "" },
    );
    let words = children.map(|children| children());
    let title = (wordless && !label.is_empty()).then(|| label.clone());
    let label = present(label);
    if !disabled_reason.is_empty() {
        return view! {
            <span class="button-blocked">
                <button type="button" class=class aria-disabled="true" aria-label=label>
                    <Icon glyph=icon/>
                    {words}
                    <span class="visually-hidden">" (not possible now: "{disabled_reason.clone()}")"</span>
                </button>
                <span class="button-reason" aria-hidden="true">{disabled_reason}</span>
            </span>
        }
        .into_any();
    }
    if href.is_empty() {
        view! {
            <button
                type="submit"
                class=class
                name=present(name)
                value=present(value)
                formaction=present(formaction)
                formnovalidate=novalidate
                aria-label=label
                title=title
            >
                <Icon glyph=icon/>
                {words}
            </button>
        }
        .into_any()
    } else {
        view! {
            <a class=class href=href aria-label=label title=title>
                <Icon glyph=icon/>
                {words}
            </a>
        }
        .into_any()
    }
}
