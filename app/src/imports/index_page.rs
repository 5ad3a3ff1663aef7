//! `/admin/imports`: what was handed in.

use backend::PageRequest;
use backend::imports;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::words::{self, StateBadge};
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Button, Crumb, EmptyState, Glyph, PageHeader, Pagination, Row, RowMeta, RowSide, Rows, Time, Variant,
};
use crate::urls;

/// The list, the newest first.
#[component]
pub fn ImportsPage() -> impl IntoView {
    let cursor = use_query_map().read_untracked().get("cursor");
    let load = async move {
        let (backend, actor) = signed_in()?;
        let request = PageRequest { limit: None, cursor: cursor.clone() };
        Ok((imports::list(&backend, &actor, &request).await?, cursor))
    };
    page(load, |(found, cursor)| {
        let next = found.next_cursor.map(|cursor| urls::import_list(&cursor)).unwrap_or_default();
        let first = if cursor.is_some() { urls::imports() } else { String::new() };
        let rows: Vec<_> = found
            .items
            .into_iter()
            .map(|import| {
                view! {
                    <Row title=import.name href=urls::import(import.id) icon=Glyph::Document>
                        <RowMeta>
                            {words::kind(import.kind)} " · " {words::size(import.bytes)} " · " {import.created_by} " · "
                            <Time at=import.created_at/>
                        </RowMeta>
                        <RowSide><StateBadge state=import.state begun=import.applied_by.is_some()/></RowSide>
                    </Row>
                }
            })
            .collect();
        let list = if rows.is_empty() {
            let text =
                "Hand in a catalogue or a file of incidents: the differences are shown before anything is changed.";
            view! {
                <EmptyState title="No imports yet" text=text icon=Glyph::Document>
                    <Button href=urls::new_import("catalog")>"Import a catalogue"</Button>
                    <Button href=urls::new_import("incidents")>"Import incidents"</Button>
                </EmptyState>
            }
            .into_any()
        } else {
            view! { <Rows label="Imports">{rows}</Rows> }.into_any()
        };
        view! {
            <Title text="Imports · Plumbline"/>
            <PageHeader title="Imports" crumbs=crumbs()>
                <Actions>
                    <Button href=urls::new_import("incidents")>"Import incidents"</Button>
                    <Button href=urls::new_import("catalog") variant=Variant::Primary icon=Glyph::Plus>
                        "Import a catalogue"
                    </Button>
                </Actions>
            </PageHeader>
            <div class="stack">
                {list}
                <Pagination first=first next=next/>
            </div>
        }
    })
}

/// The way up from this page.
fn crumbs() -> Vec<Crumb> {
    vec![Crumb::new("Home", urls::home()), Crumb::new("Admin", urls::admin())]
}
