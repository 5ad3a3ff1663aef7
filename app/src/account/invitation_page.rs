//! Invitation.

use leptos::prelude::*;

/// Invitation.
#[component]
pub fn InvitationPage() -> impl IntoView {
    view! { <h1>"Invitation"</h1> }
}
