//! `/admin/audit`: everything that happened, for admins. Every filter stands in the address.

use backend::PageRequest;
use backend::events::audit::{self, Audited, Filter};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::page::page;
use crate::session;
use crate::ui::{
    Actions, Button, Choice, Crumb, EmptyState, Field, FieldKind, Filters, Glyph, Meta, PageHeader, Pagination, Select,
    Table, Time,
};
use crate::urls;

/// Nouns that events are about, and their words.
const KINDS: [(&str, &str); 10] = [
    ("rfc", "RFCs"),
    ("service", "Services"),
    ("team", "Teams"),
    ("person", "People"),
    ("incident", "Incidents"),
    ("follow_up", "Follow-ups"),
    ("webhook", "Webhooks"),
    ("hook", "Hooks"),
    ("import", "Imports"),
    ("product", "The product"),
];

/// Names and values of a filter, as an address has them.
fn query<'a>(filter: &'a Filter, cursor: &'a str) -> [(&'static str, &'a str); 8] {
    [
        ("actor", &filter.actor),
        ("verb", &filter.verb),
        ("kind", &filter.kind),
        ("subject", &filter.subject),
        ("from", &filter.from),
        ("to", &filter.to),
        ("request", &filter.request),
        ("cursor", cursor),
    ]
}

/// The audit log.
#[component]
pub fn AuditPage() -> impl IntoView {
    let signed_in = session::signed_in();
    let asked = use_query_map();
    let word = |name: &str| asked.read_untracked().get(name).unwrap_or_default().trim().to_owned();
    let filter = Filter {
        actor: word("actor"),
        verb: word("verb"),
        kind: word("kind"),
        subject: word("subject"),
        from: word("from"),
        to: word("to"),
        request: word("request"),
    };
    let cursor = word("cursor");
    let load = async move {
        let (backend, actor) = signed_in?;
        let request = PageRequest { limit: None, cursor: (!cursor.is_empty()).then(|| cursor.clone()) };
        let found = audit::list(&backend, &actor, &filter, &request).await?;
        let zone = backend.time_zone().iana_name().unwrap_or("UTC").to_owned();
        Ok((filter, cursor, found, zone))
    };
    page(load, |(filter, cursor, found, zone)| {
        let next = found.next_cursor.as_deref().map(|next| urls::audit(&query(&filter, next))).unwrap_or_default();
        let first = if cursor.is_empty() { String::new() } else { urls::audit(&query(&filter, "")) };
        let filtered = filter != Filter::default();
        let file = urls::audit_csv(&query(&filter, ""));
        let list = if found.items.is_empty() {
            view! {
                <EmptyState title="No event matches" text="Take a filter away, or look at other days." icon=Glyph::History>
                    <Button href=urls::audit(&[])>"Show all events"</Button>
                </EmptyState>
            }
            .into_any()
        } else {
            table(found.items)
        };
        view! {
            <Title text="Audit log · Plumbline"/>
            <PageHeader title="Audit log" crumbs=vec![Crumb::new("Home", urls::home()), Crumb::new("Admin", urls::admin())]>
                <Meta>"Everything that changed anything. Nobody can edit it, the application included."</Meta>
                <Actions>
                    <Button href=file icon=Glyph::External>"Export as CSV"</Button>
                </Actions>
            </PageHeader>
            {filters(&filter, &zone, filtered)}
            {list}
            <Pagination first=first next=next/>
        }
    })
}

fn filters(filter: &Filter, zone: &str, filtered: bool) -> impl IntoView + use<> {
    let any = [Choice::new("", "Everything")];
    let kinds = any.into_iter().chain(KINDS.into_iter().map(|(word, label)| Choice::new(word, label))).collect();
    let Filter { actor, verb, kind, subject, from, to, request } = filter.clone();
    let reset = if filtered { urls::audit(&[]) } else { String::new() };
    let zone = format!("From ({zone})");
    view! {
        <Filters action=urls::audit(&[]) reset=reset>
            <Field name="actor" label="Done by (e-mail; - for Plumbline itself)" kind=FieldKind::Search value=actor/>
            <Field name="verb" label="What (or its beginning)" kind=FieldKind::Search placeholder="rfc.published" value=verb/>
            <Select name="kind" label="Kind" options=kinds value=kind/>
            <Field name="subject" label="Name or number" kind=FieldKind::Search placeholder="7, payments" value=subject/>
            <Field name="from" label=zone kind=FieldKind::Date value=from/>
            <Field name="to" label="Until the end of" kind=FieldKind::Date value=to/>
            <Field name="request" label="Request" kind=FieldKind::Search value=request/>
        </Filters>
    }
}

fn table(items: Vec<Audited>) -> AnyView {
    let rows: Vec<_> = items.into_iter().map(row).collect();
    view! {
        <Table caption="Events, the newest first">
            <thead>
                <tr>
                    <th scope="col">"When"</th>
                    <th scope="col">"Who"</th>
                    <th scope="col">"What"</th>
                    <th scope="col">"Which"</th>
                    <th scope="col">"Before → after"</th>
                    <th scope="col">"Request"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn row(audited: Audited) -> AnyView {
    let Audited { event, withheld, .. } = audited;
    let who = match (event.actor, event.actor_name) {
        (Some(email), Some(name)) => {
            view! { <a href=urls::person(&email) title=email dir="auto">{name}</a> }.into_any()
        }
        _ => "Plumbline".into_any(),
    };
    let name = format!("{} {}", event.subject_kind, event.subject_key);
    let subject = match urls::subject(&event.subject_kind, &event.subject_key) {
        Some(href) => view! { <a href=href>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    let changes = if withheld {
        view! { <span class="faint">"Not shown: a draft that you may not read"</span> }.into_any()
    } else {
        let changes = audit::differences(event.before.as_ref(), event.after.as_ref());
        let changes: Vec<_> = changes
            .into_iter()
            .map(|(name, was, is)| {
                let was = (!was.is_empty()).then(|| view! { <del>{was}</del> " " });
                let is = (!is.is_empty()).then(|| view! { <ins>{is}</ins> });
                view! { <div class="audit-change"><dt>{name}</dt><dd dir="auto">{was}{is}</dd></div> }
            })
            .collect();
        if changes.is_empty() { ().into_any() } else { view! { <dl class="audit-changes">{changes}</dl> }.into_any() }
    };
    let same = urls::audit(&[("request", &event.request_id)]);
    view! {
        <tr>
            <td class="nowrap"><Time at=event.at absolute=true/></td>
            <td>{who}</td>
            <td><code>{event.verb}</code></td>
            <td>{subject}</td>
            <td>{changes}</td>
            <td><a class="mono small" href=same>{event.request_id}</a></td>
        </tr>
    }
    .into_any()
}
