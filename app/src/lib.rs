//! Plumbline as a person sees it.
//!
//! Pages are rendered on the server only (`#[cfg(feature = "ssr")]`) and call `backend` directly. Every action is a real
//! `<form>` that posts to a server function (`api.rs` of a slice, address `/do/<slice>/<verb>`) and redirects to the
//! page that shows the result. The few interactive parts are islands (`*_island.rs`); they and `api.rs` are compiled a
//! second time, for the browser, and make things quicker, not possible.
//!
//! | where | what |
//! |---|---|
//! | [`urls`] | every address as a function |
//! | [`error`] | what may cross the wire when something goes wrong |
//! | `session` | who is asking, and the one way to redirect |
//! | `form_echo` | how a refused form comes back with its text and the message beside the field |
//! | `routes`, `shell`, `layout` | the table of pages, the HTML document, the frame around every page |
//! | `ui` | house components |
//! | `home`, `inbox`, `rfcs`, `services`, `incidents`, `follow_ups`, `people`, `search`, `activity`, `imports`, `account`, `admin` | slices, one folder each; slices never import each other |
//! | `browser`, `live` | in the browser: what islands have in common; the connection by which a page hears of changes |

pub mod account;
pub mod activity;
pub mod admin;
pub mod error;
pub mod follow_ups;
pub mod imports;
pub mod inbox;
pub mod incidents;
pub mod people;
pub mod rfcs;
pub mod search;
pub mod services;
pub mod urls;

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod live;

#[cfg(feature = "ssr")]
pub mod form_echo;
#[cfg(feature = "ssr")]
pub mod home;
#[cfg(feature = "ssr")]
pub mod layout;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod routes;
#[cfg(feature = "ssr")]
pub mod session;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod ui;

/// The browser's entry point: wakes up the islands of the page.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    forget_news();
    leptos::mount::hydrate_islands();
    // Islands say what they listen to as they wake up, before this.
    let connect = || {
        live::connect();
    };
    leptos::prelude::set_timeout(connect, std::time::Duration::ZERO);
    // Browser tests wait for this before they click on an island.
    if let Some(root) = leptos::prelude::document().document_element() {
        // A page that cannot be marked works all the same.
        drop(root.set_attribute("data-hydrated", ""));
    }
}

/// Takes what the last form did out of the address: it was said on this page, and whoever comes back or passes the address
/// on is not told again.
#[cfg(feature = "hydrate")]
fn forget_news() -> Option<()> {
    let location = leptos::prelude::window().location();
    let (path, query, fragment) = (location.pathname().ok()?, location.search().ok()?, location.hash().ok()?);
    let pairs = query.strip_prefix('?')?.split('&');
    let rest: Vec<_> = pairs.clone().filter(|pair| !pair.starts_with("done=")).collect();
    if rest.len() == pairs.count() {
        return None;
    }
    let separator = if rest.is_empty() { "" } else { "?" };
    let address = format!("{path}{separator}{}{fragment}", rest.join("&"));
    let history = leptos::prelude::window().history().ok()?;
    history.replace_state_with_url(&history.state().ok()?, "", Some(&address)).ok()
}
