//! Texts that a browser keeps in its own store until they are saved: what they are called, and when they have done their
//! duty. A name says whose text of what it is (`17:rfc-7`, `17:new`); with it goes the revision the text was written on,
//! 0 for a new RFC, because what was written on an older one must not silently replace what came after.

#[cfg(feature = "hydrate")]
pub use browser::{find, forget, forget_all, keep};
#[cfg(feature = "ssr")]
pub(super) use server::{done_with, of_new, of_rfc};

/// A text in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The revision it was written on.
    pub base: i32,
    /// The text.
    pub body: String,
}

#[cfg(feature = "ssr")]
mod server {
    use domain::PersonId;

    use crate::ui::Done;

    /// A person's text of the next revision of an RFC.
    pub(in crate::rfcs) fn of_rfc(person: PersonId, number: i64) -> String {
        format!("{person}:rfc-{number}")
    }

    /// A person's text of a new RFC.
    pub(in crate::rfcs) fn of_new(person: PersonId) -> String {
        format!("{person}:new")
    }

    /// The texts that are safe once the form that says `done` has led to the RFC's page: those of that very form.
    pub(in crate::rfcs) fn done_with(done: Option<Done>, person: PersonId, number: i64) -> Option<String> {
        match done? {
            Done::DraftCreated | Done::CreatedAndPublished | Done::CreatedNotPublished => Some(of_new(person)),
            Done::DraftSaved | Done::SavedAndPublished | Done::SavedNotPublished | Done::Revised => {
                Some(of_rfc(person, number))
            }
            _ => None,
        }
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::window;
    use wasm_bindgen::JsCast;
    use web_sys::Storage;

    use super::Kept;

    /// The browser's own store, if the person allows it.
    fn store() -> Option<Storage> {
        window().local_storage().ok().flatten()
    }

    fn key(name: &str, base: &str) -> String {
        format!("plumbline:text:{name}:{base}")
    }

    /// The revisions that texts of this name were written on.
    fn bases(store: &Storage, name: &str) -> Vec<i32> {
        let prefix = key(name, "");
        let keys = js_sys::Object::keys(store.unchecked_ref::<js_sys::Object>());
        keys.iter().filter_map(|key| key.as_string()?.strip_prefix(&prefix)?.parse().ok()).collect()
    }

    /// A text of this name that is not the one on the screen: written on the same revision, else on the newest one.
    pub fn find(name: &str, base: i32, shown: &str) -> Option<Kept> {
        let store = store()?;
        let mut bases = bases(&store, name);
        bases.sort_by_key(|kept| (*kept == base, *kept));
        bases.into_iter().rev().find_map(|base| {
            let body = store.get_item(&key(name, &base.to_string())).ok()??;
            (body != shown).then_some(Kept { base, body })
        })
    }

    /// Keeps a text; false when the store is full or not allowed.
    pub fn keep(name: &str, base: i32, body: &str) -> bool {
        store().is_some_and(|store| store.set_item(&key(name, &base.to_string()), body).is_ok())
    }

    /// Forgets the text written on this revision.
    pub fn forget(name: &str, base: i32) {
        if let Some(store) = store() {
            drop(store.remove_item(&key(name, &base.to_string())));
        }
    }

    /// Forgets every text of this name.
    pub fn forget_all(name: &str) {
        let bases = store().map(|store| bases(&store, name));
        bases.into_iter().flatten().for_each(|base| forget(name, base));
    }
}
