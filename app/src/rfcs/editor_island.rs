//! Helps while writing: a live preview by the server's own renderer, the text kept in this browser until it is saved, and
//! a question before unsaved text is left behind. The form works without.

#![expect(missing_docs, reason = "the macro makes a struct of the island's props, which are documented")]

use leptos::prelude::*;

/// Stands above the text, where its offer to restore kept text is seen. `key` names the text in the browser's store,
/// `limit` is its size in bytes.
#[island]
pub fn EditorHelp(
    /// The person, the RFC and the revision the text is written on.
    key: String,
    /// Bytes at most.
    limit: usize,
) -> impl IntoView {
    let kept = RwSignal::new(None::<String>);
    let key = StoredValue::new(key);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::attach(&key.get_value(), limit, kept));
    #[cfg(not(feature = "hydrate"))]
    let _ = (key, limit);
    let restore = move |_| {
        if let Some(text) = kept.get_untracked() {
            #[cfg(feature = "hydrate")]
            browser::restore(&text);
            #[cfg(not(feature = "hydrate"))]
            drop(text);
        }
        kept.set(None);
    };
    let discard = move |_| {
        #[cfg(feature = "hydrate")]
        browser::forget(&key.get_value());
        kept.set(None);
    };
    view! {
        {move || {
            kept.get().map(|_| {
                view! {
                    <div class="editor-kept cluster" role="status">
                        <span>"This browser has text of yours that was not saved."</span>
                        <button type="button" class="button button-small" on:click=restore>"Restore it"</button>
                        <button type="button" class="button button-quiet button-small" on:click=discard>"Forget it"</button>
                    </div>
                }
            })
        }}
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use web_sys::{Element, Event, HtmlElement, HtmlTextAreaElement};

    use super::super::api::preview_text;
    use super::super::browser::{mark_ready, on, store};

    /// Between the last key and the preview.
    const PAUSE: Duration = Duration::from_millis(300);
    /// From this share of the limit on, what is left is said.
    const NEAR: f64 = 0.8;

    fn text_area() -> Option<HtmlTextAreaElement> {
        document().query_selector(".editor textarea[name=body]").ok()??.dyn_into().ok()
    }

    /// Begins to help.
    pub fn attach(key: &str, limit: usize, kept: RwSignal<Option<String>>) {
        let (Some(area), Some(preview)) = (text_area(), document().get_element_by_id("preview")) else { return };
        hide_preview_button();
        let saved = area.default_value().unwrap_or_default();
        let initial = area.value();
        if let Some(text) = load(key).filter(|text| *text != initial) {
            kept.set(Some(text));
        }
        let rendering = live_preview(preview);
        let dirty = Rc::new(RefCell::new(false));

        let (key, form) = (key.to_owned(), area.form());
        let waiting: Rc<RefCell<Option<TimeoutHandle>>> = Rc::default();
        // Typed before anybody listened, or put back by the browser.
        let typed_already = initial != saved;
        let (typed, changed) = (area.clone(), Rc::clone(&dirty));
        let edited = move || {
            changed.replace(true);
            if let Some(earlier) = waiting.take() {
                earlier.clear();
            }
            let (area, key, saved) = (typed.clone(), key.clone(), saved.clone());
            let rendering = rendering.clone();
            let after_pause = move || {
                let text = area.value();
                if text == saved {
                    forget(&key);
                } else {
                    keep(&key, &text);
                }
                say(&room(text.len(), limit));
                rendering(text);
            };
            waiting.replace(set_timeout_with_handle(after_pause, PAUSE).ok());
        };
        if typed_already {
            edited();
        }
        on(&area, "input", move |_: Event| edited());
        let leaving = Rc::clone(&dirty);
        on(&window(), "beforeunload", move |event: Event| {
            if *leaving.borrow() {
                event.prevent_default();
            }
        });
        if let Some(form) = form {
            on(&form, "submit", move |_: Event| {
                dirty.replace(false);
            });
        }
        mark_ready();
    }

    /// Says something in the bar below the text.
    fn say(words: &str) {
        if let Some(said) = document().get_element_by_id("editor-said") {
            said.set_text_content(Some(words));
        }
    }

    /// The preview button is for browsers without this.
    fn hide_preview_button() {
        if let Ok(Some(button)) = document().query_selector(".editor .without-script") {
            button.unchecked_into::<HtmlElement>().set_hidden(true);
        }
    }

    /// Renders a text into the preview; a text that is newer stops the one before it.
    fn live_preview(preview: Element) -> impl Fn(String) + Clone + 'static {
        let render = Action::new_local(|text: &String| preview_text(text.clone()));
        Effect::new(move |_| match render.value().get() {
            Some(Ok(html)) => preview.set_inner_html(&html),
            Some(Err(error)) => say(&error.to_string()),
            None => {}
        });
        let running = Rc::new(RefCell::new(None));
        move |text| {
            let started = render.dispatch_local(text);
            if let Some(stale) = running.replace(Some(started)) {
                let stale: leptos::reactive::actions::ActionAbortHandle = stale;
                stale.abort();
            }
        }
    }

    /// Puts kept text back, as if it were typed.
    pub fn restore(text: &str) {
        if let Some(area) = text_area() {
            area.set_value(text);
            if let Ok(typed) = Event::new("input") {
                // Nobody listens: nothing to do about it.
                drop(area.dispatch_event(&typed));
            }
            drop(area.focus());
        }
    }

    /// What is said about the size of the text.
    fn room(bytes: usize, limit: usize) -> String {
        let kept = "Kept in this browser until you save.";
        #[expect(clippy::cast_precision_loss, reason = "a share, not a count")]
        let share = bytes as f64 / limit as f64;
        match limit.checked_sub(bytes) {
            None => format!("Too long by {} bytes: it cannot be saved like this.", bytes - limit),
            Some(left) if share > NEAR => format!("{kept} {left} bytes are left."),
            Some(_) => kept.to_owned(),
        }
    }

    fn name(key: &str) -> String {
        format!("plumbline:text:{key}")
    }

    fn load(key: &str) -> Option<String> {
        store()?.get_item(&name(key)).ok()?
    }

    fn keep(key: &str, text: &str) {
        if let Some(store) = store() {
            // A full store keeps nothing; the form still has the text.
            drop(store.set_item(&name(key), text));
        }
    }

    /// Forgets kept text.
    pub fn forget(key: &str) {
        if let Some(store) = store() {
            drop(store.remove_item(&name(key)));
        }
    }
}
