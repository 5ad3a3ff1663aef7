//! Values to take elsewhere, and keys to press.

use leptos::prelude::*;

use super::present;

/// A value to take elsewhere (a token, a link): one click selects the whole of it.
#[component]
pub fn Copyable(
    /// The value.
    #[prop(into)]
    value: String,
    /// What it is, for screen readers.
    #[prop(optional, into)]
    label: String,
) -> impl IntoView {
    let labelled = !label.is_empty();
    view! {
        <div>
            <code class="copyable" role=labelled.then_some("group") aria-label=present(label)>
                {value}
            </code>
            <p class="copyable-how">"One click selects all of it; then copy."</p>
        </div>
    }
}

/// A key of the keyboard.
#[component]
pub fn Kbd(
    /// What is written on it.
    children: Children,
) -> impl IntoView {
    view! { <kbd class="kbd">{children()}</kbd> }
}
