//! The frame around every page: skip link, top bar, the page itself, footer; and the pages for what went wrong.

use domain::{Actor, FieldError, Refusal, Role, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::account::api::{SetTheme, SignOut};
use crate::error::AppError;
use crate::session::{Theme, Visit, use_visit};
use crate::ui::{
    Avatar, Button, Crumb, ErrorPage as Recovery, Field, Filters, Flash, FormFallback, Glyph, Hidden, Icon,
};
use crate::urls;

/// The frame. `children` is the page.
#[component]
pub fn Layout(
    /// The page.
    children: Children,
) -> impl IntoView {
    let visit = use_visit();
    let done = visit.as_ref().and_then(|visit| visit.done);
    let zone = visit.as_ref().and_then(|visit| visit.actor.as_ref()).map(|actor| actor.time_zone.clone());
    view! {
        // leptos_meta writes the text of every page's <Title> into the document as it is.
        <Title formatter=as_text/>
        <a class="skip-link" href="#main">"Skip to the page"</a>
        {visit.map(|visit| view! { <TopBar visit=visit/> })}
        <main class="main" id="main" tabindex="-1">
            {done.map(|done| view! { <Flash done=done/> })}
            <FormFallback/>
            {children()}
        </main>
        <footer class="footer">
            <span>"Plumbline " {env!("CARGO_PKG_VERSION")}</span>
            {zone.map(|zone| view! { <span>"Times are shown in " {zone} " (" <a href=urls::account()>"change"</a> ")"</span> })}
        </footer>
    }
}

/// What people wrote, for the inside of an element: no markup.
fn as_text(title: String) -> String {
    title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Name, navigation, account.
#[component]
fn TopBar(
    /// This request.
    visit: Visit,
) -> impl IntoView {
    let here = visit.path.split(['?', '#']).next().unwrap_or("/").to_owned();
    let signing_in = here == "/sign-in";
    // Where the page's own connection to `/live` begins: see `crate::live`.
    let live_after = visit.actor.is_some().then(|| visit.live_after.clone()).flatten();
    let end = match visit.actor.clone() {
        Some(actor) => view! {
            <InboxLink unread=visit.unread here=here.clone()/>
            <AccountMenu actor=actor theme=visit.theme path=visit.path.clone()/>
        }
        .into_any(),
        None if signing_in => ().into_any(),
        None => view! { <Button href=urls::sign_in(Some(&visit.path))>"Sign in"</Button> }.into_any(),
    };
    let search = visit.actor.is_some().then(|| view! { <SearchEverywhere/> });
    view! {
        <header class="topbar" data-live-after=live_after>
            {visit.actor.as_ref().map(|actor| view! { <NavFold actor=actor.clone() here=here.clone()/> })}
            <a class="brand" href=urls::home()>
                <Icon glyph=Glyph::Plumb/>
                "Plumbline"
            </a>
            {visit.actor.map(|actor| {
                view! {
                    <nav class="nav nav-row" aria-label="Main">
                        <NavList actor=actor here=here/>
                    </nav>
                }
            })}
            <div class="topbar-end">{search}{end}</div>
        </header>
    }
}

/// Search from every page: a field, or where it does not fit the way to the page with one.
#[component]
fn SearchEverywhere() -> impl IntoView {
    view! {
        <form class="topbar-search" method="get" action=urls::search(&[]) role="search" aria-label="Everything">
            <Icon glyph=Glyph::Search/>
            <input type="search" name="q" aria-label="Search everything" placeholder="Search" maxlength=limits::SEARCH_CHARS.to_string()/>
        </form>
        <a class="topbar-search-link" href=urls::search(&[])>
            <Icon glyph=Glyph::Search/>
            <span class="visually-hidden">"Search"</span>
        </a>
    }
}

/// The navigation where the row does not fit: folded, without JavaScript. Only one of the two is ever displayed.
#[component]
fn NavFold(
    /// Who is signed in.
    actor: Actor,
    /// The path of this page.
    here: String,
) -> impl IntoView {
    view! {
        <details class="nav-fold">
            <summary>
                <Icon glyph=Glyph::Menu/>
                "Menu"
            </summary>
            <nav aria-label="Main menu">
                <NavList actor=actor here=here/>
            </nav>
        </details>
    }
}

/// The places of the product.
#[component]
fn NavList(
    /// Who is signed in.
    actor: Actor,
    /// The path of this page.
    here: String,
) -> impl IntoView {
    let mut places = vec![
        ("Home", urls::home()),
        ("RFCs", urls::rfcs()),
        ("Services", urls::services()),
        ("Incidents", urls::incidents()),
        ("People", urls::people()),
    ];
    if actor.role == Role::Admin {
        places.push(("Admin", urls::admin()));
    }
    let links = places.into_iter().map(|(label, href)| {
        let current = current(&here, &href);
        view! { <li><a class="nav-link" href=href aria-current=current>{label}</a></li> }
    });
    view! { <ul class="nav-list">{links.collect_view()}</ul> }
}

/// `page` on the place itself, `true` below it.
fn current(here: &str, place: &str) -> Option<&'static str> {
    if here == place {
        return Some("page");
    }
    let below = place != "/" && here.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
    let follow_ups = place == "/incidents" && (here == "/follow-ups" || here.starts_with("/follow-ups/"));
    let teams = place == "/people" && (here == "/teams" || here.starts_with("/teams/"));
    (below || teams || follow_ups).then_some("true")
}

/// The inbox, and how much in it is new. `crate::live` says it anew when that changes.
#[component]
fn InboxLink(
    /// Items with something new.
    unread: i64,
    /// The path of this page.
    here: String,
) -> impl IntoView {
    let label = if unread > 0 { format!("Inbox, {unread} unread") } else { "Inbox".to_owned() };
    let shown = if unread > 99 { "99+".to_owned() } else { unread.to_string() };
    let current = current(&here, "/inbox");
    view! {
        <a class="inbox-link" href=urls::inbox() aria-label=label.clone() title=label aria-current=current>
            <Icon glyph=Glyph::Inbox/>
            <span class="inbox-count" hidden=unread == 0>{shown}</span>
        </a>
    }
}

/// Who is signed in, the colours, and the way out.
#[component]
fn AccountMenu(
    /// Who is signed in.
    actor: Actor,
    /// The chosen colours.
    theme: Theme,
    /// Path and query of this page.
    path: String,
) -> impl IntoView {
    let choice = |value: Theme, label: &'static str, glyph: Glyph| {
        let pressed = if value == theme { "true" } else { "false" };
        view! {
            <button type="submit" name="theme" value=value.as_str() aria-pressed=pressed>
                <Icon glyph=glyph/>
                {label}
            </button>
        }
    };
    view! {
        <button type="button" class="account-button" popovertarget="account-menu">
            <Avatar name=actor.name.clone()/>
            <span class="account-name">{actor.name.clone()}</span>
            <span class="visually-hidden">" (account menu)"</span>
            <Icon glyph=Glyph::ChevronDown/>
        </button>
        <div class="menu account-menu" id="account-menu" popover="auto">
            <div class="account-who">
                <Avatar name=actor.name.clone() large=true/>
                <b>{actor.name}</b>
                <span class="faint small">{actor.role.label()} " · " {actor.email}</span>
            </div>
            <form method="post" action=SetTheme::PATH>
                <input type="hidden" name="next" value=path/>
                <div class="theme-choice" role="group" aria-label="Colours">
                    {choice(Theme::System, "System", Glyph::Monitor)}
                    {choice(Theme::Light, "Light", Glyph::Sun)}
                    {choice(Theme::Dark, "Dark", Glyph::Moon)}
                </div>
            </form>
            <hr/>
            <a class="menu-item" href=urls::account()>
                <Icon glyph=Glyph::Person/>
                "Account"
            </a>
            <form method="post" action=SignOut::PATH>
                <button type="submit" class="menu-item">
                    <Icon glyph=Glyph::SignOut/>
                    "Sign out"
                </button>
            </form>
        </div>
    }
}

