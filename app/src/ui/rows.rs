//! The dense list: one thing a row.

use leptos::prelude::*;

use super::{Glyph, Icon, Tone};

/// A list of [`Row`]s.
#[component]
pub fn Rows(
    /// What is listed, for screen readers.
    #[prop(into)]
    label: String,
    /// The rows.
    children: Children,
) -> impl IntoView {
    view! { <ul class="rows" aria-label=label>{children()}</ul> }
}

/// One thing: what it is on the left, what one needs to know about it on the right. The whole row leads to `href`.
#[component]
pub fn Row(
    /// Its name.
    #[prop(into)]
    title: String,
    /// Its page.
    #[prop(optional, into)]
    href: String,
    /// A number that belongs to the name, for example `#12`.
    #[prop(optional, into)]
    number: String,
    /// Drawn before the name.
    #[prop(optional)]
    icon: Glyph,
    /// The icon's colour.
    #[prop(optional)]
    tone: Tone,
    /// New to the reader.
    #[prop(optional)]
    unread: bool,
    /// [`RowMeta`] and [`RowSide`].
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let name = if href.is_empty() {
        view! { <span class="row-title" dir="auto">{title}</span> }.into_any()
    } else {
        view! { <a class="row-title" dir="auto" href=href>{title}</a> }.into_any()
    };
    view! {
        <li class=if unread { "row row-unread" } else { "row" }>
            {(icon != Glyph::None)
                .then(|| view! { <span class=format!("row-icon {}", tone.class())><Icon glyph=icon/></span> })}
            <div class="row-main">
                {name}
                {(!number.is_empty()).then(|| view! { <span class="row-number">{number}</span> })}
                {unread.then(|| view! { <span class="visually-hidden">"(new)"</span> })}
            </div>
            {children.map(|children| children())}
        </li>
    }
}

/// The quiet line under a row's name.
#[component]
pub fn RowMeta(
    /// The line.
    children: Children,
) -> impl IntoView {
    view! { <div class="row-meta">{children()}</div> }
}

/// The right side of a row: badges, numbers, a small button.
#[component]
pub fn RowSide(
    /// The side.
    children: Children,
) -> impl IntoView {
    view! { <div class="row-side">{children()}</div> }
}

/// The word for what is counted.
pub fn counted(n: i64, one: &'static str, many: &'static str) -> &'static str {
    if n == 1 { one } else { many }
}

/// A number and the word for what it counts.
pub fn numbered(n: i64, one: &'static str, many: &'static str) -> String {
    format!("{n} {}", counted(n, one, many))
}

/// A number with its icon, for example open threads.
#[component]
pub fn Stat(
    /// The icon.
    icon: Glyph,
    /// The number.
    n: i64,
    /// What is counted, for screen readers and on hover: `open threads`.
    #[prop(into)]
    what: String,
) -> impl IntoView {
    let title = format!("{n} {what}");
    view! {
        <span class="stat" title=title>
            <Icon glyph=icon/>
            {n}
            <span class="visually-hidden">" " {what}</span>
        </span>
    }
}
