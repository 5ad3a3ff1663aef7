//! `/admin/imports/{id}`: one import. Its differences and what to do about them; its progress; its report.

use backend::imports::{self, Import, Line, Outcome, Phase, State};
use backend::incidents::import::Preview;
use backend::{Page, PageRequest};
use domain::{Refusal, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::api::{Apply, Cancel, Discard};
use super::incidents_form::{self, Columns};
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
    /// The columns of a file of incidents, while they can be said to be something else.
    columns: Option<Preview>,
    /// The organisation's time zone.
    zone: String,
    /// The address of this very page, while work goes on and it does not load itself again; else empty.
    again: String,
}

async fn load(id: Option<i64>, show: Option<String>, cursor: Option<String>) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let id = id.ok_or_else(|| Refusal::not_found("import"))?;
    let import = imports::get(&backend, &actor, id).await?;
    // Whatever became of it since: what was done is there to be read. A new comparison forgets it.
    let phase = if import.applied_by.is_some() { Phase::Apply } else { Phase::Check };
    let counts = if phase == Phase::Apply { &import.did } else { &import.found };
    // What one looks at first: what changes, then what does not.
    let order = [Outcome::Changed, Outcome::New, Outcome::Kept, Outcome::Refused, Outcome::Noted];
    let first = order.into_iter().find(|outcome| counts.with(*outcome) > 0).unwrap_or(Outcome::New);
    // Whoever has chosen what to read is left at it.
    let reading = show.is_some() || cursor.is_some();
    let outcome = show.and_then(|word| Outcome::parse(&word)).unwrap_or(first);
    let request = PageRequest { limit: Some(LINES), cursor: cursor.clone() };
    let lines = imports::lines(&backend, &actor, id, phase, Some(outcome), &request).await?;
    let mut again = String::new();
    if import.state.is_busy() && reading {
        again = urls::import_lines(id, outcome.as_str(), cursor.as_deref().unwrap_or_default());
    } else if import.state.is_busy() {
        refresh_after(5, &urls::import(id));
    }
    let columns = incidents_form::load(&backend, &actor, &import).await?;
    let zone = backend.time_zone().iana_name().unwrap_or("UTC").to_owned();
    Ok(Shown { import, phase, outcome, lines, cursor, columns, zone, again })
}

/// One import.
#[component]
pub fn ImportPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").and_then(|id| id.parse().ok());
    let query = use_query_map().read_untracked().clone();
    let one_outcome = query.get("show").is_some();
    page(load(id, query.get("show"), query.get("cursor")), move |shown| {
        let import = shown.import.clone();
        let mut title = format!("{} · Imports · Plumbline", import.name);
        if one_outcome {
            title = format!("{} · {title}", words::outcome(shown.outcome));
        }
        let crumbs = vec![
            Crumb::new("Home", urls::home()),
            Crumb::new("Admin", urls::admin()),
            Crumb::new("Imports", urls::imports()),
        ];
        let columns = shown.columns.clone().map(|preview| {
            view! { <Columns import=shown.import.clone() preview=preview zone=shown.zone.clone()/> }
        });
        let begun = import.applied_by.is_some();
        let applied_by = import.applied_by.map(|name| view! { <span>"applied by " {name}</span> });
        view! {
            <Title text=title/>
            <PageHeader title=import.name crumbs=crumbs>
                <Meta>
                    <StateBadge state=import.state begun=begun/>
                    <span>{words::kind(import.kind)}</span>
                    <span>{words::size(import.bytes)}</span>
                    <span>"handed in by " {import.created_by} " " <Time at=import.created_at/></span>
                    {applied_by}
                </Meta>
            </PageHeader>
            <div class="stack">
                <Standing import=shown.import.clone() has_columns=shown.columns.is_some() again=shown.again.clone()/>
                {columns}
                <Lines shown=shown/>
            </div>
        }
    })
}

