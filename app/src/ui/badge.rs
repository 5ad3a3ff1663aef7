//! Small words with a meaning. The word always says it; colour and icon only help.

use domain::Role;
use domain::rfc::anchor::AnchorState;
use domain::rfc::{Severity, Status};
use domain::service::Tier;
use leptos::prelude::*;

use super::{Glyph, Icon};

/// What a colour means here, and everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// A fact.
    #[default]
    Neutral,
    /// Under way, waiting for someone.
    Accent,
    /// As it should be.
    Good,
    /// Look at it.
    Warn,
    /// In the way, broken, gone.
    Bad,
    /// Finished.
    Done,
}

impl Tone {
    /// The class that brings the tone's colours.
    pub fn class(self) -> &'static str {
        match self {
            Self::Neutral => "tone-neutral",
            Self::Accent => "tone-accent",
            Self::Good => "tone-good",
            Self::Warn => "tone-warn",
            Self::Bad => "tone-bad",
            Self::Done => "tone-done",
        }
    }
}

/// A word in a pill.
#[component]
pub fn Badge(
    /// What it means.
    #[prop(optional)]
    tone: Tone,
    /// Drawn before the word.
    #[prop(optional)]
    icon: Glyph,
    /// The word.
    children: Children,
) -> impl IntoView {
    view! {
        <span class=format!("badge {}", tone.class())>
            <Icon glyph=icon/>
            {children()}
        </span>
    }
}

/// How many, beside a heading or in a tab.
#[component]
pub fn Count(
    /// The number.
    n: i64,
) -> impl IntoView {
    view! { <span class="count">{n}</span> }
}

/// Where an RFC stands.
#[component]
pub fn StatusBadge(
    /// The RFC's status.
    status: Status,
) -> impl IntoView {
    let (tone, icon) = match status {
        Status::Draft => (Tone::Neutral, Glyph::Pencil),
        Status::InReview => (Tone::Accent, Glyph::Dot),
        Status::FinalComment => (Tone::Warn, Glyph::Clock),
        Status::Accepted => (Tone::Good, Glyph::CheckCircle),
        Status::Implemented => (Tone::Done, Glyph::CheckCircle),
        Status::Declined => (Tone::Bad, Glyph::Cross),
        Status::Deferred => (Tone::Neutral, Glyph::Clock),
        Status::Withdrawn => (Tone::Neutral, Glyph::Cross),
        Status::Superseded => (Tone::Neutral, Glyph::ArrowRight),
    };
    view! { <Badge tone=tone icon=icon>{status.label()}</Badge> }
}

/// How much depends on a service.
#[component]
pub fn TierBadge(
    /// The service's tier.
    tier: Tier,
) -> impl IntoView {
    let tone = match tier {
        Tier::Critical => Tone::Bad,
        Tier::Important => Tone::Warn,
        Tier::Supporting => Tone::Neutral,
    };
    view! { <Badge tone=tone>{tier.label()}</Badge> }
}

/// How much weight a thread has.
#[component]
pub fn SeverityBadge(
    /// The thread's severity.
    severity: Severity,
) -> impl IntoView {
    let (tone, icon) = match severity {
        Severity::Note => (Tone::Neutral, Glyph::None),
        Severity::Should => (Tone::Warn, Glyph::None),
        Severity::Blocking => (Tone::Bad, Glyph::Alert),
    };
    view! { <Badge tone=tone icon=icon>{severity.label()}</Badge> }
}

/// What a person may do.
#[component]
pub fn RoleBadge(
    /// The person's role.
    role: Role,
) -> impl IntoView {
    let tone = match role {
        Role::Reader | Role::Member => Tone::Neutral,
        Role::Sre => Tone::Accent,
        Role::Lead | Role::Admin => Tone::Done,
    };
    view! { <Badge tone=tone>{role.label()}</Badge> }
}

/// What became of the text that a thread is about; nothing while it stands there unchanged.
#[component]
pub fn AnchorNote(
    /// The anchor's state in the revision shown.
    state: AnchorState,
) -> impl IntoView {
    let (class, icon, words) = match state {
        AnchorState::Exact => return ().into_any(),
        AnchorState::Edited => ("anchor-edited", Glyph::Pencil, "Text was edited since"),
        AnchorState::Moved => ("anchor-moved", Glyph::Move, "Text has moved"),
        AnchorState::Suggested => ("anchor-suggested", Glyph::Question, "Is this the place?"),
        AnchorState::Orphaned => ("anchor-orphaned", Glyph::Unlink, "The text is gone"),
    };
    view! {
        <span class=format!("anchor-note {class}")>
            <Icon glyph=icon/>
            {words}
        </span>
    }
    .into_any()
}
