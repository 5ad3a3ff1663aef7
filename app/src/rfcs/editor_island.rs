//! Helps while writing: a live preview by the server's own renderer, the text kept in this browser until it is saved, and
//! a question before unsaved text is left behind. The form works without.

#![expect(missing_docs, reason = "the macro makes a struct of the island's props, which are documented")]

use leptos::prelude::*;

use super::kept::Kept;

/// Stands above the text, where its offer to restore kept text is seen.
#[island]
pub fn EditorHelp(
    /// What the text is called in the browser's store.
    name: String,
    /// The revision the text is written on.
    base: i32,
    /// Whether the text was sent and not saved, so that what is on the page is nowhere else.
    unsaved: bool,
    /// Bytes at most.
    limit: usize,
) -> impl IntoView {
    let offer = RwSignal::new(None::<Kept>);
    let desk = StoredValue::new(Desk { name, base });
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::attach(desk, limit, unsaved, offer));
    #[cfg(not(feature = "hydrate"))]
    let _ = (desk, limit, unsaved);
    let restore = move |_| {
        if let Some(kept) = offer.get_untracked() {
            #[cfg(feature = "hydrate")]
            browser::restore(desk, &kept);
            #[cfg(not(feature = "hydrate"))]
            drop(kept);
        }
        offer.set(None);
    };
    let discard = move |_| {
        #[cfg(feature = "hydrate")]
        if let Some(kept) = offer.get_untracked() {
            super::kept::forget(&desk.get_value().name, kept.base);
        }
        offer.set(None);
    };
    view! {
        {move || {
            offer.get().map(|kept| {
                let older = (kept.base != base).then(|| format!(" It was written on revision {}.", kept.base));
                view! {
                    <div class="editor-kept cluster" role="status">
                        <span>"This browser has text of yours that was not saved." {older}</span>
                        <button type="button" class="button button-small" on:click=restore>"Restore it"</button>
                        <button type="button" class="button button-quiet button-small" on:click=discard>"Forget it"</button>
                    </div>
                }
            })
        }}
    }
}

/// What is being written.
#[derive(Clone)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "read in the browser only"))]
struct Desk {
    name: String,
    base: i32,
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use web_sys::{Element, Event, HtmlElement, HtmlInputElement, HtmlTextAreaElement};

    use super::super::api::preview_text;
    use super::super::kept::{self, Kept};
    use super::Desk;
    use crate::browser::{mark_ready, on};

    /// Between the last key and the preview.
    const PAUSE: Duration = Duration::from_millis(300);
    /// From this share of the limit on, what is left is said.
    const NEAR: f64 = 0.8;

    fn text_area() -> Option<HtmlTextAreaElement> {
        document().query_selector(".editor textarea[name=body]").ok()??.dyn_into().ok()
    }

    /// Begins to help.
    pub fn attach(desk: StoredValue<Desk>, limit: usize, unsaved: bool, offer: RwSignal<Option<Kept>>) {
        let (Some(area), Some(preview)) = (text_area(), document().get_element_by_id("preview")) else { return };
        hide_preview_button();
        let saved = (!unsaved).then(|| area.default_value().unwrap_or_default());
        let initial = area.value();
        offer.set(desk.with_value(|desk| kept::find(&desk.name, desk.base, &initial)));
        let rendering = live_preview(preview);
        let dirty = Rc::new(RefCell::new(false));

        let form = area.form();
        let waiting: Rc<RefCell<Option<TimeoutHandle>>> = Rc::default();
        // Refused, typed before anybody listened, or put back by the browser.
        let typed_already = saved.as_ref() != Some(&initial);
        let (typed, changed) = (area.clone(), Rc::clone(&dirty));
        let edited = move || {
            changed.replace(true);
            if let Some(earlier) = waiting.take() {
                earlier.clear();
            }
            let (area, saved) = (typed.clone(), saved.clone());
            let rendering = rendering.clone();
            let after_pause = move || {
                let text = area.value();
                let Desk { name, base } = desk.get_value();
                // What is still on offer is not overwritten by what is typed instead of taking it.
                let offered = offer.with_untracked(|offer| {
                    offer.as_ref().is_some_and(|offer| offer.base == base && offer.body != text)
                });
                let kept = if offered {
                    Some(false)
                } else if saved.as_ref() == Some(&text) {
                    kept::forget(&name, base);
                    None
                } else {
                    Some(kept::keep(&name, base, &text))
                };
                say(&room(text.len(), limit, kept));
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
        let blank = preview.clone();
        Effect::new(move |_| match render.value().get() {
            Some(Ok(html)) => preview.set_inner_html(&html),
            Some(Err(error)) => say(&error.to_string()),
            None => {}
        });
        let running = Rc::new(RefCell::new(None));
        move |text: String| {
            let started = if text.trim().is_empty() {
                blank.set_inner_html("");
                None
            } else {
                Some(render.dispatch_local(text))
            };
            if let Some(stale) = running.replace(started) {
                let stale: leptos::reactive::actions::ActionAbortHandle = stale;
                stale.abort();
            }
        }
    }

    /// Puts kept text back, as if it were typed: on the revision it was written on, so that publishing it shows what came
    /// after instead of replacing it.
    pub fn restore(desk: StoredValue<Desk>, kept: &Kept) {
        let Some(area) = text_area() else { return };
        for name in ["base_revision", "written_on"] {
            let field = area.form().and_then(|form| form.query_selector(&format!("input[name={name}]")).ok()?);
            if let Some(field) = field {
                field.unchecked_into::<HtmlInputElement>().set_value(&kept.base.to_string());
            }
        }
        desk.update_value(|desk| desk.base = kept.base);
        area.set_value(&kept.body);
        if let Ok(typed) = Event::new("input") {
            // Nobody listens: nothing to do about it.
            drop(area.dispatch_event(&typed));
        }
        drop(area.focus());
    }

    /// What is said about the text: its size, and whether the browser keeps it (`None`: it need not).
    fn room(bytes: usize, limit: usize, kept: Option<bool>) -> String {
        let kept = match kept {
            None => "",
            Some(true) => "Kept in this browser until you save.",
            Some(false) => "This browser does not keep it: save before you leave.",
        };
        #[expect(clippy::cast_precision_loss, reason = "a share, not a count")]
        let share = bytes as f64 / limit as f64;
        match limit.checked_sub(bytes) {
            None => format!("Too long by {} bytes: it cannot be saved like this.", bytes - limit),
            Some(left) if share > NEAR => format!("{kept} {left} bytes are left."),
            Some(_) => kept.to_owned(),
        }
    }
}
