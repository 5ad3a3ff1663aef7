//! Tables of facts.

use leptos::prelude::*;

/// A table that scrolls sideways by itself where it does not fit. Children are `<thead>` and `<tbody>`.
#[component]
pub fn Table(
    /// What the table lists; spoken, and shown with `show_caption`.
    #[prop(into)]
    caption: String,
    /// Shows the caption.
    #[prop(optional)]
    show_caption: bool,
    /// `<thead>` and `<tbody>`.
    children: Children,
) -> impl IntoView {
    let label = caption.clone();
    view! {
        <div class="table-scroll" role="region" aria-label=label tabindex="0">
            <table class="table">
                <caption class=(!show_caption).then_some("visually-hidden")>{caption}</caption>
                {children()}
            </table>
        </div>
    }
}
