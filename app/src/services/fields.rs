//! The fields of a service, the same for a new one and a change.

use backend::services::{Options, Service};
use domain::limits;
use domain::service::Tier;
use leptos::prelude::*;

use crate::ui::{Choice, Field, Select, TextArea};

/// Everything about a service but its address.
#[component]
pub(super) fn ServiceFields(
    /// As it is; a new one when absent.
    service: Option<Service>,
    /// What can be chosen.
    options: Options,
) -> impl IntoView {
    let nobody = options.ownerless.then(|| Choice::new("", "Nobody yet"));
    let teams = nobody.into_iter().chain(options.teams.into_iter().map(|team| Choice::new(team.slug, team.name)));
    let teams = teams.collect();
    let tiers = Tier::ALL.into_iter().map(|tier| Choice::new(tier.number().to_string(), tier.label())).collect();
    let known = options.services.into_iter().map(|service| service.slug).collect::<Vec<_>>().join(", ");
    let hint = if known.is_empty() {
        "One short name a line.".to_owned()
    } else {
        format!("One short name a line. Known: {}.", shortened(&known))
    };
    let tier = service.as_ref().map_or(Tier::Supporting, |service| service.tier);
    let depends_on = service.as_ref().map(|service| joined(service.depends_on.iter().map(|other| other.slug.clone())));
    let links =
        service.as_ref().map(|service| joined(service.links.iter().map(|link| format!("{} {}", link.title, link.url))));
    let labels = service.as_ref().map(|service| service.labels.join(", "));
    let team = match &service {
        Some(service) => service.team.as_ref().map(|team| team.slug.clone()),
        None => options.own_team,
    };
    let (name, description) = service.map(|service| (service.name, service.description)).unwrap_or_default();
    view! {
        <Field name="name" label="Name" value=name required=true max_chars=limits::NAME_CHARS/>
        <Select name="tier" label="Tier" options=tiers value=tier.number().to_string()/>
        <Select name="team" label="Owner" options=teams value=team.unwrap_or_default()/>
        <TextArea name="description" label="What it does" value=description rows=4 optional=true
            hint=format!("At most {} characters.", limits::DESCRIPTION_CHARS)/>
        <TextArea name="depends_on" label="Depends on" value=depends_on.unwrap_or_default() rows=3 mono=true optional=true hint=hint/>
        <TextArea name="links" label="Links" value=links.unwrap_or_default() rows=3 optional=true
            hint=format!(
                "One a line, at most {}: a title, then the address. Runbook https://runbooks.example/checkout",
                limits::SERVICE_LINKS,
            )/>
        <Field name="labels" label="Labels" value=labels.unwrap_or_default() optional=true
            hint=format!(
                "With commas between them; at most {} of {} characters each.",
                limits::SERVICE_LABELS, limits::NAME_CHARS,
            )/>
    }
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// At most 300 characters of a list.
fn shortened(list: &str) -> String {
    if list.chars().count() <= 300 {
        return list.to_owned();
    }
    let cut: String = list.chars().take(300).collect();
    format!("{} …", cut.rsplit_once(',').map_or(cut.as_str(), |(whole, _)| whole))
}
