//! Boxes that say something about the page.

use leptos::prelude::*;

use super::{Glyph, Icon, Tone};

/// A box in the page: an old revision, a conflict, a warning.
#[component]
pub fn Notice(
    /// What it means.
    #[prop(optional)]
    tone: Tone,
    /// The gist.
    #[prop(optional, into)]
    title: String,
    /// The rest, and what to do.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let icon = match tone {
        Tone::Neutral | Tone::Accent => Glyph::Info,
        Tone::Good | Tone::Done => Glyph::CheckCircle,
        Tone::Warn | Tone::Bad => Glyph::Alert,
    };
    view! {
        <div class=format!("notice {}", tone.class())>
            <Icon glyph=icon/>
            <div class="notice-body">
                {(!title.is_empty()).then(|| view! { <p class="notice-title">{title}</p> })}
                {children.map(|children| view! { <div>{children()}</div> })}
            </div>
        </div>
    }
}
