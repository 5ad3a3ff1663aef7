//! Filters above a list.

use leptos::context::Provider;
use leptos::prelude::*;

use super::form::FormScope;
use super::{Button, Glyph, Variant};

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
            <Provider value=FormScope::default()>{children()}</Provider>
            <Button icon=Glyph::Search>{button}</Button>
            {(!reset.is_empty()).then(|| view! { <Button href=reset variant=Variant::Quiet>"Clear"</Button> })}
        </form>
    }
}
