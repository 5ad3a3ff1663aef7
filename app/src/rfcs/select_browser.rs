//! The browser's side of [`super::select_island`]: plain events on the server's page. The arithmetic is in
//! [`super::selection`].

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{
    Element, Event, HtmlButtonElement, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent, Node, Range,
};

use super::kept;
use super::marks::Marks;
use super::news_browser::THREADS_CHANGED;
use super::selection;
use crate::browser::{by_id, mark_ready, on};

/// A selection that is still being dragged is not offered anything yet.
const PAUSE: Duration = Duration::from_millis(120);
/// Between the selection and the button, in pixels.
const GAP: f64 = 8.0;
/// Characters of the selected text that the form repeats.
const QUOTE_CHARS: usize = 200;

/// Words that were selected.
#[derive(Clone)]
struct Selected {
    /// Bytes of the source.
    source: std::ops::Range<usize>,
    /// The passage in which they end: there the form is shown.
    passage: Element,
    /// The words on the page, block by block: what stands between the blocks, threads for example, is not the text.
    words: Vec<Range>,
}

/// What the island knows of the page.
struct Desk {
    article: Element,
    button: HtmlButtonElement,
    marks: Marks,
    /// What the button is beside.
    offered: RefCell<Option<Selected>>,
}

/// Begins to listen.
pub fn attach(button: &HtmlButtonElement) {
    let Some(article) = document().get_element_by_id("rfc-body") else { return };
    // Once a text is saved, its copy in this browser has done its duty.
    if let Some(name) = article.get_attribute("data-kept") {
        kept::forget_all(&name);
    }
    let may_select = article.has_attribute("data-comment");
    let marks = Marks::of_threads(&article);
    let desk = Rc::new(Desk { article, button: button.clone(), marks, offered: RefCell::default() });
    if may_select {
        listen_to_selection(&desk);
        listen_to_form(&desk);
    }
    desk.marks.listen(&desk.article);
    // Others have said something, and the page shows it.
    let here = Rc::clone(&desk);
    on(&desk.article, THREADS_CHANGED, move |_: Event| here.marks.renew(&here.article));
    mark_ready();
}

fn listen_to_selection(desk: &Rc<Desk>) {
    if desk.article.has_attribute("data-attach")
        && let Ok(Some(words)) = desk.button.query_selector("span")
    {
        words.set_text_content(Some("Put the thread here"));
    }
    let waiting: RefCell<Option<TimeoutHandle>> = RefCell::default();
    let here = Rc::clone(desk);
    on(&document(), "selectionchange", move |_: Event| {
        if let Some(earlier) = waiting.take() {
            earlier.clear();
        }
        let desk = Rc::clone(&here);
        waiting.replace(set_timeout_with_handle(move || desk.offer(), PAUSE).ok());
    });
    // Pressing the button must not take the selection away.
    on(&desk.button, "pointerdown", |event: Event| event.prevent_default());
    on(&desk.button, "mousedown", |event: Event| event.prevent_default());
    let here = Rc::clone(desk);
    on(&desk.button, "click", move |_: Event| {
        here.offer();
        here.take();
    });
    let here = Rc::clone(desk);
    on(&document(), "keydown", move |event: KeyboardEvent| here.key(&event));
}

/// Links of the page that the island answers itself.
fn listen_to_form(desk: &Rc<Desk>) {
    let here = Rc::clone(desk);
    on(&desk.article.clone(), "click", move |event: MouseEvent| {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
        if event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key() {
            return;
        }
        if let Ok(Some(door)) = target.closest("a.block-add")
            && let Some(passage) = door.parent_element()
        {
            event.prevent_default();
            here.compose_block(&passage);
        } else if let Ok(Some(_)) = target.closest("#composer .form-actions a")
            && let Some(composer) = composer()
        {
            event.prevent_default();
            composer.set_hidden(true);
            here.marks.point_at(Vec::new());
            let door = composer
                .closest(".passage")
                .ok()
                .flatten()
                .and_then(|passage| passage.query_selector(":scope > .block-add").ok()?);
            if let Some(door) = door {
                drop(door.unchecked_into::<HtmlElement>().focus());
            }
        }
    });
}

impl Desk {
    /// Shows the button beside the selection, or hides it.
    fn offer(&self) {
        let selected = self.selected();
        let Some(selected) = selected else {
            self.button.set_hidden(true);
            self.offered.replace(None);
            return;
        };
        self.button.set_hidden(false);
        let Some(around) = selected.words.last().map(Range::get_bounding_client_rect) else { return };
        let window = document().document_element().map_or(f64::MAX, |root| f64::from(root.client_width()));
        let room = window - f64::from(self.button.offset_width()) - GAP;
        let (mut left, mut top) = (around.left().min(room).max(GAP), around.bottom() + GAP);
        if let Some(origin) = self.button.offset_parent() {
            let origin = origin.get_bounding_client_rect();
            left -= origin.left();
            top -= origin.top();
        }
        // Through the object model: style attributes are not allowed here.
        let style = HtmlElement::style(&self.button);
        drop(style.set_property("left", &format!("{left}px")));
        drop(style.set_property("top", &format!("{top}px")));
        self.offered.replace(Some(selected));
    }

