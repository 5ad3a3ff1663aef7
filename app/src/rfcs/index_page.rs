//! The list of RFCs. Every filter stands in the address.

use backend::page::{Page, PageRequest};
use backend::rfcs::list::{self, Filter, Listed};
use backend::services::{ServiceRef, options};
use domain::limits;
use domain::policy::{self, Action};
use domain::rfc::{Kind, Status};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::page::page;
use crate::session;
use crate::ui::{
    Actions, Button, Choice, Crumb, EmptyState, Field, FieldKind, Filters, Glyph, PageHeader, Pagination, Row, RowMeta,
    RowSide, Rows, Select, Stat, StatusBadge, Time, Variant, counted,
};
use crate::urls;

/// The filters as they stand in the address.
#[derive(Debug, Clone, Default)]
struct Asked {
    q: String,
    status: String,
    kind: String,
    service: String,
    author: String,
    cursor: String,
}

impl Asked {
    fn read() -> Self {
        let query = use_query_map();
        let query = query.read_untracked();
        let word = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
        Self {
            q: word("q"),
            status: word("status"),
            kind: word("kind"),
            service: word("service"),
            author: word("author"),
            cursor: word("cursor"),
        }
    }

    /// The filter. A service may be named as people call it.
    fn filter(&self, services: &[ServiceRef]) -> Filter {
        let given = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        Filter {
            q: given(&self.q),
            status: given(&self.status),
            kind: given(&self.kind),
            service: self.service_among(services).map(|known| known.slug.clone()).or(given(&self.service)),
            author: given(&self.author),
        }
    }

    /// The service meant: by its short name or its name.
    fn service_among<'a>(&self, services: &'a [ServiceRef]) -> Option<&'a ServiceRef> {
        let named = |service: &&ServiceRef| service.name.to_lowercase() == self.service.to_lowercase();
        services.iter().find(|service| service.slug == self.service).or_else(|| services.iter().find(named))
    }

    fn is_filtered(&self) -> bool {
        self.from("") != urls::rfcs()
    }

    /// What is looked for, in words.
    fn said(&self, services: &[ServiceRef]) -> String {
        let label = |found: Option<&'static str>, word: &str| found.map_or_else(|| word.to_owned(), str::to_owned);
        let status = Status::ALL.into_iter().find(|status| status.as_str() == self.status).map(Status::label);
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == self.kind).map(Kind::label);
        let service = match self.service_among(services) {
            Some(known) => format!("touches {}", known.name),
            None => format!("touches “{}”, which no service is called", self.service),
        };
        let parts = [
            (&self.q, format!("has the words “{}”", self.q)),
            (&self.status, format!("is {}", label(status, &self.status).to_lowercase())),
            (&self.kind, format!("is of the kind {}", label(kind, &self.kind))),
            (&self.service, service),
            (&self.author, format!("is by {}", self.author)),
        ];
        let parts = parts.into_iter().filter(|(word, _)| !word.is_empty()).map(|(_, said)| said).collect::<Vec<_>>();
        format!("None {}.", parts.join(" and "))
    }

    /// The same list from another place on.
    fn from(&self, cursor: &str) -> String {
        urls::rfc_list(&[
            ("q", &self.q),
            ("status", &self.status),
            ("kind", &self.kind),
            ("service", &self.service),
            ("author", &self.author),
            ("cursor", cursor),
        ])
    }
}

/// All RFCs that the reader may see, the one in which something happened last first.
#[component]
pub fn IndexPage() -> impl IntoView {
    let signed_in = session::signed_in();
    let asked = Asked::read();
    page(
        async move {
            let (backend, actor) = signed_in?;
            let cursor = (!asked.cursor.is_empty()).then(|| asked.cursor.clone());
            let request = PageRequest { limit: None, cursor };
            let services = options(&backend, &actor).await?.services;
            let found = list::list(&backend, &actor, asked.filter(&services), &request).await?;
            let blocked = policy::allows(&actor, Action::WriteRfc).err().map(|refusal| refusal.to_string());
            Ok((asked, services, found, blocked.unwrap_or_default()))
        },
        |(asked, services, found, blocked)| show(&asked, services, found, blocked),
    )
}

