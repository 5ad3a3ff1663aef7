//! New service.

use leptos::prelude::*;

/// New service.
#[component]
pub fn NewServicePage() -> impl IntoView {
    view! { <h1>"New service"</h1> }
}
