//! `/admin/outbox`: what waits, is planned, failed, was given up and was done. Without a mail server, mail is read here.

use backend::deliveries::{self, Delivery, Filter, State};
use backend::outbox::{self, Kind, Lag};
use backend::{Page, PageRequest};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api;
use super::deliveries::{DeliveryRows, kind_label, state_label};
use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Button, Choice, Confirm, Crumb, EmptyState, Filters, Glyph, Hidden, PageHeader, Pagination, Select, Tab, Table,
    Tabs, Variant, numbered,
};
use crate::urls;

/// What is looked for; all of it is in the address.
#[derive(Debug, Clone, Default)]
struct Wanted {
    state: String,
    kind: String,
    webhook: String,
    cursor: Option<String>,
}

impl Wanted {
    /// The address of the list in this state, from this row on.
    fn from(&self, state: &str, cursor: &str) -> String {
        urls::outbox_list(&[("state", state), ("kind", &self.kind), ("webhook", &self.webhook), ("cursor", cursor)])
    }
}

/// What the page shows.
struct Shown {
    deliveries: Page<Delivery>,
    lag: Vec<Lag>,
    /// How many of this kind and to this webhook were given up.
    dead: i64,
    wanted: Wanted,
}

async fn load(wanted: Wanted) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let given = |word: &str| (!word.is_empty()).then(|| word.to_owned());
    let (state, kind, webhook) = (given(&wanted.state), given(&wanted.kind), given(&wanted.webhook));
    let filter = Filter::read(state.as_deref(), kind.as_deref(), webhook.as_deref())?;
    let request = PageRequest { limit: None, cursor: wanted.cursor.clone() };
    let deliveries = deliveries::list(&backend, &actor, &filter, &request).await?;
    let dead = deliveries::dead(&backend, &actor, &filter).await?;
    Ok(Shown { deliveries, lag: outbox::lag(&backend).await?, dead, wanted })
}

/// The outbox, with filters in the address.
#[component]
pub fn OutboxPage() -> impl IntoView {
    let query = use_query_map().read_untracked().clone();
    let get = |name: &str| query.get(name).unwrap_or_default();
    let wanted =
        Wanted { state: get("state"), kind: get("kind"), webhook: get("webhook"), cursor: query.get("cursor") };
    page(load(wanted), |Shown { deliveries, lag, dead, wanted }| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Admin", urls::admin())];
        let kinds = std::iter::once(Choice::new("", "Every kind"))
            .chain(Kind::ALL.into_iter().map(|kind| Choice::new(kind.as_str(), kind_label(kind))))
            .collect();
        let mut tabs = vec![Tab::new("All", wanted.from("", "")).current(wanted.state.is_empty())];
        tabs.extend(State::ALL.into_iter().map(|state| {
            let tab = Tab::new(state_label(state), wanted.from(state.as_str(), ""));
            let tab = if state == State::Dead && dead > 0 { tab.count(dead) } else { tab };
            tab.current(wanted.state == state.as_str())
        }));
        let next =
            deliveries.next_cursor.as_deref().map(|cursor| wanted.from(&wanted.state, cursor)).unwrap_or_default();
        let first = if wanted.cursor.is_some() { wanted.from(&wanted.state, "") } else { String::new() };
        let filtered = !wanted.kind.is_empty() || !wanted.webhook.is_empty();
        let reset = if filtered { urls::outbox() } else { String::new() };
        let again = (wanted.state == State::Dead.as_str() && dead > 0).then(|| {
            let title = format!("Send {} again?", numbered(dead, "delivery", "deliveries"));
            let (kind, webhook, back) = (wanted.kind.clone(), wanted.webhook.clone(), wanted.from("", ""));
            view! {
                <Confirm label="Send all again" title=title variant=Variant::Secondary action=api::RetryDead::PATH confirm="Send them again"
                    text="Each under the same key, so that a receiver that has it already can drop it.">
                    <Hidden name="kind" value=kind/>
                    <Hidden name="webhook" value=webhook/>
                    <Hidden name="back" value=back/>
                </Confirm>
            }
        });
        let list = if deliveries.items.is_empty() {
            view! { <Nothing state=wanted.state.clone()/> }.into_any()
        } else {
            view! { <DeliveryRows deliveries=deliveries.items label="Deliveries"/> }.into_any()
        };
        view! {
            <Title text="Outbox · Plumbline"/>
            <PageHeader title="Outbox" crumbs=crumbs/>
            <div class="stack">
                <LagTable lag=lag/>
                <Tabs label="State" items=tabs/>
                <Filters action=urls::outbox() reset=reset>
                    <Hidden name="state" value=wanted.state/>
                    {(!wanted.webhook.is_empty()).then(|| view! { <Hidden name="webhook" value=wanted.webhook/> })}
                    <Select name="kind" label="Kind" options=kinds value=wanted.kind hide_label=true/>
                </Filters>
                {again}
                {list}
                <Pagination first=first next=next/>
            </div>
        }
    })
}

#[component]
fn Nothing(state: String) -> impl IntoView {
    let (title, text) = match state.as_str() {
        "waiting" => ("Nothing waits", "Everything that is due was done."),
        "planned" => ("Nothing is planned", "Timed jobs and mails for later stand here until their time comes."),
        "failed" => {
            ("Nothing failed", "What fails is tried again for three days, later each time, before it is given up.")
        }
        "dead" => (
            "Nothing was given up",
            "What is not tried any more stands here until somebody sends it again or lets it go.",
        ),
        _ => ("Nothing here", "Mails, calls of webhooks and timed jobs stand here, the finished ones for 30 days."),
    };
    view! {
        <EmptyState title=title text=text icon=Glyph::Mail>
            {(!state.is_empty()).then(|| view! { <Button href=urls::outbox()>"Show all deliveries"</Button> })}
        </EmptyState>
    }
}

/// How far the workers are behind.
#[component]
fn LagTable(lag: Vec<Lag>) -> impl IntoView {
    let rows = lag.into_iter().map(|lag| {
        let label = Kind::parse(&lag.kind).map_or("Other", kind_label);
        let behind = if lag.due == 0 { "–".to_owned() } else { duration(lag.oldest_seconds) };
        view! {
            <tr>
                <th scope="row">{label}</th>
                <td class="num">{lag.due}</td>
                <td class="num">{behind}</td>
                <td class="num">{lag.planned}</td>
                <td class="num">{lag.dead}</td>
            </tr>
        }
    });
    view! {
        <Table caption="How far the outbox is behind">
            <thead>
                <tr>
                    <th scope="col">"Kind"</th>
                    <th scope="col" class="num">"Due"</th>
                    <th scope="col" class="num">"Oldest due for"</th>
                    <th scope="col" class="num">"Later"</th>
                    <th scope="col" class="num">"Given up"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </Table>
    }
}

/// A time in one unit.
fn duration(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => numbered(seconds / 86_400, "day", "days"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_time_has_one_unit() {
        let said = [0, 59, 60, 3599, 3600, 86_399, 86_400, 200_000].map(duration);
        assert_eq!(said, ["0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 day", "2 days"]);
    }
}
