//! Service.

use leptos::prelude::*;

/// Service.
#[component]
pub fn ServicePage() -> impl IntoView {
    view! { <h1>"Service"</h1> }
}
