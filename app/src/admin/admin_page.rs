//! Settings.

use leptos::prelude::*;

/// Settings.
#[component]
pub fn AdminPage() -> impl IntoView {
    view! { <h1>"Settings"</h1> }
}