/// The page for an error.
#[component]
pub fn ErrorPage(
    /// What went wrong.
    error: AppError,
) -> impl IntoView {
    let here = use_visit().map(|visit| visit.path);
    let home = Crumb::new("Home", urls::home());
    let again = here.clone().map(|path| Crumb::new("Try again", path));
    let status = error.status();
    let mut text = error.to_string();
    let (title, links) = match error.refusal() {
        Some(Refusal::SignInNeeded) => {
            ("Sign in first".to_owned(), vec![Crumb::new("Sign in", urls::sign_in(here.as_deref()))])
        }
        Some(Refusal::NotFound { what }) if what == "invitation" => {
            "It may be incomplete, or taken back since. Ask an admin of your organisation for a new link."
                .clone_into(&mut text);
            let sign_in = Crumb::new("Sign in", urls::sign_in(None));
            ("This link does not work".to_owned(), vec![sign_in])
        }
        Some(Refusal::NotFound { what }) => {
            // Of an object that is there, but not at this revision: the object itself.
            let page = here.as_deref().and_then(|here| here.split_once('?')).filter(|_| what == "revision");
            let newest = page.map(|(page, _)| Crumb::new("The newest revision", page));
            (format!("No such {what}"), newest.into_iter().chain(ways_on()).collect())
        }
        Some(Refusal::NotAllowed { .. }) => ("You may not do this".to_owned(), ways_on()),
        Some(Refusal::TooMany { .. } | Refusal::Busy { .. }) => {
            ("One moment".to_owned(), again.into_iter().chain([home]).collect())
        }
        Some(_) => ("This cannot be done".to_owned(), ways_on()),
        None => ("Something broke".to_owned(), again.into_iter().chain([home]).collect()),
    };
    let request_id = match &error {
        AppError::Internal { request_id } => request_id.clone(),
        AppError::Refused { .. } | AppError::Preview => String::new(),
    };
    let wrong = match error {
        AppError::Refused { refusal: Refusal::Invalid { fields } } => fields,
        _ => Vec::new(),
    };
    let again = wrong_in_address(&wrong, here).map(|(path, asked)| {
        "Nothing was looked for yet. Mend this, then try again:".clone_into(&mut text);
        view! { <AskAgain path=path asked=asked wrong=wrong/> }
    });
    view! { <Recovery status=status title=title text=text request_id=request_id links=links>{again}</Recovery> }
}

