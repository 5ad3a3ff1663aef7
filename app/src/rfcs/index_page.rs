//! The list of RFCs. Every filter stands in the address.

use backend::page::{Page, PageRequest};
use backend::rfcs::list::{self, Filter, Listed};
use domain::policy::{self, Action};
use domain::rfc::{Kind, Status};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::page::page;
use crate::session;
use crate::ui::{
    Actions, Button, Choice, Crumb, EmptyState, Field, FieldKind, Filters, Glyph, PageHeader, Pagination, Row, RowMeta,
    RowSide, Rows, Select, Stat, StatusBadge, Time, Variant,
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

    fn filter(&self) -> Filter {
        let given = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        Filter {
            q: given(&self.q),
            status: given(&self.status),
            kind: given(&self.kind),
            service: given(&self.service),
            author: given(&self.author),
        }
    }

    fn is_filtered(&self) -> bool {
        self.filter() != Filter::default()
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
            let found = list::list(&backend, &actor, asked.filter(), &request).await?;
            let blocked = policy::allows(&actor, Action::WriteRfc).err().map(|refusal| refusal.to_string());
            Ok((asked, found, blocked.unwrap_or_default()))
        },
        |(asked, found, blocked)| show(&asked, found, blocked),
    )
}

/// `blocked`: why the reader may not write one; empty when they may.
fn show(asked: &Asked, found: Page<Listed>, blocked: String) -> impl IntoView + use<> {
    let next = found.next_cursor.as_deref().map(|cursor| asked.from(cursor)).unwrap_or_default();
    let first = if asked.cursor.is_empty() { String::new() } else { asked.from("") };
    let rows = if found.items.is_empty() {
        nothing(asked, blocked.clone())
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
        {filters(asked)}
        {rows}
        <Pagination first=first next=next/>
    }
}

fn filters(asked: &Asked) -> impl IntoView + use<> {
    let any = |label: &str| Choice::new("", label);
    let statuses = Status::ALL.into_iter().map(|status| Choice::new(status.as_str(), status.label()));
    let statuses: Vec<_> = [any("Any status")].into_iter().chain(statuses).collect();
    let kinds = Kind::ALL.into_iter().map(|kind| Choice::new(kind.as_str(), kind.label()));
    let kinds: Vec<_> = [any("Any kind")].into_iter().chain(kinds).collect();
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
                value=service
            />
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
        .map(|service| view! { <a href=urls::service(&service.slug)>{service.slug.clone()}</a> })
        .collect();
    let blocking = (rfc.blocking_threads > 0).then(|| {
        view! { <span class="tone-bad"><Stat icon=Glyph::Alert n=rfc.blocking_threads what="blocking"/></span> }
    });
    let open = (rfc.open_threads > 0)
        .then(|| view! { <Stat icon=Glyph::Comment n=rfc.open_threads what="open conversations"/> });
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

fn nothing(asked: &Asked, blocked: String) -> AnyView {
    if asked.is_filtered() {
        return view! {
            <EmptyState title="No RFC matches" text="Take a filter away, or look for fewer words." icon=Glyph::Search>
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
