//! People.

use leptos::prelude::*;

/// People.
#[component]
pub fn PeoplePage() -> impl IntoView {
    view! { <h1>"People"</h1> }
}
