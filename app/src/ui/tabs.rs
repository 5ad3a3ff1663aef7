//! Tabs are links: which one is open is part of the address.

use leptos::prelude::*;

use super::Count;

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    label: String,
    href: String,
    count: Option<i64>,
    current: bool,
}

impl Tab {
    /// A tab that is not open.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into(), count: None, current: false }
    }

    /// How many things are behind it.
    #[must_use]
    pub fn count(self, count: i64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Whether it is the open one.
    #[must_use]
    pub fn current(self, current: bool) -> Self {
        Self { current, ..self }
    }
}

/// A row of tabs.
#[component]
pub fn Tabs(
    /// What they switch between, for screen readers.
    #[prop(into)]
    label: String,
    /// The tabs.
    items: Vec<Tab>,
) -> impl IntoView {
    view! {
        <nav class="tabs" aria-label=label>
            <ul>
                {items
                    .into_iter()
                    .map(|tab| {
                        view! {
                            <li>
                                <a class="tab" href=tab.href aria-current=tab.current.then_some("page")>
                                    {tab.label}
                                    {tab.count.map(|n| view! { <Count n=n/> })}
                                </a>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </nav>
    }
}
