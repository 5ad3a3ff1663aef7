//! The keyboard in the inbox: `j` and `k` go from row to row, the other keys press the row's buttons. Everything it does
//! is a button on the page, too; without JavaScript its help is not shown. Whoever does not want it (single keys are hit by
//! chance, and by what is dictated) turns it off beside the help.

use leptos::prelude::*;

/// The keys and what they do.
const KEYS: [(&str, &str); 7] = [
    ("j", "next"),
    ("k", "previous"),
    ("Enter", "open"),
    ("e", "done"),
    ("l", "until tomorrow"),
    ("w", "until next week"),
    ("u", "read or unread"),
];

/// The keyboard and its help.
#[island]
pub fn InboxKeys() -> impl IntoView {
    let help = NodeRef::<leptos::html::P>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(help) = help.get() {
            browser::attach(&help);
        }
    });
    view! {
        <p class="inbox-keys faint small" node_ref=help hidden=true>
            {KEYS.into_iter().map(|(key, what)| view! { <span><kbd class="kbd">{key}</kbd> " " {what}</span> }).collect_view()}
            <button type="button" class="button button-quiet button-small"></button>
        </p>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::{document, window};
    use wasm_bindgen::JsCast as _;
    use web_sys::{Element, Event, HtmlElement, KeyboardEvent, Storage};

    use crate::browser::{mark_ready, on};

    /// Under which the number of the row is kept while its form is sent.
    const ROW: &str = "inbox-row";
    /// On the help, and under which the browser keeps it: the keys are turned off.
    const OFF: &str = "data-inbox-keys-off";

    pub(super) fn attach(help: &HtmlElement) -> Option<()> {
        help.set_hidden(rows().is_empty());
        // Back from a form: where one was, the next row is now.
        let storage = window().session_storage().ok().flatten();
        if let Some(row) = storage.as_ref().and_then(|storage| storage.get_item(ROW).ok().flatten()) {
            drop(storage.map(|storage| storage.remove_item(ROW)));
            focus(row.parse().unwrap_or(0));
        }
        let switch = help.query_selector("button").ok()??;
        turn(help, &switch, kept().is_some_and(|kept| kept.get_item(OFF).ok().flatten().is_some()));
        let (here, button) = (help.clone(), switch.clone());
        on(&switch, "click", move |_: Event| {
            let off = !here.has_attribute(OFF);
            turn(&here, &button, off);
            if let Some(kept) = kept() {
                drop(if off { kept.set_item(OFF, "") } else { kept.remove_item(OFF) });
            }
        });
        let here = help.clone();
        on(&document(), "keydown", move |event: KeyboardEvent| {
            // Not without the help in sight, which says what they do and turns them off.
            if here.offset_parent().is_some() && !here.has_attribute(OFF) {
                pressed(&event);
            }
        });
        mark_ready();
        Some(())
    }

    /// What the browser keeps for longer than this visit.
    fn kept() -> Option<Storage> {
        window().local_storage().ok().flatten()
    }

    fn turn(help: &HtmlElement, switch: &Element, off: bool) {
        drop(help.toggle_attribute_with_force(OFF, off));
        switch.set_text_content(Some(if off { "Turn the keys on" } else { "Turn the keys off" }));
    }

    /// The rows' links, in order.
    fn rows() -> Vec<HtmlElement> {
        let Ok(found) = document().query_selector_all("main .row > .row-main > a.row-title") else { return Vec::new() };
        (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
    }

    fn focus(row: usize) {
        let rows = rows();
        if let Some(link) = rows.get(row.min(rows.len().saturating_sub(1))) {
            drop(link.focus());
        }
    }

    fn pressed(event: &KeyboardEvent) -> Option<()> {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
            return None;
        }
        let active = document().active_element();
        if active.as_ref().is_some_and(|active| active.matches("input, textarea, select").unwrap_or(false)) {
            return None;
        }
        let row = active.and_then(|active| active.closest(".row").ok().flatten());
        let here = row.as_ref().and_then(|row| rows().iter().position(|link| row.contains(Some(link))));
        match event.key().as_str() {
            "j" => focus(here.map_or(0, |here| here + 1)),
            "k" => focus(here.unwrap_or(1).saturating_sub(1)),
            "e" => press(row.as_ref()?, here?, "[value=done]"),
            "l" => press(row.as_ref()?, here?, "[value=tomorrow]"),
            "w" => press(row.as_ref()?, here?, "[value=next_week]"),
            "u" => press(row.as_ref()?, here?, ":is([value=read], [value=unread])"),
            _ => return None,
        }
        event.prevent_default();
        Some(())
    }

    fn press(row: &Element, here: usize, button: &str) {
        let Ok(Some(button)) = row.query_selector(&format!("button{button}")) else { return };
        if let Ok(Some(storage)) = window().session_storage() {
            drop(storage.set_item(ROW, &here.to_string()));
        }
        if let Ok(button) = button.dyn_into::<HtmlElement>() {
            button.click();
        }
    }
}
