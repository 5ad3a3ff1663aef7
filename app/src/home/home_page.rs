//! What needs me today: replies that are waited for, drafts, RFCs about my services, and my services.

use backend::PageRequest;
use backend::follow_ups::{self, Counts, Filter, FollowUp, Of};
use backend::rfcs::home::{self, Home, OwnDraft, OwnService, TouchingRfc, WaitingReason, WaitingThread};
use backend::rfcs::render::plain;
use domain::policy::{self, Action};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::page::page;
use crate::session;
use crate::ui::{
    Actions, Button, EmptyState, FollowUpRow, Glyph, Icon, Meta, PageHeader, Row, RowMeta, RowSide, Rows, Section,
    SeverityBadge, Stat, StatusBadge, TierBadge, Time, Tone, Variant, counted, numbered,
};
use crate::urls;

/// The first page after signing in.
#[component]
pub fn HomePage() -> impl IntoView {
    let signed_in = session::signed_in();
    let all = use_query_map().read_untracked().get("waiting").as_deref() == Some("all");
    page(
        async move {
            let (backend, actor) = signed_in?;
            let blocked = policy::allows(&actor, Action::WriteRfc).err().map(|refusal| refusal.to_string());
            let filter = Filter { owner: Some(actor.email.clone()), state: Some("open".into()), ..Filter::default() };
            let most_urgent = PageRequest { limit: Some(FOLLOW_UPS), cursor: None };
            let mine = MyFollowUps {
                shown: follow_ups::list(&backend, &actor, filter, &most_urgent).await?.items,
                counts: follow_ups::counts(&backend, &actor, Of::Owner(&actor.email)).await?,
            };
            Ok((home::home(&backend, &actor, all).await?, mine, blocked.unwrap_or_default()))
        },
        |(home, mine, blocked)| show(home, mine, blocked),
    )
}

/// `blocked`: why this person may not write RFCs; empty when they may.
fn show(home: Home, mine: MyFollowUps, blocked: String) -> impl IntoView {
    let waiting = home.waiting_count;
    let drafts = drafts(home.drafts, blocked.clone());
    let summary = summary(waiting, mine.counts.overdue);
    view! {
        <Title text="Home · Plumbline"/>
        <PageHeader title="What needs me today">
            <Meta>{summary}</Meta>
            <Actions>
                <Button href=urls::activity(&[]) icon=Glyph::History>"Activity"</Button>
                <Button
                    href=urls::new_rfc()
                    variant=Variant::Primary
                    icon=Glyph::Plus
                    disabled_reason=blocked
                >
                    "New RFC"
                </Button>
            </Actions>
        </PageHeader>
        <div class="split">
            <div class="stack">
                {replies(home.waiting, waiting)}
                {my_follow_ups(mine)}
                {touching(home.touching)}
            </div>
            <aside class="stack">
                {drafts}
                {services(home.services)}
            </aside>
        </div>
    }
}

/// How much is late for others, in words.
fn summary(waiting: i64, overdue: i64) -> String {
    let threads = match waiting {
        0 => None,
        1 => Some("One thread waits for your reply.".to_owned()),
        count => Some(format!("{count} threads wait for your reply.")),
    };
    let overdue = (overdue > 0).then(|| format!("{} overdue.", numbered(overdue, "follow-up is", "follow-ups are")));
    let said: Vec<_> = threads.into_iter().chain(overdue).collect();
    if said.is_empty() { "Nobody waits for you.".to_owned() } else { said.join(" ") }
}

/// The follow-ups on this page at most.
const FOLLOW_UPS: i64 = 5;

/// What the reader promised to do.
struct MyFollowUps {
    /// The most urgent ones.
    shown: Vec<FollowUp>,
    counts: Counts,
}

/// Nothing when there is none: most people have none on most days.
fn my_follow_ups(mine: MyFollowUps) -> AnyView {
    if mine.shown.is_empty() {
        return ().into_any();
    }
    let Counts { open, overdue } = mine.counts;
    let rest = (count(mine.shown.len()) < open || overdue > 0).then(|| {
        let overdue = (overdue > 0).then(|| format!("{overdue} overdue. "));
        view! { <p>{overdue} <a href=urls::follow_ups()>"All your follow-ups"</a></p> }
    });
    let rows =
        mine.shown.into_iter().map(|item| view! { <FollowUpRow follow_up=item back=urls::home()/> }).collect_view();
    view! { <Section title="Your follow-ups" count=open><Rows label="Follow-ups">{rows}</Rows> {rest}</Section> }
        .into_any()
}

