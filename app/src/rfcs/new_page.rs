//! New RFC.

use leptos::prelude::*;

/// New RFC.
#[component]
pub fn NewPage() -> impl IntoView {
    view! { <h1>"New RFC"</h1> }
}
