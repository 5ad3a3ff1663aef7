//! The fields of an incident, the same for a new one and a change.

use backend::incidents::Incident;
use backend::incidents::types::IncidentType;
use domain::incident::{Severity, UNKNOWN_TYPE};
use domain::limits;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leptos::prelude::*;

use crate::ui::{
    Choice, Disclosure, Field, FieldKind, Fold, Hidden, Radios, Select, TextArea, is_field_refused, typed_form,
};

/// Everything about an incident.
#[component]
pub(super) fn IncidentFields(
    /// Where the form goes: what it says about a time that came twice is shown there only.
    action: &'static str,
    /// As it is; a new one when absent.
    incident: Option<Incident>,
    /// The types to choose from.
    types: Vec<IncidentType>,
    /// Slugs of the services in use.
    services: Vec<String>,
    /// Slugs to begin with, for a new one.
    #[prop(into)]
    touched: String,
    /// The zone whose clocks the times are of: the viewer's.
    zone: String,
) -> impl IntoView {
    let types: Vec<_> = types.into_iter().map(|found| Choice::new(found.slug, found.name)).collect();
    let severities = Severity::ALL
        .into_iter()
        .map(|severity| Choice::new(severity.number().to_string(), severity.label()).hint(severity.meaning()));
    let severities = severities.collect();
    let severity = incident.as_ref().map_or(Severity::Minor, |incident| incident.severity);
    let kind =
        incident.as_ref().map_or_else(|| UNKNOWN_TYPE.to_owned(), |incident| incident.incident_type.slug.clone());
    let touched = match &incident {
        Some(incident) => joined(incident.services.iter().map(|service| service.slug.clone())),
        None => touched,
    };
    let known = services.iter().take(40).cloned().collect::<Vec<_>>().join(", ");
    let hint = if known.is_empty() {
        "One short name a line.".to_owned()
    } else {
        format!("One short name a line. Known: {known}{}.", if services.len() > 40 { " …" } else { "" })
    };
    let values = incident.map(Values::of).unwrap_or_default();
    // What was typed into a folded part, or is complained about there, is in sight when the form comes back.
    let refused = |field: &str| is_field_refused(action, field);
    let has_postmortem = !values.postmortem.is_empty() || refused("postmortem");
    let is_known_elsewhere = !values.external_id.is_empty() || refused("source") || refused("external_id");
    view! {
        <Field name="title" label="What happened" value=values.title required=true
            max_chars=limits::INCIDENT_TITLE_CHARS/>
        <Select name="incident_type" label="Type" options=types value=kind/>
        <Radios name="severity" legend="Severity" options=severities value=severity.number().to_string()/>
        <TextArea name="services" label="Services it touched" value=touched rows=3 mono=true optional=true hint=hint/>
        <Times
            action=action
            zone=zone
            moments=values.moments
        />
        <TextArea name="summary" label="Summary" value=values.summary rows=6 optional=true
            hint="What customers felt, why, what ended it. Markdown."/>
        <Field name="postmortem_url" label="Link to the postmortem" kind=FieldKind::Url
            value=values.postmortem_url optional=true placeholder="https://"/>
        <Disclosure summary="Postmortem as text" open=has_postmortem>
            <TextArea name="postmortem" label="Postmortem" value=values.postmortem rows=10 optional=true hint="Markdown."/>
        </Disclosure>
        <Disclosure summary="Its name elsewhere" open=is_known_elsewhere>
            <div class="stack-close">
                <Field name="source" label="Where it comes from" value=values.source optional=true
                    max_chars=limits::NAME_CHARS hint="The incident tool or sheet."/>
                <Field name="external_id" label="Its name there" value=values.external_id
                    optional=true max_chars=limits::EXTERNAL_ID_CHARS
                    hint="An import knows the incident by both, and does not make a second one."/>
            </div>
        </Disclosure>
    }
}

/// What stands in the fields at first.
#[derive(Default)]
struct Values {
    title: String,
    /// Started, detected, mitigated, ended.
    moments: [Option<Timestamp>; 4],
    summary: String,
    postmortem_url: String,
    postmortem: String,
    source: String,
    external_id: String,
}

impl Values {
    fn of(incident: Incident) -> Self {
        Self {
            title: incident.title,
            moments: [Some(incident.started_at), incident.detected_at, incident.mitigated_at, incident.ended_at],
            summary: incident.summary,
            postmortem_url: incident.postmortem_url.unwrap_or_default(),
            postmortem: incident.postmortem,
            source: incident.source,
            external_id: incident.external_id.unwrap_or_default(),
        }
    }
}

/// The four instants.
#[component]
fn Times(action: &'static str, zone: String, moments: [Option<Timestamp>; 4]) -> impl IntoView {
    let clock = TimeZone::get(&zone).unwrap_or(TimeZone::UTC);
    let [started, detected, mitigated, ended] =
        moments.map(|at| at.map(|at| typed_form(at, &clock)).unwrap_or_default());
    let legend = format!("Times, on the clocks of {zone}");
    let which = vec![
        Choice::new("", "Choose"),
        Choice::new(Fold::First.as_str(), "The first one, before the clocks went back"),
        Choice::new(Fold::Second.as_str(), "The second one, after they went back"),
    ];
    let fold = is_field_refused(action, "fold")
        .then(|| view! { <Select name="fold" label="Of the time that came twice" options=which/> });
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <Hidden name="zone" value=zone/>
            <div class="form-pair">
                <Field name="started_at" label="Started" kind=FieldKind::DateTime value=started required=true/>
                <Field name="detected_at" label="Detected" kind=FieldKind::DateTime value=detected optional=true/>
                <Field name="mitigated_at" label="Mitigated" kind=FieldKind::DateTime value=mitigated optional=true/>
                <Field name="ended_at" label="Ended" kind=FieldKind::DateTime value=ended optional=true/>
                {fold}
            </div>
        </fieldset>
    }
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}
