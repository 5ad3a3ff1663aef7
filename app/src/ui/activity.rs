//! What happened, one sentence a row.

use backend::Page;
use backend::events::activity::{About, Entry};
use backend::events::sentence::Piece;
use leptos::prelude::*;

use super::{Disclosure, Time};
use crate::urls;

/// "Activity", folded, at the end of the page of one thing: its newest events and the way to all of them.
#[component]
pub fn Activity(
    /// What the page is about.
    about: About,
    /// `backend::events::activity::latest` of it.
    latest: Page<Entry>,
) -> impl IntoView {
    let more = latest.next_cursor.is_some().then(|| {
        let all = urls::activity(&[("kind", &about.kind), ("key", &about.key)]);
        view! { <p><a href=all>"Everything that happened"</a></p> }
    });
    let list = if latest.items.is_empty() {
        view! { <p class="muted">"Nothing has happened yet that you may know of."</p> }.into_any()
    } else {
        entries(latest.items, &about)
    };
    view! {
        <Disclosure summary="Activity" class="activity" id="activity">
            {list}
            {more}
        </Disclosure>
    }
}

/// Events as sentences, the newest first. What the page is `about` is not named in them.
pub fn entries(entries: Vec<Entry>, about: &About) -> AnyView {
    let rows: Vec<_> = entries.into_iter().map(|entry| row(entry, about)).collect();
    view! { <ol class="events" aria-label="What happened">{rows}</ol> }.into_any()
}

fn row(entry: Entry, about: &About) -> impl IntoView + use<> {
    // What a person did stands on their page too, and then it is said to what. A service may have had another name.
    let own = about.kind == entry.kind && (about.kind != "person" || about.key == entry.key);
    let who = match &entry.actor {
        Some(actor) => view! { <a href=urls::person(&actor.email) dir="auto">{actor.name.clone()}</a> }.into_any(),
        None => "Plumbline".into_any(),
    };
    let itself = entry.kind == "person" && entry.actor.as_ref().is_some_and(|actor| actor.email == entry.key);
    let said: Vec<_> = entry.said.iter().map(|piece| words(piece, &entry, own || itself)).collect();
    view! {
        <li class="event">
            <span class="event-said">{who} " " {said}</span>
            <Time at=entry.at/>
        </li>
    }
}

fn words(piece: &Piece, entry: &Entry, own: bool) -> AnyView {
    match piece {
        Piece::Text(words) => words.clone().into_any(),
        Piece::About(_) if own => ().into_any(),
        Piece::About(preposition) => view! { {format!(" {preposition} ")} {object(entry)} }.into_any(),
        Piece::Object if own => format!("this {}", noun(&entry.kind)).into_any(),
        Piece::Object => object(entry),
    }
}

/// What it happened to, with the way to it.
fn object(entry: &Entry) -> AnyView {
    let title = entry.title.clone().filter(|title| !title.is_empty());
    let name = match (entry.kind.as_str(), title) {
        ("rfc", Some(title)) => format!("RFC-{} {title}", entry.key),
        ("rfc", None) => format!("RFC-{}", entry.key),
        (_, Some(title)) => title,
        (kind, None) => format!("{} {}", noun(kind), entry.key),
    };
    match urls::subject(&entry.kind, &entry.key) {
        Some(href) => view! { <a href=href dir="auto">{name}</a> }.into_any(),
        None => name.into_any(),
    }
}

/// A subject's kind in words.
fn noun(kind: &str) -> String {
    if kind == "rfc" { "RFC".to_owned() } else { kind.replace('_', "-") }
}
