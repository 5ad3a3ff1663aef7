//! Nothing here yet.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// Instead of an empty list: what would be here, and the next step.
#[component]
pub fn EmptyState(
    /// What there is none of.
    #[prop(into)]
    title: String,
    /// When there will be some, or why there is none.
    #[prop(optional, into)]
    text: String,
    /// What would be here.
    #[prop(optional)]
    icon: Glyph,
    /// The next step: a button.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon glyph=icon/>
            <p class="empty-title">{title}</p>
            {(!text.is_empty()).then(|| view! { <p class="empty-text">{text}</p> })}
            {children.map(|children| view! { <div class="empty-next">{children()}</div> })}
        </div>
    }
}
