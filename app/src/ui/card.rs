//! Groups of things that belong together.

use leptos::prelude::*;

use super::{Count, present};

/// A framed group.
#[component]
pub fn Card(
    /// The heading.
    #[prop(optional, into)]
    title: String,
    /// The target of links to it.
    #[prop(optional, into)]
    id: String,
    /// For what cannot be undone.
    #[prop(optional)]
    danger: bool,
    /// What is inside.
    children: Children,
) -> impl IntoView {
    view! {
        <section class=if danger { "card card-danger" } else { "card" } id=present(id)>
            {(!title.is_empty()).then(|| view! { <h2>{title}</h2> })}
            {children()}
        </section>
    }
}

/// A group with a heading and no frame.
#[component]
pub fn Section(
    /// The heading.
    #[prop(into)]
    title: String,
    /// The target of links to it.
    #[prop(optional, into)]
    id: String,
    /// How many things are inside, said beside the heading.
    #[prop(optional, into)]
    count: Option<i64>,
    /// Buttons beside the heading.
    #[prop(optional, into)]
    actions: ViewFn,
    /// What is inside.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="section" id=present(id)>
            <div class="section-head">
                <h2>{title}</h2>
                {count.map(|n| view! { <Count n=n/> })}
                <div class="actions">{actions.run()}</div>
            </div>
            {children()}
        </section>
    }
}
