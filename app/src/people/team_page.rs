//! Team.

use leptos::prelude::*;

/// Team.
#[component]
pub fn TeamPage() -> impl IntoView {
    view! { <h1>"Team"</h1> }
}
