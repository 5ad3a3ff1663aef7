//! The head of a page: the way up, the heading, a quiet line, and what can be done here.

use leptos::prelude::*;

use super::{Breadcrumbs, Crumb};

/// The head of a page. Children are [`Meta`] and [`Actions`].
#[component]
pub fn PageHeader(
    /// The page's one `<h1>`.
    #[prop(into)]
    title: String,
    /// A number that belongs to the title, for example `#12`.
    #[prop(optional, into)]
    number: String,
    /// The pages above.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// [`Meta`] and [`Actions`].
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="page-header">
            <Breadcrumbs crumbs=crumbs/>
            <h1 dir="auto">
                {title}
                {(!number.is_empty()).then(|| view! { " " <span class="faint">{number}</span> })}
            </h1>
            {children.map(|children| children())}
        </header>
    }
}

/// A quiet line about the thing: badges, people, times.
#[component]
pub fn Meta(
    /// The line.
    children: Children,
) -> impl IntoView {
    view! { <div class="meta">{children()}</div> }
}

/// Buttons in the head of a page, card or section.
#[component]
pub fn Actions(
    /// The buttons, the primary one last.
    children: Children,
) -> impl IntoView {
    view! { <div class="actions">{children()}</div> }
}
