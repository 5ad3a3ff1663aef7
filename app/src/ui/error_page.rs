//! What went wrong, and the way back.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{Button, Crumb, Variant};

/// A whole page that says what went wrong and where to go from here.
#[component]
pub fn ErrorPage(
    /// The HTTP status, shown small: people quote it.
    status: u16,
    /// What happened, in a few words.
    #[prop(into)]
    title: String,
    /// Why, and what to do.
    #[prop(into)]
    text: String,
    /// Finds the request in the log; only for mistakes of ours.
    #[prop(optional, into)]
    request_id: String,
    /// Ways on, the best first.
    links: Vec<Crumb>,
    /// What can be done about it here.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let links = links.into_iter().enumerate().map(|(place, link)| {
        let variant = if place == 0 { Variant::Primary } else { Variant::Secondary };
        view! { <Button href=link.href variant=variant>{link.label}</Button> }
    });
    view! {
        <Title text=title.clone()/>
        <div class="error-page">
            <p class="error-status">"Error " {status}</p>
            <h1>{title}</h1>
            <p class="error-text">{text}</p>
            {children.map(|children| children())}
            <div class="error-links">{links.collect_view()}</div>
            {(!request_id.is_empty())
                .then(|| view! { <p class="error-id">"Request id " <code>{request_id}</code></p> })}
        </div>
    }
}
