//! More, on demand: disclosures, confirmations, menus. All of them work without JavaScript.

use leptos::prelude::*;

use super::form::is_refused;
use super::{Button, Form, FormActions, Glyph, Icon, Variant, present};

/// Something behind a word. Open, it stays in the page.
#[component]
pub fn Disclosure(
    /// The word.
    #[prop(into)]
    summary: String,
    /// Whether it is open from the start.
    #[prop(optional)]
    open: bool,
    /// A class of the page's own.
    #[prop(optional, into)]
    class: String,
    /// The target of links to it.
    #[prop(optional, into)]
    id: String,
    /// What is behind.
    children: Children,
) -> impl IntoView {
    view! {
        <details class=format!("disclosure {class}").trim_end().to_owned() open=open id=present(id)>
            <summary>
                <span class="disclosure-mark"><Icon glyph=Glyph::ChevronRight/></span>
                {summary}
            </summary>
            <div class="disclosure-body">{children()}</div>
        </details>
    }
}

/// Asks before it does: a button that opens the question, and in it the form that does it. Opens by itself when its form
/// was refused.
#[component]
pub fn Confirm(
    /// What the first button says.
    #[prop(into)]
    label: String,
    /// The question.
    #[prop(into)]
    title: String,
    /// What will happen, and whether it can be undone.
    #[prop(optional, into)]
    text: String,
    /// Where the form goes.
    #[prop(into)]
    action: String,
    /// Which of several forms with this action.
    #[prop(optional, into)]
    key: String,
    /// What the second button says: the verb.
    #[prop(into)]
    confirm: String,
    /// How both buttons look.
    #[prop(default = Variant::Danger)]
    variant: Variant,
    /// Lower, for rows.
    #[prop(optional)]
    small: bool,
    /// Hidden inputs and further fields.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let open = is_refused(&action, &key);
    let opener = format!("button{}{}", variant.class(), if small { " button-small" } else { "" });
    view! {
        <details class="confirm" open=open>
            <summary class=opener>{label}</summary>
            <div class="confirm-body">
                <p class="confirm-title">{title}</p>
                {(!text.is_empty()).then(|| view! { <p class="confirm-text">{text}</p> })}
                <Form action=action key=key class="form-close">
                    {children.map(|children| children())}
                    <FormActions>
                        <Button variant=variant>{confirm}</Button>
                    </FormActions>
                </Form>
            </div>
        </details>
    }
}

/// A button that opens a list of things to do: children are `<a class="menu-item">` and forms with
/// `<button class="menu-item">`. The browser's own popover: it closes by itself and with Esc.
#[component]
pub fn Menu(
    /// What the button means.
    #[prop(into)]
    label: String,
    /// Unique in the page.
    #[prop(into)]
    id: String,
    /// Drawn on the button.
    #[prop(default = Glyph::Dots)]
    icon: Glyph,
    /// The things.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="button button-quiet button-small button-icon menu-button"
            popovertarget=id.clone()
            aria-label=label.clone()
            title=label
        >
            <Icon glyph=icon/>
        </button>
        <div class="menu menu-anchored" id=id popover="auto">
            {children()}
        </div>
    }
}