/// Where it stands, and what can be done about it.
#[component]
fn Standing(
    /// The import.
    import: Import,
    /// Whether the page shows its columns, to be said otherwise.
    has_columns: bool,
    /// Loads the page again, where it does not do so itself.
    again: String,
) -> impl IntoView {
    let id = import.id;
    let nothing = import.found.with(Outcome::New) + import.found.with(Outcome::Changed) == 0;
    let so_far = so_far(&import);
    match import.state {
        State::Receiving => view! { <Progress import=import again=again text="The file is still arriving."/> }.into_any(),
        State::Checking => {
            view! { <Progress import=import again=again text="The file is being compared with what is here. Nothing is changed yet."/> }
                .into_any()
        }
        State::Applying => {
            let focused = again.is_empty();
            view! {
                // Focused anew by each load, so that "Stop" is one step away from the keyboard however often the page loads.
                <div class="stack import-progress" role="group" aria-label="Progress" tabindex="-1" autofocus=focused>
                    <Progress import=import.clone() again=again text="The file is being applied. You may leave this page; it goes on."/>
                    <Form action=Cancel::PATH>
                        <Hidden name="import" value=id.to_string()/>
                        <FormActions><Button icon=Glyph::Cross>"Stop"</Button></FormActions>
                    </Form>
                </div>
            }
            .into_any()
        }
        State::Ready if nothing => {
            let (tone, text) = if import.found.with(Outcome::Refused) == 0 {
                (Tone::Good, "Everything that this file says is here already, or was changed here and stays.")
            } else {
                (Tone::Warn, "What is not here already is refused; why stands below.")
            };
            view! {
                <Notice tone=tone title="Nothing would change">{text}</Notice>
                <Decide import=import/>
            }
            .into_any()
        }
        State::Ready => view! {
            <Notice title="Nothing is changed yet">"Read the differences below, then apply them or discard the file."</Notice>
            <Decide import=import/>
        }
        .into_any(),
        State::Applied => {
            view! { <Notice tone=Tone::Good title="Applied">"What came of it is below."</Notice> }.into_any()
        }
        State::Cancelled => view! {
            <Notice tone=Tone::Warn title="Stopped before its end">{so_far} " Apply it again to do the rest."</Notice>
            <Decide import=import/>
        }
        .into_any(),
        State::Discarded => view! { <Notice title="Discarded">"Nothing of this file was applied since."</Notice> }.into_any(),
        State::Failed if import.applied_by.is_some() => view! {
            <Notice tone=Tone::Bad title="Stopped by a fault">
                <p>{import.problem}</p>
                <p>{so_far} " Hand the file in again to do the rest."</p>
            </Notice>
            <div class="cluster">
                <Button href=urls::new_import(import.kind.as_str()) variant=Variant::Primary>"Hand it in again"</Button>
                <DiscardIt import=id/>
            </div>
        }
        .into_any(),
        State::Failed => view! {
            {if has_columns {
                view! {
                    <Notice tone=Tone::Warn title="Not understood yet">
                        {import.problem} " Say below how the file is to be read, or hand in another one."
                    </Notice>
                }
                .into_any()
            } else {
                view! { <Notice tone=Tone::Bad title="This file cannot be taken over">{import.problem}</Notice> }.into_any()
            }}
            <div class="cluster">
                <Button href=urls::new_import(import.kind.as_str()) variant=Variant::Primary>"Hand in another file"</Button>
                <DiscardIt import=id/>
            </div>
        }
        .into_any(),
    }
}

/// What came of an import that did not come to its end.
fn so_far(import: &Import) -> String {
    match import.total {
        Some(total) if import.done > 0 => {
            format!("{} of {total} steps were done; what they did is below and stays.", import.done)
        }
        _ => "Nothing of it was applied.".to_owned(),
    }
}

/// How far the work is.
#[component]
fn Progress(
    import: Import,
    /// Loads the page again, where it does not do so itself.
    again: String,
    text: &'static str,
) -> impl IntoView {
    let total = import.total.filter(|total| *total > 0);
    let said = total.map(|total| format!("{} of {total}", import.done));
    let renewed = if again.is_empty() {
        "This page loads itself again until it is done.".into_any()
    } else {
        view! { "This page stays as it is while you read. " <a href=again>"Load again"</a> }.into_any()
    };
    view! {
        <Notice tone=Tone::Accent>
            <p>{text}</p>
            <p class="cluster">
                <progress class="progress" aria-label="Progress" max=total value=total.map(|_| import.done)></progress>
                <span class="muted small">{said}</span>
            </p>
            <p class="muted small">{renewed}</p>
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
            <DiscardIt import=id/>
        </div>
    }
}

/// Decides against it.
#[component]
fn DiscardIt(import: i64) -> impl IntoView {
    view! {
        <Confirm
            label="Discard"
            title="Discard this file?"
            text="Nothing more of it is applied, and the file itself is deleted."
            action=Discard::PATH
            confirm="Discard"
        >
            <Hidden name="import" value=import.to_string()/>
        </Confirm>
    }
}

/// The differences or the report: one outcome at a time.
#[component]
fn Lines(shown: Shown) -> impl IntoView {
    let Shown { import, phase, outcome, lines, cursor, .. } = shown;
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
    // What has no line of its own.
    let counted = [("unchanged", ", unchanged: "), ("counted", ", new: ")].into_iter().flat_map(|(word, said)| {
        words::sorts(&counts, word).into_iter().map(move |(sort, n)| view! { <Badge>{sort} {said} {n}</Badge> })
    });
    let counted = counted.collect_view();
    let sorts =
        words::sorts(&counts, outcome.as_str()).into_iter().map(|(sort, n)| view! { <Badge>{sort} ": " {n}</Badge> });
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
                <thead>
                    <tr>
                        <th scope="col">"What"</th>
                        <th scope="col">"Which"</th>
                        <th scope="col">"What about it"</th>
                        <th scope="col">"Where"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </Table>
        }
        .into_any()
    };
    let label = if phase == Phase::Apply { "What was done" } else { "What would be done" };
    view! {
        <div class="stack">
            <div class="cluster">{counted}</div>
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
        // Its own name for it, or its title: both are looked for, up to so many characters.
        "incident" if here => {
            let words: String = line.subject.chars().take(limits::SEARCH_CHARS).collect();
            Some(urls::incident_list(&[("period", "all"), ("q", &words)]))
        }
        "unknown service" if phase == Phase::Apply => Some(urls::unknown_services()),
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
