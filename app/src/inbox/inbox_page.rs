//! `/inbox`: what one was told of, the newest first; and `/inbox/{id}`, which opens one of them and marks it as read.

use backend::notices::inbox::{self, Counts, Item, Notice, State};
use backend::{Page, PageRequest};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::api;
use super::keys_island::InboxKeys;
use crate::error::AppError;
use crate::page::page;
use crate::session::{self, signed_in};
use crate::ui::{
    Actions, Button, Crumb, Disclosure, EmptyState, Form, Glyph, Hidden, Meta, PageHeader, Pagination, Row, RowMeta,
    RowSide, Rows, Tab, Tabs, Time, Variant, numbered,
};
use crate::urls;

/// What the page shows.
struct Shown {
    state: State,
    counts: Counts,
    items: Page<Item>,
    first: bool,
    /// The address of this very list.
    back: String,
}

async fn load(state: String, cursor: Option<String>) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let state = if state.is_empty() { State::Open } else { State::parse(&state)? };
    let first = cursor.is_none();
    let back = urls::inbox_page(state.as_str(), cursor.as_deref().unwrap_or_default());
    let items = inbox::list(&backend, &actor, state, &PageRequest { limit: None, cursor }).await?;
    let counts = inbox::counts(&backend, &actor).await?;
    Ok(Shown { state, counts, items, first, back })
}

/// The inbox.
#[component]
pub fn InboxPage() -> impl IntoView {
    let query = use_query_map().read_untracked().clone();
    let cursor = query.get("cursor").filter(|cursor| !cursor.is_empty());
    page(load(query.get("state").unwrap_or_default(), cursor), |shown| {
        let Shown { state, counts, items, first, back } = shown;
        let tab = |of: State, label: &str, count: i64| {
            let tab = Tab::new(label, urls::inbox_state(of.as_str())).current(of == state);
            if count > 0 { tab.count(count) } else { tab }
        };
        let tabs = vec![
            tab(State::Open, "Open", counts.open),
            tab(State::Later, "Later", counts.later),
            tab(State::Done, "Done", 0),
        ];
        let seen = items.items.iter().filter_map(|item| item.notices.first()).map(|notice| notice.id).max();
        // What is further down the list is older, so it counts as seen as well.
        let all_read = (counts.unread > 0 && state == State::Open && first).then_some(seen).flatten();
        let next = items.next_cursor.map(|cursor| urls::inbox_page(state.as_str(), &cursor)).unwrap_or_default();
        let start = if first { String::new() } else { urls::inbox_state(state.as_str()) };
        let list = if items.items.is_empty() {
            empty(state).into_any()
        } else {
            let row = |item| view! { <ItemRow item=item back=back.clone()/> };
            let rows = items.items.into_iter().map(row).collect_view();
            view! { <Rows label="Your inbox">{rows}</Rows> }.into_any()
        };
        let title = match state {
            State::Open => "Inbox · Plumbline",
            State::Later => "Later · Inbox · Plumbline",
            State::Done => "Done · Inbox · Plumbline",
        };
        view! {
            <Title text=title/>
            // Whole: what comes in while one looks is counted, and marked as read by the button.
            <div id="inbox-list" data-live="inbox">
                <PageHeader title="Inbox" crumbs=vec![Crumb::new("Home", urls::home())]>
                    <Meta>{numbered(counts.unread, "unread", "unread")}</Meta>
                    <Actions>
                        <Button href=urls::notice_preferences()>"What I am told"</Button>
                        {all_read.map(|seen| view! {
                            <Form action=api::ReadAll::PATH class="form-inline">
                                <Hidden name="seen" value=seen.to_string()/>
                                <Button icon=Glyph::Check>"Mark all as read"</Button>
                            </Form>
                        })}
                    </Actions>
                </PageHeader>
                <Tabs label="State" items=tabs/>
                {list}
            </div>
            <InboxKeys/>
            <Pagination first=start next=next/>
        }
    })
}

