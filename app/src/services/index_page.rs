//! `/services`: the list.

use backend::accounts::teams;
use backend::services::{self, Filter, ServiceSummary};
use backend::{Page, PageRequest};
use domain::policy::{Action, allows};
use domain::service::Tier;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Badge, Button, Choice, Crumb, EmptyState, Field, FieldKind, Filters, Glyph, PageHeader, Pagination, Row,
    RowMeta, RowSide, Rows, Select, TierBadge, Variant,
};
use crate::urls;

/// What is looked for; all of it is in the address.
#[derive(Debug, Clone, Default)]
struct Wanted {
    q: String,
    team: String,
    tier: String,
    archived: String,
    cursor: Option<String>,
}

impl Wanted {
    /// The address of the list with these filters, from this row on; nothing: from its first.
    fn from(&self, cursor: &str) -> String {
        let (team, tier, archived) = (&self.team, &self.tier, &self.archived);
        urls::service_list(&[
            ("q", &self.q),
            ("team", team),
            ("tier", tier),
            ("archived", archived),
            ("cursor", cursor),
        ])
    }

    fn is_filtered(&self) -> bool {
        self.from("") != urls::services()
    }
}

/// What the page shows.
struct Shown {
    services: Page<ServiceSummary>,
    teams: Vec<Choice>,
    wanted: Wanted,
    /// Why the reader may not describe a service; empty when they may.
    blocked: String,
    /// Whether the reader may hand in a catalogue.
    imports: bool,
}

async fn load(wanted: Wanted) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let blocked = services::may_edit_some(&actor).err().map(|refusal| refusal.to_string()).unwrap_or_default();
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let tier = wanted.tier.parse().ok().and_then(|tier| Tier::parse(tier).ok());
    let filter = Filter { q: filled(&wanted.q), team: filled(&wanted.team), tier, archived: wanted.archived == "true" };
    let request = PageRequest { limit: None, cursor: wanted.cursor.clone() };
    let services = services::list(&backend, &actor, &filter, &request).await?;
    let teams = teams::all(&backend, &actor).await?;
    let teams = std::iter::once(Choice::new("", "Any owner"))
        .chain(teams.into_iter().map(|team| Choice::new(team.slug, team.name)))
        .collect();
    let imports = allows(&actor, Action::Administer).is_ok();
    Ok(Shown { services, teams, wanted, blocked, imports })
}

/// The list, with filters in the address.
#[component]
pub fn ServicesPage() -> impl IntoView {
    let query = use_query_map().read_untracked().clone();
    let get = |name: &str| query.get(name).unwrap_or_default();
    let wanted = Wanted {
        q: get("q"),
        team: get("team"),
        tier: get("tier"),
        archived: get("archived"),
        cursor: query.get("cursor"),
    };
    page(load(wanted), |Shown { services, teams, wanted, blocked, imports }| {
        let tiers = std::iter::once(Choice::new("", "Any tier"))
            .chain(Tier::ALL.into_iter().map(|tier| Choice::new(tier.number().to_string(), tier.label())))
            .collect();
        let states = vec![Choice::new("", "In use"), Choice::new("true", "Archived")];
        let next = services.next_cursor.as_deref().map(|cursor| wanted.from(cursor)).unwrap_or_default();
        let first = if wanted.cursor.is_some() { wanted.from("") } else { String::new() };
        let filtered = wanted.is_filtered();
        let no_new = blocked.clone();
        let reset = if filtered { urls::services() } else { String::new() };
        view! {
            <Title text="Services · Plumbline"/>
            <PageHeader title="Services" crumbs=vec![Crumb::new("Home", urls::home())]>
                <Actions>
                    {imports.then(|| view! { <Button href=urls::new_import("catalog")>"Import a catalogue"</Button> })}
                    <Button href=urls::new_service() variant=Variant::Primary icon=Glyph::Plus disabled_reason=no_new>
                        "New service"
                    </Button>
                </Actions>
            </PageHeader>
            <div class="stack">
                <Filters action=urls::services() reset=reset>
                    <Field name="q" label="Name or description" kind=FieldKind::Search value=wanted.q hide_label=true placeholder="Name or description"/>
                    <Select name="team" label="Owner" options=teams value=wanted.team hide_label=true/>
                    <Select name="tier" label="Tier" options=tiers value=wanted.tier hide_label=true/>
                    <Select name="archived" label="State" options=states value=wanted.archived hide_label=true/>
                </Filters>
                <ServiceRows services=services.items filtered=filtered blocked=blocked/>
                <Pagination first=first next=next/>
            </div>
        }
    })
}

#[component]
fn ServiceRows(services: Vec<ServiceSummary>, filtered: bool, blocked: String) -> impl IntoView {
    if services.is_empty() && filtered {
        return view! {
            <EmptyState title="No service matches" text="Try other words, or take a filter away." icon=Glyph::Search>
                <Button href=urls::services()>"Show all services"</Button>
            </EmptyState>
        }
        .into_any();
    }
    if services.is_empty() {
        return view! {
            <EmptyState
                title="No services yet"
                text="RFCs, reviews and scorecards are about services: describe the first one."
                icon=Glyph::Server
            >
                <Button href=urls::new_service() disabled_reason=blocked>"New service"</Button>
            </EmptyState>
        }
        .into_any();
    }
    let rows = services.into_iter().map(|service| {
        let owner = service.team.map_or_else(|| "nobody owns it".to_owned(), |team| team.name);
        let labels = service.labels.into_iter().map(|label| view! { <Badge>{label}</Badge> }).collect_view();
        view! {
            <Row title=service.name href=urls::service(&service.slug)>
                <RowMeta>{service.slug} " · " {owner}</RowMeta>
                <RowSide>{labels} <TierBadge tier=service.tier/></RowSide>
            </Row>
        }
    });
    view! { <Rows label="Services">{rows.collect_view()}</Rows> }.into_any()
}