/// Names and values that an address asks for.
type Asked = Vec<(String, String)>;

/// The path of a list that was asked for what it cannot be asked for, and everything that it was asked for; nothing when
/// something is wrong that nobody types.
fn wrong_in_address(wrong: &[FieldError], here: Option<String>) -> Option<(String, Asked)> {
    if wrong.is_empty() {
        return None;
    }
    let path = here?.split('?').next()?.to_owned();
    let query = use_query_map().read_untracked().clone();
    let asked = query.into_iter().map(|(name, value)| (name.into_owned(), value));
    let asked: Asked = asked.filter(|(name, _)| !["cursor", "done"].contains(&name.as_str())).collect();
    let typed = |wrong: &FieldError| asked.iter().any(|(name, _)| *name == wrong.field);
    wrong.iter().all(typed).then_some((path, asked))
}

/// What a list was asked for, to be mended: whoever looked for a text that is too long still has it.
#[component]
fn AskAgain(
    /// The list.
    path: String,
    /// What it was asked for.
    asked: Asked,
    /// What is wrong with that.
    wrong: Vec<FieldError>,
) -> impl IntoView {
    let fields = asked.into_iter().map(move |(name, value)| {
        let message = wrong.iter().find(|wrong| wrong.field == name).map(|wrong| wrong.message.clone());
        match message {
            Some(message) => view! { <Field name=name label=message value=value/> }.into_any(),
            None => view! { <Hidden name=name value=value/> }.into_any(),
        }
    });
    view! { <Filters action=path button="Try again">{fields.collect_view()}</Filters> }
}

/// The page for an address that leads nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    crate::page::set_status(404);
    let text = "No page has this address. It may have been mistyped, or what was here is gone.";
    view! { <Recovery status=404 title="There is nothing here" text=text links=ways_on()/> }
}

/// Where people go who are lost.
fn ways_on() -> Vec<Crumb> {
    vec![Crumb::new("Home", urls::home()), Crumb::new("RFCs", urls::rfcs()), Crumb::new("Services", urls::services())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_one_is_in_is_marked() {
        assert_eq!(current("/", "/"), Some("page"));
        assert_eq!(current("/rfcs", "/"), None);
        assert_eq!(current("/rfcs", "/rfcs"), Some("page"));
        assert_eq!(current("/rfcs/12", "/rfcs"), Some("true"));
        assert_eq!(current("/rfcs-old", "/rfcs"), None);
        assert_eq!(current("/teams/core", "/people"), Some("true"));
    }
}
