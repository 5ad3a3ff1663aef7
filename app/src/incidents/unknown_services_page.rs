//! `/incidents/unknown-services`: what imports and hooks call services and the catalogue does not know. Somebody says once
//! what each stands for.

use backend::incidents::names::{self, ServiceName, State};
use backend::services;
use backend::{Page, PageRequest};
use domain::policy::{Action, allows};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::MapService;
use crate::error::AppError;
use crate::form_echo::INTENT;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Button, Crumb, EmptyState, Field, Form, Glyph, Hidden, Meta, PageHeader, Pagination, Row, RowMeta, RowSide, Rows,
    Tab, Tabs, Variant, numbered,
};
use crate::urls;

/// What the page shows.
struct Shown {
    names: Page<ServiceName>,
    services: Vec<String>,
    state: State,
    cursor: String,
    /// Why the reader may not say what a name stands for; empty when they may.
    blocked: String,
}

async fn load(state: String, cursor: String) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let state = State::parse(&state).unwrap_or(State::Waiting);
    let request = PageRequest { limit: None, cursor: (!cursor.is_empty()).then(|| cursor.clone()) };
    let names = names::list(&backend, &actor, state, &request).await?;
    let services = services::options(&backend, &actor).await?.services;
    let blocked = allows(&actor, Action::MapServiceNames).err().map(|refusal| refusal.to_string()).unwrap_or_default();
    let services = services.into_iter().map(|service| service.slug).collect();
    Ok(Shown { names, services, state, cursor, blocked })
}

fn address(state: State, cursor: &str) -> String {
    let state = if state == State::Waiting { "" } else { state.as_str() };
    urls::unknown_service_list(&[("state", state), ("cursor", cursor)])
}

/// The names, those that most incidents have first.
#[component]
pub fn UnknownServicesPage() -> impl IntoView {
    let query = use_query_map().read_untracked().clone();
    let get = |name: &str| query.get(name).unwrap_or_default();
    page(load(get("state"), get("cursor")), |Shown { names, services, state, cursor, blocked }| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Incidents", urls::incidents())];
        let tab = |label: &str, of: State| Tab::new(label, address(of, "")).current(of == state);
        let tabs = vec![tab("Waiting", State::Waiting), tab("Mapped", State::Mapped), tab("Set aside", State::Ignored)];
        let next = names.next_cursor.as_deref().map(|cursor| address(state, cursor)).unwrap_or_default();
        let first = if cursor.is_empty() { String::new() } else { address(state, "") };
        let options = services.into_iter().map(|slug| view! { <option value=slug></option> }).collect_view();
        let why = (!blocked.is_empty()).then(|| view! { <p class="muted">{blocked.clone()}</p> });
        let editor = blocked.is_empty();
        let list = if names.items.is_empty() {
            view! { <Nothing state=state/> }.into_any()
        } else {
            let back = address(state, &cursor);
            let row = |name| view! { <NameRow name=name editor=editor back=back.clone()/> };
            let rows = names.items.into_iter().map(row).collect_view();
            view! { <Rows label="Names">{rows}</Rows> }.into_any()
        };
        view! {
            <Title text="Unknown services · Plumbline"/>
            <PageHeader title="Unknown services" crumbs=crumbs>
                <Meta>
                    "Names of services in imported incidents that the catalogue does not know. Say once what a name stands for: \
                     every incident that has it, and every import from then on, is counted there."
                </Meta>
            </PageHeader>
            <Tabs label="What became of them" items=tabs/>
            <datalist id="services">{options}</datalist>
            <div class="stack">{why} {list} <Pagination first=first next=next/></div>
        }
    })
}

#[component]
fn Nothing(state: State) -> impl IntoView {
    let (title, text) = match state {
        State::Waiting => ("No name waits", "Every service named in an incident is known."),
        State::Mapped => ("No name is mapped", "Names that stand for a service show up here."),
        State::Ignored => ("No name is set aside", "Names that are none of your services show up here."),
    };
    view! { <EmptyState title=title text=text icon=Glyph::CheckCircle><Button href=urls::incidents()>"Incidents"</Button></EmptyState> }
}

#[component]
fn NameRow(
    name: ServiceName,
    editor: bool,
    /// The address of this list.
    back: String,
) -> impl IntoView {
    let ServiceName { name, state, service, suggestion, incidents, newest } = name;
    let stands_for = service.as_ref().map(|service| {
        let (href, name) = (urls::service(&service.slug), service.name.clone());
        view! { <span>"stands for " <a href=href>{name}</a></span> }
    });
    let newest = newest.map(|id| view! { <span>"newest " <a href=urls::incident(id)>{format!("#{id}")}</a></span> });
    let likely = suggestion.as_ref().map(|service| format!("perhaps {}", service.name));
    let fill = service.or(suggestion).map(|service| service.slug).unwrap_or_default();
    let (key, sent) = (name.clone(), name.clone());
    let form = editor.then(|| {
        view! {
            <Form action=MapService::PATH key=key class="form-inline">
                <Hidden name="name" value=sent/>
                <Hidden name="back" value=back/>
                <Field name="service" label="Short name of the service" value=fill hide_label=true list="services" placeholder="service"/>
                <Button small=true>"Is this service"</Button>
                {(state != State::Ignored).then(|| view! {
                    <Button small=true variant=Variant::Quiet name=INTENT value="ignore">"None of ours"</Button>
                })}
            </Form>
        }
    });
    view! {
        <Row title=name>
            <RowMeta>
                <span>{numbered(incidents, "incident", "incidents")}</span>
                {newest}
                {stands_for}
                {likely.map(|likely| view! { <span class="why">{likely}</span> })}
            </RowMeta>
            <RowSide>{form}</RowSide>
        </Row>
    }
}