/// `count`: how many wait, shown or not.
fn replies(waiting: Vec<WaitingThread>, count: i64) -> AnyView {
    if waiting.is_empty() {
        return view! {
            <Section title="Waiting for my reply">
                <p class="today-none"><Icon glyph=Glyph::CheckCircle/> "No thread waits for your reply."</p>
            </Section>
        }
        .into_any();
    }
    let shown = self::count(waiting.len());
    let rest = (shown < count).then(|| {
        view! {
            <p>
                "The " {shown} " that wait longest. "
                <a href=urls::home_all()>"Show all " {count}</a>
            </p>
        }
    });
    let rows: Vec<_> = waiting
        .into_iter()
        .map(|waiting| {
            let why = match waiting.reason {
                WaitingReason::Author => "commented on your RFC",
                WaitingReason::TookPart => "replied to you",
            };
            let rfc = format!("RFC-{} {}", waiting.number, waiting.title);
            view! {
                <Row
                    title=beginning(&waiting.excerpt)
                    href=urls::thread(waiting.number, &waiting.thread)
                    icon=Glyph::Comment
                    tone=Tone::Accent
                >
                    <RowMeta>
                        <span class="why">{waiting.last_by.name} " " {why}</span>
                        <span class="truncate">{rfc}</span>
                    </RowMeta>
                    <RowSide>
                        <SeverityBadge severity=waiting.severity/>
                        <Time at=waiting.since/>
                    </RowSide>
                </Row>
            }
        })
        .collect();
    view! { <Section title="Waiting for my reply" count=count><Rows label="Threads">{rows}</Rows> {rest}</Section> }
        .into_any()
}

fn touching(rfcs: Vec<TouchingRfc>) -> AnyView {
    if rfcs.is_empty() {
        return view! {
            <Section title="RFCs about my services">
                <EmptyState
                    title="No RFC in review names a service of your teams"
                    text="When one does, it shows up here until it is decided."
                    icon=Glyph::Document
                >
                    <Button href=urls::rfc_list(&[("status", "in_review")])>"All RFCs in review"</Button>
                </EmptyState>
            </Section>
        }
        .into_any();
    }
    let count = count(rfcs.len());
    let rows: Vec<_> = rfcs
        .into_iter()
        .map(|rfc| {
            let services = rfc.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ");
            let open = (rfc.open_threads > 0)
                .then(|| view! { <Stat icon=Glyph::Comment n=rfc.open_threads what=counted(rfc.open_threads, "open thread", "open threads")/> });
            view! {
                <Row title=rfc.title href=urls::rfc(rfc.number) number=format!("RFC-{}", rfc.number)>
                    <RowMeta><span class="why">"Touches " {services}</span></RowMeta>
                    <RowSide>
                        {open}
                        <StatusBadge status=rfc.status/>
                        <Time at=rfc.published_at/>
                    </RowSide>
                </Row>
            }
        })
        .collect();
    view! { <Section title="RFCs about my services" count=count><Rows label="RFCs">{rows}</Rows></Section> }.into_any()
}

fn drafts(drafts: Vec<OwnDraft>, blocked: String) -> AnyView {
    if drafts.is_empty() {
        return view! {
            <Section title="My drafts">
                <EmptyState title="No drafts" text="A draft is yours until you publish it." icon=Glyph::Pencil>
                    <Button href=urls::new_rfc() small=true disabled_reason=blocked>"Write an RFC"</Button>
                </EmptyState>
            </Section>
        }
        .into_any();
    }
    let count = count(drafts.len());
    let rows: Vec<_> = drafts
        .into_iter()
        .map(|draft| {
            let shared = (!draft.author).then(|| view! { <span class="why">"Shared with you"</span> });
            view! {
                <Row title=draft.title href=urls::rfc(draft.number) number=format!("RFC-{}", draft.number)>
                    <RowMeta>{shared} <Time at=draft.updated_at/></RowMeta>
                </Row>
            }
        })
        .collect();
    view! { <Section title="My drafts" count=count><Rows label="Drafts">{rows}</Rows></Section> }.into_any()
}

fn services(services: Vec<OwnService>) -> AnyView {
    if services.is_empty() {
        return view! {
            <Section title="My services">
                <EmptyState
                    title="No services yet"
                    text="Services of the teams you belong to show up here."
                    icon=Glyph::Server
                >
                    <Button href=urls::services() small=true>"All services"</Button>
                </EmptyState>
            </Section>
        }
        .into_any();
    }
    let count = count(services.len());
    let rows: Vec<_> = services
        .into_iter()
        .map(|own| {
            let tier = own.service.tier;
            let open = (own.open_rfcs > 0)
                .then(|| view! { <Stat icon=Glyph::Document n=own.open_rfcs what=counted(own.open_rfcs, "RFC in review", "RFCs in review")/> });
            view! {
                <Row title=own.service.name href=urls::service(&own.service.slug)>
                    <RowMeta><span>{own.team}</span> {open}</RowMeta>
                    <RowSide><TierBadge tier=tier/></RowSide>
                </Row>
            }
        })
        .collect();
    view! { <Section title="My services" count=count><Rows label="Services">{rows}</Rows></Section> }.into_any()
}

/// The first words of a comment, as one line.
fn beginning(excerpt: &str) -> String {
    let line = plain(excerpt).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "(no words)".to_owned() } else { line }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_all_that_others_wait_for() {
        for (waiting, overdue, said) in [
            (0, 0, "Nobody waits for you."),
            (1, 0, "One thread waits for your reply."),
            (0, 3, "3 follow-ups are overdue."),
            (2, 1, "2 threads wait for your reply. 1 follow-up is overdue."),
        ] {
            assert_eq!(summary(waiting, overdue), said);
        }
    }
}
