//! The way up.

use leptos::prelude::*;

/// One step of a way: a word and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// The word.
    pub label: String,
    /// The address.
    pub href: String,
}

impl Crumb {
    /// A step.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

/// The pages above this one. The page itself is the heading below and is not repeated.
#[component]
pub fn Breadcrumbs(
    /// The outermost first.
    crumbs: Vec<Crumb>,
) -> impl IntoView {
    (!crumbs.is_empty()).then(|| {
        view! {
            <nav class="breadcrumbs" aria-label="Breadcrumbs">
                <ol>
                    {crumbs
                        .into_iter()
                        .map(|crumb| view! { <li><a href=crumb.href>{crumb.label}</a></li> })
                        .collect_view()}
                </ol>
            </nav>
        }
    })
}
