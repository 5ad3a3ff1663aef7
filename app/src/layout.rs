//! The frame around every page.

use leptos::prelude::*;

use crate::error::AppError;

/// Header, navigation and the page.
#[component]
pub fn Layout(children: Children) -> impl IntoView {
    view! { <main>{children()}</main> }
}

/// The page for an error.
#[component]
pub fn ErrorPage(
    /// What went wrong.
    error: AppError,
) -> impl IntoView {
    view! { <h1>{error.to_string()}</h1> }
}

/// The page for an address that leads nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    crate::page::set_status(404);
    view! { <h1>"There is nothing here"</h1> }
}
