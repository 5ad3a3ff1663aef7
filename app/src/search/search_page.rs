//! `/search?q=&kind=`: everything that has the words, the best first.

use backend::PageRequest;
use backend::search::{self, Found, Hit, Wanted};
use domain::search::{Kind, Part};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::page::page;
use crate::session;
use crate::ui::{
    Badge, Button, Crumb, EmptyState, Field, FieldKind, Filters, Glyph, Hidden, Icon, PageHeader, Pagination,
    StatusBadge, Tab, Tabs, Time, numbered,
};
use crate::urls;

/// What stands in the address.
#[derive(Debug, Clone, Default)]
struct Asked {
    q: String,
    kind: String,
    cursor: String,
}

impl Asked {
    fn read() -> Self {
        let query = use_query_map();
        let query = query.read_untracked();
        let word = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
        Self { q: word("q"), kind: word("kind"), cursor: word("cursor") }
    }

    /// The same words, of this kind, from this place on.
    fn at(&self, kind: &str, cursor: &str) -> String {
        urls::search(&[("q", &self.q), ("kind", kind), ("cursor", cursor)])
    }
}

/// Search.
#[component]
pub fn SearchPage() -> impl IntoView {
    let signed_in = session::signed_in();
    let asked = Asked::read();
    let load = async move {
        let (backend, actor) = signed_in?;
        if asked.q.is_empty() {
            return Ok((asked, None));
        }
        let given = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        let request = PageRequest { limit: Some(20), cursor: given(&asked.cursor) };
        let wanted = Wanted { q: asked.q.clone(), kind: given(&asked.kind) };
        let found = search::search(&backend, &actor, &wanted, &request).await?;
        Ok((asked, Some(found)))
    };
    page(load, |(asked, found)| {
        let title = if asked.q.is_empty() {
            "Search · Plumbline".into()
        } else {
            format!("{} · Search · Plumbline", asked.q)
        };
        let first = found.is_none();
        let (q, kind) = (asked.q.clone(), asked.kind.clone());
        view! {
            <Title text=title/>
            <PageHeader title="Search" crumbs=vec![Crumb::new("Home", urls::home())]/>
            <Filters action=urls::search(&[]) button="Search">
                <Field
                    name="q"
                    label="Words, a name or a number"
                    hide_label=true
                    kind=FieldKind::Search
                    placeholder="Words, a name or a number"
                    value=q
                    autofocus=first
                />
                {(!kind.is_empty()).then(|| view! { <Hidden name="kind" value=kind/> })}
            </Filters>
            {match found {
                None => nothing_asked(),
                Some(found) => results(&asked, found),
            }}
        }
    })
}

fn nothing_asked() -> AnyView {
    view! {
        <EmptyState
            title="Find anything"
            text="RFCs and the comments on them, services, teams, people, incidents and follow-ups. Beginnings of words and small typing errors are fine; a number such as RFC-7 leads straight to it."
            icon=Glyph::Search
        />
    }
    .into_any()
}

fn results(asked: &Asked, found: Found) -> AnyView {
    let total = found.total();
    if total == 0 {
        return view! {
            <EmptyState
                title="Nothing found"
                text=format!("Nothing that you may see has all the words of “{}”. Try fewer or shorter words, or a part of a name.", asked.q)
                icon=Glyph::Search
            >
                <Button href=urls::rfcs()>"All RFCs"</Button>
                <Button href=urls::services()>"All services"</Button>
                <Button href=urls::people()>"All people"</Button>
            </EmptyState>
        }
        .into_any();
    }
    let mut tabs = vec![Tab::new("Everything", asked.at("", "")).count(total).current(asked.kind.is_empty())];
    for (kind, count) in &found.kinds {
        let word = kind.as_str();
        tabs.push(Tab::new(kind.label(), asked.at(word, "")).count(*count).current(asked.kind == word));
    }
    let said = if found.similar {
        format!("Nothing has the words “{}”; this is called nearly so.", asked.q)
    } else {
        format!("{} for “{}”", numbered(total, "result", "results"), asked.q)
    };
    let next = found.page.next_cursor.as_deref().map(|cursor| asked.at(&asked.kind, cursor)).unwrap_or_default();
    let first = if asked.cursor.is_empty() { String::new() } else { asked.at(&asked.kind, "") };
    let everything = asked.at("", "");
    let list = if found.page.items.is_empty() {
        view! {
            <EmptyState title="None of this kind" text="Other kinds of things have the words." icon=Glyph::Search>
                <Button href=everything>"Show everything found"</Button>
            </EmptyState>
        }
        .into_any()
    } else {
        let rows: Vec<_> = found.page.items.into_iter().map(row).collect();
        view! { <ul class="rows found" aria-label="Found">{rows}</ul> }.into_any()
    };
    view! {
        <Tabs label="Kinds" items=tabs/>
        <p class="muted small" role="status">{said}</p>
        {list}
        <Pagination first=first next=next/>
    }
    .into_any()
}

fn row(hit: Hit) -> AnyView {
    let number = hit.rfc.as_ref().map(|rfc| rfc.number);
    let href = urls::found(hit.kind, &hit.key, number);
    let status = hit.rfc.as_ref().filter(|_| hit.kind == Kind::Rfc).map(|rfc| rfc.status);
    let title = match &hit.rfc {
        Some(rfc) if hit.kind == Kind::Comment => format!("Comment on {}", rfc.title).into_any(),
        _ => parts(&hit.title),
    };
    let (kind, glyph) = match hit.kind {
        Kind::Rfc => ("RFC", Glyph::Document),
        Kind::Comment => ("Comment", Glyph::Comment),
        Kind::Service => ("Service", Glyph::Server),
        Kind::Team => ("Team", Glyph::People),
        Kind::Person => ("Person", Glyph::Person),
        Kind::Incident => ("Incident", Glyph::Alert),
        Kind::FollowUp => ("Follow-up", Glyph::CheckCircle),
    };
    view! {
        <li class="row">
            <span class="row-icon"><Icon glyph=glyph/><span class="visually-hidden">{kind}</span></span>
            <div class="row-main">
                <a class="row-title" dir="auto" href=href>{title}</a>
                {number.map(|number| view! { <span class="row-number">{format!("RFC-{number}")}</span> })}
            </div>
            <div class="row-meta">
                {hit.by.map(|person| view! { <span>{person.name}</span> })}
                <span class="found-snippet" dir="auto">{parts(&hit.snippet)}</span>
            </div>
            <div class="row-side">
                {hit.archived.then(|| view! { <Badge>{archived(hit.kind)}</Badge> })}
                {status.map(|status| view! { <StatusBadge status=status/> })}
                <Time at=hit.at/>
            </div>
        </li>
    }
    .into_any()
}

/// What the page of something that is no longer in use calls that.
fn archived(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "Disabled",
        Kind::Incident => "Voided",
        _ => "Archived",
    }
}

/// A text with the words found in it marked.
fn parts(parts: &[Part]) -> AnyView {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| {
            let text = part.text.clone();
            if part.found { view! { <mark>{text}</mark> }.into_any() } else { text.into_any() }
        })
        .collect();
    parts.into_any()
}
