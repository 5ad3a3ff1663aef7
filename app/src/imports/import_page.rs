//! `/admin/imports/{id}`: one import. Its differences and what to do about them; its progress; its report.

use backend::imports::{self, Import, Line, Outcome, Phase, State};
use backend::{Page, PageRequest};
use domain::Refusal;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::api::{Apply, Cancel, Discard};
use super::words::{self, StateBadge};
use crate::error::AppError;
use crate::page::{page, refresh_after};
use crate::session::signed_in;
use crate::ui::{
    Badge, Button, Confirm, Crumb, EmptyState, Form, FormActions, Glyph, Hidden, Meta, Notice, PageHeader, Pagination,
    Tab, Table, Tabs, Time, Tone, Variant, numbered,
};
use crate::urls;

/// Lines on one page.
const LINES: i64 = 100;

/// What the page shows.
struct Shown {
    import: Import,
    phase: Phase,
    outcome: Outcome,
    lines: Page<Line>,
    cursor: Option<String>,
}

async fn load(id: Option<i64>, show: Option<String>, cursor: Option<String>) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let id = id.ok_or_else(|| Refusal::not_found("import"))?;
    let import = imports::get(&backend, &actor, id).await?;
    let phase = if matches!(import.state, State::Applying | State::Applied | State::Cancelled) {
        Phase::Apply
    } else {
        Phase::Check
    };
    let counts = if phase == Phase::Apply { &import.did } else { &import.found };
    // What one looks at first: what changes, then what does not.
    let order = [Outcome::Changed, Outcome::New, Outcome::Kept, Outcome::Refused, Outcome::Noted];
    let first = order.into_iter().find(|outcome| counts.with(*outcome) > 0).unwrap_or(Outcome::New);
    let outcome = show.and_then(|word| Outcome::parse(&word)).unwrap_or(first);
    let request = PageRequest { limit: Some(LINES), cursor: cursor.clone() };
    let lines = imports::lines(&backend, &actor, id, phase, Some(outcome), &request).await?;
    if import.state.is_busy() {
        refresh_after(2, &urls::import(id));
    }
    Ok(Shown { import, phase, outcome, lines, cursor })
}

/// One import.
#[component]
pub fn ImportPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").and_then(|id| id.parse().ok());
    let query = use_query_map().read_untracked().clone();
    page(load(id, query.get("show"), query.get("cursor")), |shown| {
        let import = shown.import.clone();
        let title = format!("{} · Imports · Plumbline", import.name);
        let crumbs = vec![
            Crumb::new("Home", urls::home()),
            Crumb::new("Admin", urls::admin()),
            Crumb::new("Imports", urls::imports()),
        ];
        let applied_by = import.applied_by.map(|name| view! { <span>"applied by " {name}</span> });
        view! {
            <Title text=title/>
            <PageHeader title=import.name crumbs=crumbs>
                <Meta>
                    <StateBadge state=import.state/>
                    <span>{words::kind(import.kind)}</span>
                    <span>{words::size(import.bytes)}</span>
                    <span>"handed in by " {import.created_by} " " <Time at=import.created_at/></span>
                    {applied_by}
                </Meta>
            </PageHeader>
            <div class="stack">
                <Standing import=shown.import.clone()/>
                <Lines shown=shown/>
            </div>
        }
    })
}

/// Where it stands, and what can be done about it.
#[component]
fn Standing(import: Import) -> impl IntoView {
    let id = import.id;
    let nothing = import.found.with(Outcome::New) + import.found.with(Outcome::Changed) == 0;
    match import.state {
        State::Receiving => view! { <Progress import=import text="The file is still arriving."/> }.into_any(),
        State::Checking => {
            view! { <Progress import=import text="The file is being compared with what is here. Nothing is changed yet."/> }
                .into_any()
        }
        State::Applying => view! {
            <Progress import=import.clone() text="The file is being applied. You may leave this page; it goes on."/>
            <Form action=Cancel::PATH>
                <Hidden name="import" value=id.to_string()/>
                <FormActions><Button icon=Glyph::Cross>"Stop"</Button></FormActions>
            </Form>
        }
        .into_any(),
        State::Ready if nothing => view! {
            <Notice tone=Tone::Good title="Nothing would change">
                "Everything that this file says is here already, or was changed here and stays."
            </Notice>
            <Decide import=import/>
        }
        .into_any(),
        State::Ready => view! {
            <Notice title="Nothing is changed yet">"Read the differences below, then apply them or discard the file."</Notice>
            <Decide import=import/>
        }
        .into_any(),
        State::Applied => {
            view! { <Notice tone=Tone::Good title="Applied">"What came of it is below."</Notice> }.into_any()
        }
        State::Cancelled => {
            let done = format!("{} of {} steps were done; what they did is below and stays.", import.done, import.total.unwrap_or_default());
            view! {
                <Notice tone=Tone::Warn title="Stopped before its end">{done} " Apply it again to do the rest."</Notice>
                <Decide import=import/>
            }
            .into_any()
        }
        State::Discarded => view! { <Notice title="Discarded">"Nothing of this file was applied since."</Notice> }.into_any(),
        State::Failed => view! {
            <Notice tone=Tone::Bad title="This file cannot be taken over">{import.problem}</Notice>
            <div class="cluster">
                <Button href=urls::new_import(import.kind.as_str()) variant=Variant::Primary>"Hand in another file"</Button>
            </div>
        }
        .into_any(),
    }
}

