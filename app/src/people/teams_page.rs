//! Teams.

use leptos::prelude::*;

/// Teams.
#[component]
pub fn TeamsPage() -> impl IntoView {
    view! { <h1>"Teams"</h1> }
}
