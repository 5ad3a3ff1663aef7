//! `/activity?kind=&key=`: everything that happened to one thing; without, everywhere.

use backend::PageRequest;
use backend::events::activity::{self, About};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::page::page;
use crate::session;
use crate::ui::{Button, Crumb, EmptyState, Glyph, PageHeader, Pagination, entries};
use crate::urls;

/// The feed, as far as the reader may know.
#[component]
pub fn ActivityPage() -> impl IntoView {
    let signed_in = session::signed_in();
    let query = use_query_map();
    let word = |name: &str| query.read_untracked().get(name).unwrap_or_default().trim().to_owned();
    let (about, cursor) = (About { kind: word("kind"), key: word("key") }, word("cursor"));
    let load = async move {
        let (backend, actor) = signed_in?;
        let request = PageRequest { limit: None, cursor: (!cursor.is_empty()).then(|| cursor.clone()) };
        let found = activity::list(&backend, &actor, &about, &request).await?;
        Ok((about, cursor, found))
    };
    page(load, |(about, cursor, found)| {
        let from = |cursor: &str| urls::activity(&[("kind", &about.kind), ("key", &about.key), ("cursor", cursor)]);
        let next = found.next_cursor.as_deref().map(from).unwrap_or_default();
        let first = if cursor.is_empty() { String::new() } else { from("") };
        let mut crumbs = vec![Crumb::new("Home", urls::home())];
        let name = match (about.kind.as_str(), about.key.as_str()) {
            ("", _) => String::new(),
            ("rfc", key) => format!("RFC-{key}"),
            ("incident", key) => format!("Incident {key}"),
            ("follow_up", key) => format!("Follow-up {key}"),
            (_, key) => key.to_owned(),
        };
        let mut title = "Activity · Plumbline".to_owned();
        if !name.is_empty() {
            title = format!("{name} · {title}");
        }
        if let Some(page) = urls::subject(&about.kind, &about.key) {
            crumbs.push(Crumb::new(name, page));
        }
        let list = if found.items.is_empty() {
            view! {
                <EmptyState title="Nothing happened here" text="Or nothing that you may know of." icon=Glyph::History>
                    <Button href=urls::activity(&[])>"Everything that happened"</Button>
                </EmptyState>
            }
            .into_any()
        } else {
            entries(found.items, &about)
        };
        view! {
            <Title text=title/>
            <PageHeader title="Activity" crumbs=crumbs/>
            {list}
            <Pagination first=first next=next/>
        }
    })
}
