//! Name and value pairs about one thing.

use leptos::prelude::*;

/// A description list; children are [`Fact`]s.
#[component]
pub fn Facts(
    /// Names above values, for narrow columns.
    #[prop(optional)]
    narrow: bool,
    /// The facts.
    children: Children,
) -> impl IntoView {
    view! { <dl class=if narrow { "facts facts-narrow" } else { "facts" }>{children()}</dl> }
}

/// One name and its value.
#[component]
pub fn Fact(
    /// The name.
    #[prop(into)]
    label: String,
    /// The value.
    children: Children,
) -> impl IntoView {
    view! {
        <dt>{label}</dt>
        <dd>{children()}</dd>
    }
}
