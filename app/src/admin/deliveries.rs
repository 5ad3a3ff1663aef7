//! Deliveries as rows: in the outbox, and on a webhook's page.

use backend::deliveries::{Delivery, State};
use backend::outbox::Kind;
use leptos::prelude::*;

use crate::ui::{Badge, Row, RowMeta, RowSide, Rows, Time, Tone, numbered};
use crate::urls;

/// The word for a kind of work.
pub(super) fn kind_label(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "Event",
        Kind::Job => "Timed job",
        Kind::Mail => "Mail",
        Kind::Webhook => "Webhook",
        Kind::Import => "Import",
    }
}

/// The word for a state.
pub(super) fn state_label(state: State) -> &'static str {
    match state {
        State::Waiting => "Waiting",
        State::Planned => "Planned",
        State::Failed => "Failed",
        State::Dead => "Given up",
        State::Done => "Done",
    }
}

/// Where a delivery stands.
#[component]
pub(super) fn StateBadge(
    /// Where.
    state: State,
) -> impl IntoView {
    let tone = match state {
        State::Waiting => Tone::Accent,
        State::Planned => Tone::Neutral,
        State::Failed => Tone::Warn,
        State::Dead => Tone::Bad,
        State::Done => Tone::Done,
    };
    view! { <Badge tone=tone>{state_label(state)}</Badge> }
}

/// Deliveries, one a row.
#[component]
pub(super) fn DeliveryRows(
    /// In order.
    deliveries: Vec<Delivery>,
    /// What they are, for screen readers.
    label: &'static str,
) -> impl IntoView {
    let rows = deliveries.into_iter().map(|delivery| {
        let when = match delivery.state {
            State::Failed => view! { "tried again " <Time at=delivery.due_at/> }.into_any(),
            State::Planned => view! { "planned for " <Time at=delivery.due_at absolute=true/> }.into_any(),
            State::Waiting => view! { "since " <Time at=delivery.created_at/> }.into_any(),
            State::Dead | State::Done => delivery.finished_at.map(|at| view! { <Time at=at/> }).into_any(),
        };
        let to = delivery.webhook.or(delivery.to).map(|to| format!(" to {to}")).unwrap_or_default();
        let tries = (delivery.attempts > 1 || delivery.state == State::Failed)
            .then(|| format!(" · {}", numbered(delivery.attempts.into(), "try", "tries")));
        let error = (!delivery.last_error.is_empty()).then(|| format!(" · {}", delivery.last_error));
        view! {
            <Row title=delivery.about href=urls::delivery(&delivery.id)>
                <RowMeta>{kind_label(delivery.kind)} {to} " · " {when} {tries} {error}</RowMeta>
                <RowSide><StateBadge state=delivery.state/></RowSide>
            </Row>
        }
    });
    view! { <Rows label=label>{rows.collect_view()}</Rows> }
}