/// `blocked`: why the reader may not write one; empty when they may.
fn show(asked: &Asked, services: Vec<ServiceRef>, found: Page<Listed>, blocked: String) -> impl IntoView + use<> {
    let next = found.next_cursor.as_deref().map(|cursor| asked.from(cursor)).unwrap_or_default();
    let first = if asked.cursor.is_empty() { String::new() } else { asked.from("") };
    let rows = if found.items.is_empty() {
        nothing(asked, &services, blocked.clone())
    } else {
        let rows: Vec<_> = found.items.into_iter().map(row).collect();
        view! { <Rows label="RFCs">{rows}</Rows> }.into_any()
    };
    view! {
        <Title text="RFCs · Plumbline"/>
        <PageHeader title="RFCs" crumbs=vec![Crumb::new("Home", urls::home())]>
            <Actions>
                <Button href=urls::new_rfc() variant=Variant::Primary icon=Glyph::Plus disabled_reason=blocked>
                    "New RFC"
                </Button>
            </Actions>
        </PageHeader>
        {filters(asked, services)}
        {rows}
        <Pagination first=first next=next/>
    }
}

fn filters(asked: &Asked, services: Vec<ServiceRef>) -> impl IntoView + use<> {
    let any = |label: &str| Choice::new("", label);
    let statuses = Status::ALL.into_iter().map(|status| Choice::new(status.as_str(), status.label()));
    let statuses: Vec<_> = [any("Any status")].into_iter().chain(statuses).collect();
    let kinds = Kind::ALL.into_iter().map(|kind| Choice::new(kind.as_str(), kind.label()));
    let kinds: Vec<_> = [any("Any kind")].into_iter().chain(kinds).collect();
    // To choose from while it is typed; a list that nobody can look through does not help.
    let offered = services.into_iter().take(usize::try_from(limits::PAGE_ROWS_MAX).unwrap_or_default());
    let offered: Vec<_> = offered.map(|service| view! { <option value=service.slug>{service.name}</option> }).collect();
    let Asked { q, status, kind, service, author, cursor: _ } = asked.clone();
    let reset = if asked.is_filtered() { urls::rfcs() } else { String::new() };
    view! {
        <Filters action=urls::rfcs() reset=reset>
            <Field
                name="q"
                label="Words"
                hide_label=true
                kind=FieldKind::Search
                placeholder="Words in the title or the text"
                value=q
            />
            <Select
                name="status"
                label="Status"
                hide_label=true
                options=statuses
                value=status
            />
            <Select
                name="kind"
                label="Kind"
                hide_label=true
                options=kinds
                value=kind
            />
            <Field
                name="service"
                label="Service"
                hide_label=true
                kind=FieldKind::Search
                placeholder="Service"
                list="services"
                value=service
            />
            <datalist id="services">{offered}</datalist>
            <Field
                name="author"
                label="Author's e-mail"
                hide_label=true
                kind=FieldKind::Search
                placeholder="Author's e-mail"
                value=author
            />
        </Filters>
    }
}

fn row(rfc: Listed) -> AnyView {
    let authors = rfc.authors.iter().map(|author| author.name.as_str()).collect::<Vec<_>>().join(", ");
    let services: Vec<_> = rfc
        .services
        .iter()
        .map(|service| view! { <a href=urls::service(&service.slug)>{service.name.clone()}</a> })
        .collect();
    let blocking = (rfc.blocking_threads > 0).then(|| {
        view! { <span class="tone-bad"><Stat icon=Glyph::Alert n=rfc.blocking_threads what=counted(rfc.blocking_threads, "blocking thread", "blocking threads")/></span> }
    });
    let open = (rfc.open_threads > 0)
        .then(|| view! { <Stat icon=Glyph::Comment n=rfc.open_threads what=counted(rfc.open_threads, "open thread", "open threads")/> });
    view! {
        <Row title=rfc.title href=urls::rfc(rfc.number) number=format!("RFC-{}", rfc.number)>
            <RowMeta>
                <span>{rfc.kind.label()}</span>
                <span>{authors}</span>
                {services}
            </RowMeta>
            <RowSide>
                {blocking}
                {open}
                <StatusBadge status=rfc.status/>
                <Time at=rfc.active_at/>
            </RowSide>
        </Row>
    }
    .into_any()
}

fn nothing(asked: &Asked, services: &[ServiceRef], blocked: String) -> AnyView {
    if asked.is_filtered() {
        return view! {
            <EmptyState title="No RFC matches" text=asked.said(services) icon=Glyph::Search>
                <Button href=urls::rfcs()>"Show all RFCs"</Button>
            </EmptyState>
        }
        .into_any();
    }
    view! {
        <EmptyState
            title="No RFCs yet"
            text="An RFC says what you plan to do, so that others can find its weak spots before your users do."
            icon=Glyph::Document
        >
            <Button href=urls::new_rfc() disabled_reason=blocked>"Write the first one"</Button>
        </EmptyState>
    }
    .into_any()
}
