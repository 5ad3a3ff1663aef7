//! `/services/{slug}`: one service: owner, tier, what it needs and who needs it, links, RFCs that touch it.

use backend::events::activity::{self, About, Entry};
use backend::follow_ups::{self, Counts, Of};
use backend::incidents;
use backend::incidents::overview::{Overview, overview};
use backend::rfcs::list::{self, Filter, Listed};
use backend::services::{self, Found, Service, ServiceRef};
use backend::{Page, PageRequest};
use domain::Refusal;
use domain::policy::{self, Action};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::error::AppError;
use crate::page::page;
use crate::session::{self, signed_in};
use crate::ui::{
    Actions, Activity, Badge, Button, Crumb, EmptyState, Fact, Facts, FollowUpCounts, Glyph, Icon, IncidentOverview,
    Notice, PageHeader, Row, RowMeta, RowSide, Rows, Section, StatusBadge, TierBadge, Time, Tone,
};
use crate::urls;

/// What the page shows.
struct Shown {
    service: Service,
    rfcs: Vec<Listed>,
    about: About,
    latest: Page<Entry>,
    incidents: Overview,
    follow_ups: Counts,
    /// Why the reader may not change it; empty when they may.
    blocked: String,
    /// Why the reader may not write RFCs; empty when they may.
    no_rfc: String,
}

async fn load(slug: String) -> Result<Option<Shown>, AppError> {
    let (backend, actor) = signed_in()?;
    let service = match services::get(&backend, &actor, &slug).await? {
        Found::Here(service) => *service,
        Found::Moved { to } => {
            session::redirect(&urls::service(&to));
            return Ok(None);
        }
    };
    let filter = Filter { service: Some(service.slug.clone()), ..Filter::default() };
    let rfcs = list::list(&backend, &actor, filter, &PageRequest { limit: Some(10), cursor: None }).await?.items;
    let touched = incidents::Filter { service: Some(service.slug.clone()), ..incidents::Filter::default() };
    let incidents = overview(&backend, &actor, &touched).await?;
    let follow_ups = follow_ups::counts(&backend, &actor, Of::Service(&service.slug)).await?;
    let blocked = match services::check_edit(&backend, &actor, &service.slug).await {
        Ok(()) => String::new(),
        Err(backend::Error::Refused(refusal @ Refusal::NotAllowed { .. })) => refusal.to_string(),
        Err(error) => return Err(error.into()),
    };
    let no_rfc = policy::allows(&actor, Action::WriteRfc).err().map(|refusal| refusal.to_string()).unwrap_or_default();
    let about = About::new("service", &*service.slug);
    let latest = activity::latest(&backend, &actor, &about).await?;
    Ok(Some(Shown { service, rfcs, about, latest, incidents, follow_ups, blocked, no_rfc }))
}

/// One service.
#[component]
pub fn ServicePage() -> impl IntoView {
    let slug = use_params_map().read_untracked().get("slug").unwrap_or_default();
    page(load(slug), |shown| {
        shown.map(|Shown { service, rfcs, about, latest, incidents, follow_ups, blocked, no_rfc }| {
            let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Services", urls::services())];
            let edit = urls::edit_service(&service.slug);
            let promised = urls::follow_up_list(&[("who", "all"), ("service", &service.slug)]);
            let archived = service.archived_at.map(|at| {
                view! { <Notice tone=Tone::Warn title="Archived"><p>"Out of use since " <Time at=at/> "."</p></Notice> }
            });
            view! {
                <Title text=format!("{} · Plumbline", service.name)/>
                <PageHeader title=service.name.clone() crumbs=crumbs>
                    <Actions><Button href=edit icon=Glyph::Pencil disabled_reason=blocked>"Change"</Button></Actions>
                </PageHeader>
                {archived}
                <div class="split">
                    <div class="stack">
                        <p class="lead" dir="auto">{service.description.clone()}</p>
                        <Rfcs rfcs=rfcs slug=service.slug.clone() blocked=no_rfc/>
                        <div class="stack-close">
                            <IncidentOverview overview=incidents whose=("service", service.slug.clone())/>
                            <FollowUpCounts counts=follow_ups href=promised of="of its incidents"/>
                        </div>
                        <Needs title="Depends on" services=service.depends_on.clone() none="It needs no other service that is described here."/>
                        <Needs title="Needed by" services=service.depended_on_by.clone() none="No other service says that it needs this one."/>
                        <Activity about=about latest=latest/>
                    </div>
                    <aside class="stack"><About service=service/></aside>
                </div>
            }
        })
    })
}

