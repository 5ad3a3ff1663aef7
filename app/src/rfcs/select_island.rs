//! Comment by selecting: a button beside the selected words opens the very form that the page has anyway, with the
//! range filled in. Marks the texts that threads are about, and leads from one to the other.

use leptos::prelude::*;

/// The button beside a selection. Everything it works on is on the page: the form, the threads, the blocks' runs.
#[island]
pub fn SelectToComment() -> impl IntoView {
    let button = NodeRef::<leptos::html::Button>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(button) = button.get() {
            super::select_browser::attach(&button);
        }
    });
    view! {
        <button type="button" class="selection-button" node_ref=button hidden=true>
            <span>"Comment"</span>
            <kbd aria-hidden="true">"c"</kbd>
        </button>
    }
}