    /// Does with the selection what the button says.
    fn take(&self) {
        let Some(selected) = self.offered.take() else { return };
        self.button.set_hidden(true);
        if self.article.has_attribute("data-attach") {
            if let Some(button) = by_id::<HtmlButtonElement>("attach-selected") {
                button.set_value(&format!("{}-{}", selected.source.start, selected.source.end));
                button.click();
            }
            return;
        }
        let words = selected.words.iter().map(|words| String::from(words.to_string())).collect::<Vec<_>>().join(" ");
        let quote: String = words.chars().take(QUOTE_CHARS).collect();
        compose(&selected.passage, &selected.source, &quote);
        self.marks.point_at(selected.words);
    }

    /// Opens the form for a whole block.
    fn compose_block(&self, passage: &Element) {
        let Some(block) = block_of(passage) else { return };
        let (Some(start), Some(end)) = (offset(&block, "data-start"), offset(&block, "data-end")) else { return };
        compose(passage, &(start..end), "");
        self.marks.point_at(whole(&block).into_iter().collect());
    }

    fn key(&self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        match event.key().as_str() {
            "Escape" => self.button.set_hidden(true),
            "c" => {
                let typing = "input, textarea, select, [contenteditable]";
                if target.as_ref().is_some_and(|target| target.matches(typing).unwrap_or(true)) {
                    return;
                }
                // A key for the selected text, not for the page: without one it does nothing.
                self.offer();
                if self.offered.borrow().is_some() {
                    event.prevent_default();
                    self.take();
                }
            }
            _ => {}
        }
    }

    /// The selected words of the text, if any of them have a source.
    fn selected(&self) -> Option<Selected> {
        let selection = window().get_selection().ok()??;
        if selection.is_collapsed() || selection.range_count() == 0 {
            return None;
        }
        let range = selection.get_range_at(0).ok()?;
        let blocks = self.article.query_selector_all(".block").ok()?;
        let mut hull: Option<std::ops::Range<usize>> = None;
        let (mut words, mut last) = (Vec::new(), None);
        for index in 0..blocks.length() {
            let Some(block) = blocks.get(index) else { continue };
            if !range.intersects_node(&block).unwrap_or(false) {
                if hull.is_some() {
                    break;
                }
                continue;
            }
            let Ok(block) = block.dyn_into::<Element>() else { continue };
            if let Some(source) = source_in(&block, &range) {
                hull = Some(hull.map_or(source.clone(), |hull| hull.start.min(source.start)..hull.end.max(source.end)));
                words.extend(part_of(&block, &range));
                last = block.parent_element();
            }
        }
        Some(Selected { source: hull?, passage: last?, words })
    }
}

/// The bytes that the part of a selection inside a block stands for.
fn source_in(block: &Element, range: &Range) -> Option<std::ops::Range<usize>> {
    let text = block.text_content()?;
    let units = text.encode_utf16().count();
    let start = units_before(block, &range.start_container().ok()?, range.start_offset().ok()?).unwrap_or(0);
    let end = units_before(block, &range.end_container().ok()?, range.end_offset().ok()?).unwrap_or(units);
    selection::source_of(&block.get_attribute("data-runs")?, &text, start..end)
}

/// How many UTF-16 units of a block's text stand before a place; `None` when the place is not in the block.
fn units_before(block: &Element, node: &Node, offset: u32) -> Option<usize> {
    if !block.contains(Some(node)) {
        return None;
    }
    let before = whole(block)?;
    before.set_end(node, offset).ok()?;
    usize::try_from(before.to_string().length()).ok()
}

/// The part of a selection that is inside a block.
fn part_of(block: &Element, range: &Range) -> Option<Range> {
    let part = whole(block)?;
    let (start, end) = (range.start_container().ok()?, range.end_container().ok()?);
    if block.contains(Some(&start)) {
        part.set_start(&start, range.start_offset().ok()?).ok()?;
    }
    if block.contains(Some(&end)) {
        part.set_end(&end, range.end_offset().ok()?).ok()?;
    }
    Some(part)
}

/// Everything in a block.
fn whole(block: &Element) -> Option<Range> {
    let range = document().create_range().ok()?;
    range.select_node_contents(block).ok()?;
    Some(range)
}

/// Moves the form under the passage and fills it in. What was typed into it stays.
fn compose(passage: &Element, source: &std::ops::Range<usize>, quote: &str) {
    let Some(composer) = composer() else { return };
    fill(&composer, "start", source.start);
    fill(&composer, "end", source.end);
    if let Ok(Some(place)) = composer.query_selector(".thread-quote") {
        place.set_text_content(Some(quote));
        place.unchecked_into::<HtmlElement>().set_hidden(quote.is_empty());
    }
    drop(passage.append_child(&composer));
    composer.set_hidden(false);
    if let Ok(Some(area)) = composer.query_selector("textarea") {
        drop(area.unchecked_into::<HtmlElement>().focus());
    }
}

fn fill(composer: &HtmlElement, name: &str, offset: usize) {
    if let Ok(Some(input)) = composer.query_selector(&format!("input[name={name}]")) {
        input.unchecked_into::<HtmlInputElement>().set_value(&offset.to_string());
    }
}

fn composer() -> Option<HtmlElement> {
    by_id("composer")
}

/// The block of a passage.
pub(super) fn block_of(passage: &Element) -> Option<Element> {
    passage.query_selector(":scope > .block").ok()?
}

/// A byte offset from an element's data.
pub(super) fn offset(element: &Element, name: &str) -> Option<usize> {
    element.get_attribute(name)?.parse().ok()
}
