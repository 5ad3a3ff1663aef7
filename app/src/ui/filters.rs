//! Filters above a list.

use leptos::prelude::*;

use super::{Button, Glyph};

/// One line of fields above a list: a plain GET form, so that every state of the list is an address.
#[component]
pub fn Filters(
    /// The list's address.
    #[prop(into)]
    action: String,
    /// What the button says.
    #[prop(default = "Filter".into(), into)]
    button: String,
    /// Where no filter is set; shown when some are.
    #[prop(optional, into)]
    reset: String,
    /// The fields.
    children: Children,
) -> impl IntoView {
    view! {
        <form class="filters" method="get" action=action role="search">
            {children()}
            <Button icon=Glyph::Search>{button}</Button>
            {(!reset.is_empty()).then(|| view! { <Button href=reset variant=super::Variant::Quiet>"Clear"</Button> })}
        </form>
    }
}
