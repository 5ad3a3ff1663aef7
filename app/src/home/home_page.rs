//! What needs me today.

use leptos::prelude::*;

/// What needs me today.
#[component]
pub fn HomePage() -> impl IntoView {
    view! { <h1>"What needs me today"</h1> }
}
