//! RFC.

use leptos::prelude::*;

/// RFC.
#[component]
pub fn ReadPage() -> impl IntoView {
    view! { <h1>"RFC"</h1> }
}
