//! The fields of a webhook, the same for a new one and a change.

use backend::webhooks::Webhook;
use domain::limits;
use domain::webhook::{Format, NOUNS};
use leptos::prelude::*;

use crate::ui::{Checkbox, Choice, Field, FieldKind, Radios};

/// Everything about a webhook but whether it is called.
#[component]
pub(super) fn WebhookFields(
    /// As it is; a new one when absent.
    webhook: Option<Webhook>,
) -> impl IntoView {
    let formats = vec![
        Choice::new(Format::Standard.as_str(), Format::Standard.label())
            .hint("JSON for programs, signed with a secret that is shown once."),
        Choice::new(Format::Slack.as_str(), Format::Slack.label())
            .hint("A sentence with a link, for chat rooms. Not signed: keep the address to yourselves."),
    ];
    let format = webhook.as_ref().map_or(Format::Standard, |webhook| webhook.format);
    let chosen = webhook.as_ref().map(|webhook| webhook.events.clone()).unwrap_or_default();
    let (nouns, verbs): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|event| NOUNS.iter().any(|(noun, _)| noun == event));
    let ticks: Vec<_> = NOUNS
        .into_iter()
        .map(|(noun, label)| {
            let ticked = nouns.iter().any(|chosen| chosen == noun);
            view! { <Checkbox name="nouns[]" label=label value=noun checked=ticked/> }
        })
        .collect();
    let (name, url) = webhook.map(|webhook| (webhook.name, webhook.url)).unwrap_or_default();
    view! {
        <Field name="name" label="Name" value=name required=true max_chars=limits::NAME_CHARS/>
        <Field name="url" label="Address to call" value=url kind=FieldKind::Url required=true
            hint="https://… Inner networks and http:// only where PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS allows them."/>
        <Radios name="format" legend="Format" options=formats value=format.as_str()/>
        <fieldset class="choices">
            <legend>"Calls about"</legend>
            <p class="field-hint">"Nothing ticked and no event named: about everything. What happens to drafts, sign-ins and tokens is never passed on."</p>
            <div class="choices-row">{ticks}</div>
        </fieldset>
        <Field name="events" label="Single events" value=verbs.join(", ") optional=true
            hint="Such as rfc.published or service.archived, with commas between them."/>
    }
}

/// What a webhook is called about, in words.
pub(super) fn events_in_words(events: &[String]) -> String {
    if events.is_empty() {
        return "everything".to_owned();
    }
    let word = |event: &String| {
        let noun = NOUNS.iter().find(|(noun, _)| noun == event);
        noun.map_or_else(|| event.clone(), |(_, label)| label.split(':').next().unwrap_or(label).to_owned())
    };
    events.iter().map(word).collect::<Vec<_>>().join(", ")
}
