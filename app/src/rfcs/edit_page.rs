//! Edit RFC.

use leptos::prelude::*;

/// Edit RFC.
#[component]
pub fn EditPage() -> impl IntoView {
    view! { <h1>"Edit RFC"</h1> }
}
