//! What others say while one reads: how many comments are new, and a button that brings them in without moving anything.

use leptos::prelude::*;

/// Empty until there is something to say.
#[island]
pub fn NewsOfRfc() -> impl IntoView {
    let news = NodeRef::<leptos::html::Div>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(news) = news.get() {
            super::news_browser::attach(&news);
        }
    });
    view! {
        <div class="news" node_ref=news>
            <span role="status"></span>
            <button type="button" class="button button-primary button-small" hidden=true></button>
            <button type="button" class="button button-quiet button-small" hidden=true>"Dismiss"</button>
        </div>
    }
}