/// How far the work is.
#[component]
fn Progress(import: Import, text: &'static str) -> impl IntoView {
    let total = import.total.filter(|total| *total > 0);
    let said = total.map(|total| format!("{} of {total}", import.done));
    view! {
        <Notice tone=Tone::Accent>
            <p>{text}</p>
            <p class="cluster">
                <progress class="progress" aria-label="Progress" max=total value=total.map(|_| import.done)></progress>
                <span class="muted small">{said}</span>
            </p>
            <p class="muted small">"This page loads itself again until it is done."</p>
        </Notice>
    }
}

/// Apply or discard.
#[component]
fn Decide(import: Import) -> impl IntoView {
    let (id, version) = (import.id, import.version);
    let gone = if import.has_file { "" } else { "The file is no longer kept: hand it in again." };
    view! {
        <div class="cluster">
            <Form action=Apply::PATH class="form-inline">
                <Hidden name="import" value=id.to_string()/>
                <Hidden name="version" value=version.to_string()/>
                <Button variant=Variant::Primary icon=Glyph::Check disabled_reason=gone>"Apply"</Button>
            </Form>
            <Confirm
                label="Discard"
                title="Discard this file?"
                text="Nothing more of it is applied, and the file itself is deleted."
                action=Discard::PATH
                confirm="Discard"
            >
                <Hidden name="import" value=id.to_string()/>
            </Confirm>
        </div>
    }
}

/// The differences or the report: one outcome at a time.
#[component]
fn Lines(shown: Shown) -> impl IntoView {
    let Shown { import, phase, outcome, lines, cursor } = shown;
    let counts = if phase == Phase::Apply { import.did.clone() } else { import.found.clone() };
    if counts.0.is_empty() {
        return ().into_any();
    }
    let tabs = Outcome::ALL.iter().map(|one| {
        Tab::new(words::outcome(*one), urls::import_lines(import.id, one.as_str(), ""))
            .count(counts.with(*one))
            .current(*one == outcome)
    });
    let tabs = tabs.collect();
    let unchanged = words::sorts(&counts, "unchanged")
        .into_iter()
        .map(|(sort, n)| view! { <Badge>{n} " unchanged: " {sort}</Badge> });
    let unchanged = unchanged.collect_view();
    let sorts =
        words::sorts(&counts, outcome.as_str()).into_iter().map(|(sort, n)| view! { <Badge>{n} " " {sort}</Badge> });
    let sorts = sorts.collect_view();
    let next =
        lines.next_cursor.map(|cursor| urls::import_lines(import.id, outcome.as_str(), &cursor)).unwrap_or_default();
    let first = if cursor.is_some() { urls::import_lines(import.id, outcome.as_str(), "") } else { String::new() };
    let table = if lines.items.is_empty() {
        view! { <EmptyState title="None of these" icon=Glyph::CheckCircle/> }.into_any()
    } else {
        let rows = lines.items.into_iter().map(|line| view! { <LineRow line=line phase=phase/> }).collect_view();
        let caption = format!("{}: {}", words::outcome(outcome), numbered(counts.with(outcome), "entry", "entries"));
        view! {
            <Table caption=caption>
                <thead><tr><th>"What"</th><th>"Which"</th><th>"What about it"</th><th>"Where"</th></tr></thead>
                <tbody>{rows}</tbody>
            </Table>
        }
        .into_any()
    };
    let label = if phase == Phase::Apply { "What was done" } else { "What would be done" };
    view! {
        <div class="stack">
            <div class="cluster">{unchanged}</div>
            <Tabs label=label items=tabs/>
            <div class="cluster">{sorts}</div>
            {table}
            <Pagination first=first next=next/>
        </div>
    }
    .into_any()
}

#[component]
fn LineRow(line: Line, phase: Phase) -> impl IntoView {
    let here = phase == Phase::Apply || line.outcome != Outcome::New;
    let href = match line.sort.as_str() {
        "service" | "archived service" | "missing service" if here => Some(urls::service(&line.subject)),
        "team" | "missing team" if here => Some(urls::team(&line.subject)),
        _ => None,
    };
    let subject = match href {
        Some(href) => view! { <a href=href>{line.subject}</a> }.into_any(),
        None => view! { {line.subject} }.into_any(),
    };
    let place = match line.place.line {
        0 => String::new(),
        number => format!("line {number}"),
    };
    let changes = line.changes.into_iter().map(|change| {
        view! {
            <li>
                <b>{change.field}</b> ": " <del>{change.before}</del> <span class="visually-hidden">" becomes "</span>
                <span aria-hidden="true">" → "</span> <ins>{change.after}</ins>
            </li>
        }
    });
    let changes = changes.collect::<Vec<_>>();
    let changes = (!changes.is_empty()).then(|| view! { <ul class="changes">{changes}</ul> });
    view! {
        <tr>
            <td class="nowrap">{line.sort}</td>
            <th scope="row" dir="auto">{subject}</th>
            <td dir="auto">
                {line.message}
                {changes}
            </td>
            <td class="nowrap muted">{place}</td>
        </tr>
    }
}
