//! RFCs.

use leptos::prelude::*;

/// RFCs.
#[component]
pub fn IndexPage() -> impl IntoView {
    view! { <h1>"RFCs"</h1> }
}