#[component]
fn About(service: Service) -> impl IntoView {
    let owner = match service.team {
        Some(team) => view! { <a href=urls::team(&team.slug)>{team.name}</a> }.into_any(),
        None => view! { <span class="muted">"Nobody yet"</span> }.into_any(),
    };
    let links: Vec<_> = service
        .links
        .into_iter()
        .map(|link| {
            view! {
                <li><a href=link.url rel="noopener noreferrer">{link.title} <Icon glyph=Glyph::External/></a></li>
            }
        })
        .collect();
    let labels: Vec<_> = service.labels.into_iter().map(|label| view! { <Badge>{label}</Badge> }).collect();
    view! {
        <Facts narrow=true>
            <Fact label="Tier"><TierBadge tier=service.tier/></Fact>
            <Fact label="Owner">{owner}</Fact>
            <Fact label="Short name"><code>{service.slug}</code></Fact>
            {(!labels.is_empty()).then(|| view! { <Fact label="Labels"><span class="cluster">{labels}</span></Fact> })}
            <Fact label="Changed"><Time at=service.updated_at/></Fact>
        </Facts>
        {(!links.is_empty()).then(|| view! { <Section title="Links"><ul class="links">{links}</ul></Section> })}
    }
}

#[component]
fn Needs(title: &'static str, services: Vec<ServiceRef>, none: &'static str) -> impl IntoView {
    let count = i64::try_from(services.len()).unwrap_or(i64::MAX);
    let list = if services.is_empty() {
        view! { <p class="muted">{none}</p> }.into_any()
    } else {
        let rows = services.into_iter().map(|service| {
            view! {
                <Row title=service.name href=urls::service(&service.slug)>
                    <RowSide><TierBadge tier=service.tier/></RowSide>
                </Row>
            }
        });
        view! { <Rows label=title>{rows.collect_view()}</Rows> }.into_any()
    };
    view! { <Section title=title count=count>{list}</Section> }
}

#[component]
fn Rfcs(rfcs: Vec<Listed>, slug: String, blocked: String) -> impl IntoView {
    let list = if rfcs.is_empty() {
        view! {
            <EmptyState title="No RFC touches it" text="Name this service in an RFC, and it shows up here." icon=Glyph::Document>
                <Button href=urls::new_rfc_about(&slug) disabled_reason=blocked>"Write an RFC"</Button>
            </EmptyState>
        }
        .into_any()
    } else {
        let rows = rfcs.into_iter().map(|rfc| {
            let authors: Vec<_> = rfc.authors.iter().map(|author| author.name.clone()).collect();
            view! {
                <Row title=rfc.title href=urls::rfc(rfc.number) number=format!("RFC-{}", rfc.number)>
                    <RowMeta>{authors.join(", ")} " · " <Time at=rfc.updated_at/></RowMeta>
                    <RowSide><StatusBadge status=rfc.status/></RowSide>
                </Row>
            }
        });
        view! {
            <Rows label="RFCs">{rows.collect_view()}</Rows>
            <p><a href=urls::rfc_list(&[("service", &slug)])>"All RFCs that touch it"</a></p>
        }
        .into_any()
    };
    view! { <Section title="RFCs">{list}</Section> }
}
