//! `/admin/imports/new`: hand in a file, or paste one.

use backend::imports::Kind;
use domain::limits;
use domain::policy::{Action, allows};
use domain::service::Tier;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::{PasteCatalog, UPLOAD};
use super::incidents_form::HandInIncidents;
use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Button, Card, Choice, Crumb, Field, FileField, Form, FormActions, Hidden, PageHeader, Select, TextArea, Variant,
};
use crate::urls;

/// What the file holds, and the organisation's time zone.
fn load(kind: Option<String>) -> Result<(Kind, String), AppError> {
    let (backend, actor) = signed_in()?;
    allows(&actor, Action::Administer)?;
    let kind = kind.and_then(|kind| Kind::parse(&kind)).unwrap_or(Kind::Catalog);
    Ok((kind, backend.time_zone().iana_name().unwrap_or("UTC").to_owned()))
}

/// The forms for what is to be handed in.
#[component]
pub fn NewImportPage() -> impl IntoView {
    let kind = use_query_map().read_untracked().get("kind");
    page(async move { load(kind) }, |(kind, zone)| {
        let crumbs = vec![
            Crumb::new("Home", urls::home()),
            Crumb::new("Admin", urls::admin()),
            Crumb::new("Imports", urls::imports()),
        ];
        if kind == Kind::Incidents {
            return view! {
                <Title text="Import incidents · Plumbline"/>
                <PageHeader title="Import incidents" crumbs=crumbs/>
                <div class="narrow stack"><HandInIncidents zone=zone/></div>
            }
            .into_any();
        }
        let size = limits::CATALOG_FILE_BYTES / (1024 * 1024);
        let hint = format!(
            "Backstage's catalog-info.yaml (any number of entities in it) or a service-catalog.yml. At most {size} MiB."
        );
        view! {
            <Title text="Import a catalogue · Plumbline"/>
            <PageHeader title="Import a catalogue" crumbs=crumbs/>
            <div class="narrow stack">
                <p class="muted">
                    "Services, teams and what needs what are read from a file and compared with what is here. You see every
                    difference before anything is changed; what people changed here stays, and nothing is ever deleted."
                </p>
                <Card title="A file">
                    <Form action=UPLOAD multipart=true>
                        <Hidden name="kind" value="catalog"/>
                        <TierSelect name="options.tier"/>
                        <FileField name="file" label="File" hint=hint accept=".yaml,.yml,application/yaml,text/yaml"/>
                        <FormActions><Button variant=Variant::Primary>"Compare"</Button></FormActions>
                    </Form>
                </Card>
                <Card title="Or its text">
                    <Form action=PasteCatalog::PATH>
                        <TierSelect name="tier"/>
                        <Field name="name" label="What to call it" value="catalog-info.yaml" max_chars=limits::FILE_NAME_CHARS
                            hint="Names it in the list; by it and the first service in it the next file is known as the same one."/>
                        <TextArea name="content" label="YAML" mono=true rows=8 required=true/>
                        <FormActions><Button>"Compare the text"</Button></FormActions>
                    </Form>
                </Card>
            </div>
        }
        .into_any()
    })
}

/// The tier of services of which the file says none.
#[component]
fn TierSelect(name: &'static str) -> impl IntoView {
    let tiers = Tier::ALL.into_iter().map(|tier| Choice::new(tier.number().to_string(), tier.label())).collect();
    let hint = "Most catalogues say no tier. It is used for services that are new, never for those that are here.";
    view! { <Select name=name label="Tier of new services" options=tiers value="3" hint=hint/> }
}
