//! `/incidents/types`: the types of incidents, which leads edit.

use backend::incidents::types::{self, IncidentType};
use domain::incident::UNKNOWN_TYPE;
use domain::limits;
use domain::policy::{Action, allows};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;

use super::api::{AddType, EditType};
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Badge, Button, Card, Checkbox, Crumb, Disclosure, Field, FieldKind, Form, FormActions, Hidden, PageHeader, Row,
    RowMeta, RowSide, Rows, Variant, is_refused, numbered,
};
use crate::urls;

/// The types in their order.
#[component]
pub fn IncidentTypesPage() -> impl IntoView {
    let load = async move {
        let (backend, actor) = signed_in()?;
        let types = types::list(&backend, &actor, true).await?;
        Ok((types, allows(&actor, Action::EditIncidentTypes).is_ok()))
    };
    page(load, |(types, editor)| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Incidents", urls::incidents())];
        let rows = types.into_iter().map(|found| view! { <TypeRow found=found editor=editor/> }).collect_view();
        let add = if editor {
            view! {
                <Card title="Add a type">
                    <Form action=AddType::PATH>
                        <Field name="name" label="Name" required=true max_chars=limits::NAME_CHARS/>
                        <Field name="slug" label="Short name" optional=true max_chars=limits::INCIDENT_TYPE_SLUG_CHARS
                            hint="What imports and the API call it: small letters, digits and underscores. Empty: made from the name."/>
                        <FormActions><Button variant=Variant::Primary>"Add the type"</Button></FormActions>
                    </Form>
                </Card>
            }
            .into_any()
        } else {
            view! { <p class="muted">"A lead or admin may change them."</p> }.into_any()
        };
        view! {
            <Title text="Types of incidents · Plumbline"/>
            <PageHeader title="Types of incidents" crumbs=crumbs/>
            <div class="split">
                <div class="stack"><Rows label="Types">{rows}</Rows></div>
                <aside class="stack">{add}</aside>
            </div>
        }
    })
}

#[component]
fn TypeRow(found: IncidentType, editor: bool) -> impl IntoView {
    let archived = found.archived_at.is_some();
    let href = urls::incident_list(&[("type", &found.slug), ("period", "all")]);
    let incidents = numbered(found.incidents, "incident", "incidents");
    let (name, slug) = (found.name.clone(), found.slug.clone());
    let change = editor.then(|| view! { <ChangeType found=found/> });
    view! {
        <Row title=name href=href>
            <RowMeta><span class="mono">{slug}</span> <span>{incidents}</span></RowMeta>
            <RowSide>{archived.then(|| view! { <Badge>"Archived"</Badge> })} {change}</RowSide>
        </Row>
    }
}

#[component]
fn ChangeType(found: IncidentType) -> impl IntoView {
    let open = is_refused(EditType::PATH, &found.slug);
    let archived = found.archived_at.is_some();
    let can_be_archived = found.slug != UNKNOWN_TYPE;
    view! {
        <Disclosure summary="Change" open=open class="row-form">
            <Form action=EditType::PATH key=found.slug.clone() class="form-close">
                <Hidden name="slug" value=found.slug/>
                <Hidden name="version" value=found.version.to_string()/>
                <Field name="name" label="Name" value=found.name required=true max_chars=limits::NAME_CHARS/>
                <Field name="position" label="Place in the list" kind=FieldKind::Number value=found.position.to_string()/>
                {can_be_archived.then(|| view! {
                    <Checkbox name="archived" label="Archived" checked=archived
                        hint="Nobody chooses it any more; incidents that have it keep it."/>
                })}
                <FormActions><Button>"Save"</Button></FormActions>
            </Form>
        </Disclosure>
    }
}
