//! Set up Plumbline.

use leptos::prelude::*;

/// Set up Plumbline.
#[component]
pub fn SetupPage() -> impl IntoView {
    view! { <h1>"Set up Plumbline"</h1> }
}
