//! Newer and older.

use leptos::prelude::*;

use super::{Button, Glyph};

/// Links to the pages beside this one of a list; nothing when there are none.
#[component]
pub fn Pagination(
    /// Back to the start of the list.
    #[prop(optional, into)]
    first: String,
    /// The next page.
    #[prop(optional, into)]
    next: String,
) -> impl IntoView {
    (!first.is_empty() || !next.is_empty()).then(|| {
        view! {
            <nav class="pagination" aria-label="Pages of this list">
                {(!first.is_empty()).then(|| view! { <Button href=first icon=Glyph::ArrowLeft>"First page"</Button> })}
                {(!next.is_empty()).then(|| view! { <Button href=next icon=Glyph::ArrowRight>"Next page"</Button> })}
            </nav>
        }
    })
}
