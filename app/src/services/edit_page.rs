//! Edit service.

use leptos::prelude::*;

/// Edit service.
#[component]
pub fn EditServicePage() -> impl IntoView {
    view! { <h1>"Edit service"</h1> }
}