/// One object.
#[component]
fn ItemRow(
    /// What one was told of it.
    item: Item,
    /// The address of this list.
    back: String,
) -> impl IntoView {
    let Item { id, subject_kind, tag, title, state, unread, back_at, at, notices, notice_count, .. } = item;
    let href = urls::inbox_item(&id);
    let seen = notices.first().map(|notice| notice.id.to_string()).unwrap_or_default();
    let mut notices = notices.into_iter();
    let newest = notices.next().map(|notice| view! { <p class="notice-line"><NoticeLine notice=notice/></p> });
    let earlier: Vec<_> =
        notices.map(|notice| view! { <li class="notice-line"><NoticeLine notice=notice dated=true/></li> }).collect();
    let hidden = notice_count - 1 - i64::try_from(earlier.len()).unwrap_or_default();
    let earlier = (!earlier.is_empty()).then(|| {
        view! {
            <Disclosure summary=format!("{} earlier", notice_count - 1)>
                <ul>{earlier}</ul>
                {(hidden > 0).then(|| view! { <p class="faint">"And " {hidden} " more."</p> })}
            </Disclosure>
        }
    });
    let when = match back_at {
        Some(back_at) => view! { <span>"Comes back " <Time at=back_at/></span> }.into_any(),
        None => view! { <Time at=at/> }.into_any(),
    };
    view! {
        <Row title=title href=href number=tag icon=glyph(&subject_kind) unread=unread>
            <RowMeta>{newest} {earlier}</RowMeta>
            <RowSide>
                {when}
                <Form action=api::ChangeItem::PATH key=id.clone() class="form-inline">
                    <Hidden name="item" value=id/>
                    <Hidden name="seen" value=seen/>
                    <Hidden name="back" value=back/>
                    <Buttons state=state unread=unread/>
                </Form>
            </RowSide>
        </Row>
    }
}

/// What an object is drawn as.
fn glyph(subject_kind: &str) -> Glyph {
    match subject_kind {
        "person" => Glyph::Lock,
        "incident" => Glyph::Alert,
        "follow_up" => Glyph::CheckCircle,
        "webhook" => Glyph::External,
        _ => Glyph::Document,
    }
}

/// What one can do with an item.
#[component]
fn Buttons(
    /// Where it is now.
    state: State,
    /// Whether there is something new.
    unread: bool,
) -> impl IntoView {
    let button = |to: &'static str, words: &'static str| {
        view! { <Button name="to" value=to small=true variant=Variant::Quiet>{words}</Button> }
    };
    match state {
        State::Open => {
            let (to, words) = if unread { ("read", "Mark as read") } else { ("unread", "Mark as unread") };
            view! {
                {button("done", "Done")}
                {button("tomorrow", "Until tomorrow")}
                {button("next_week", "Until next week")}
                {button(to, words)}
            }
            .into_any()
        }
        State::Later => view! { {button("open", "Back now")} {button("done", "Done")} }.into_any(),
        State::Done => view! { {button("open", "Back to the inbox")} }.into_any(),
    }
}

/// One thing that one was told.
#[component]
fn NoticeLine(
    /// It.
    notice: Notice,
    /// Says when. The newest one need not: its time stands at the right of the row.
    #[prop(optional)]
    dated: bool,
) -> impl IntoView {
    let Notice { text, excerpt, at, .. } = notice;
    let excerpt = (!excerpt.is_empty()).then(|| view! { <q class="notice-excerpt" dir="auto">{excerpt}</q> });
    let when = dated.then(|| view! { " · " <Time at=at/> });
    view! { <span>{text}</span> {when} " " {excerpt} }
}

fn empty(state: State) -> impl IntoView {
    let (title, text) = match state {
        State::Open => (
            "Nothing waits for you",
            "Here you are told of answers to you, news of what you write or took part in, and what is yours to do.",
        ),
        State::Later => ("Nothing is put off", "What you put off waits here and comes back by itself."),
        State::Done => ("Nothing is done yet", "What you are done with stays here for half a year."),
    };
    view! {
        <EmptyState title=title text=text icon=Glyph::Inbox>
            {(state == State::Open).then(|| view! { <Button href=urls::rfcs()>"Read RFCs"</Button> })}
        </EmptyState>
    }
}

/// Leads to what an item is about and marks it as read. A plain link, so that it opens in another tab as well.
#[component]
pub fn InboxItemPage() -> impl IntoView {
    let item = use_params_map().read_untracked().get("item").unwrap_or_default();
    page(open(item), |()| ())
}

async fn open(item: String) -> Result<(), AppError> {
    let (backend, actor) = signed_in()?;
    session::redirect(&inbox::open(&backend, &actor, &item).await?);
    Ok(())
}
