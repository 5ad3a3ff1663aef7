//! Marks in the text: which words threads are about. Drawn by the browser (CSS Custom Highlight API), so that nothing is
//! put into the text; a browser without it shows the threads all the same.

use std::cell::RefCell;
use std::ops::Range as Bytes;
use std::rc::Rc;

use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, Node, Range};

use super::select_browser::{block_of, offset};
use super::selection;
use crate::browser::{elements, on};

/// Names of the two styles, as in `style/pages/rfc.css`.
const ALL: &str = "thread";
const ACTIVE: &str = "thread-active";

/// A thread and the words it is about, block by block.
struct Mark {
    thread: Element,
    words: Vec<Range>,
    /// Resolved threads are marked only while one points at them.
    open: bool,
}

/// All marks of a page.
#[derive(Clone)]
pub(super) struct Marks(Rc<Page>);

struct Page {
    threads: RefCell<Vec<Mark>>,
    /// The words that are being commented on.
    composed: RefCell<Vec<Range>>,
}

impl Marks {
    /// Finds the words of every thread on the page, and marks them.
    pub(super) fn of_threads(article: &Element) -> Self {
        let marks = Self(Rc::new(Page { threads: RefCell::default(), composed: RefCell::default() }));
        marks.renew(article);
        marks
    }

    /// The same when there are others.
    pub(super) fn renew(&self, article: &Element) {
        let blocks = Block::all(article);
        let mut marks = Vec::new();
        for thread in elements(article, ".thread[data-start]") {
            let (Some(start), Some(end)) = (offset(&thread, "data-start"), offset(&thread, "data-end")) else {
                continue;
            };
            let words: Vec<_> = blocks.iter().filter_map(|block| block.words(start..end)).collect();
            let open =
                thread.get_attribute("data-state").is_some_and(|state| state != "resolved" && state != "dropped");
            marks.push(Mark { thread, words, open });
        }
        let open = marks.iter().filter(|mark| mark.open).flat_map(|mark| &mark.words);
        draw(ALL, open);
        self.0.threads.replace(marks);
    }

    /// Leads from a thread to its words and from words to their thread.
    pub(super) fn listen(&self, article: &Element) {
        for event in ["pointerover", "focusin"] {
            let marks = self.clone();
            on(article, event, move |event: Event| {
                let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
                let thread = target.and_then(|target| target.closest(".thread[data-start]").ok().flatten());
                if let Some(thread) = thread {
                    marks.activate(&thread);
                }
            });
        }
        let marks = self.clone();
        on(article, "click", move |event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let in_text = target.is_some_and(|target| {
                target.closest(".block").is_ok_and(|block| block.is_some())
                    && target.closest("a, button, summary, input").is_ok_and(|control| control.is_none())
            });
            if in_text && let Some(thread) = marks.thread_at_caret() {
                marks.activate(&thread);
                reveal(&thread);
            }
        });
    }

    /// Points at the words that are being commented on, until there are others, and at no thread's.
    pub(super) fn point_at(&self, words: Vec<Range>) {
        self.deactivate();
        draw(ACTIVE, &words);
        self.0.composed.replace(words);
    }

    fn activate(&self, thread: &Element) {
        self.deactivate();
        drop(thread.class_list().add_1("thread-active"));
        let threads = self.0.threads.borrow();
        let words = threads.iter().filter(|mark| mark.thread == *thread).flat_map(|mark| &mark.words);
        draw(ACTIVE, words.chain(self.0.composed.borrow().iter()));
    }

    fn deactivate(&self) {
        for mark in self.0.threads.borrow().iter() {
            drop(mark.thread.class_list().remove_1("thread-active"));
        }
    }

    /// The thread whose words were clicked: a click puts the caret where it was. The shortest text wins.
    fn thread_at_caret(&self) -> Option<Element> {
        let selection = window().get_selection().ok()??;
        let (node, at) = (selection.anchor_node()?, selection.anchor_offset());
        if !selection.is_collapsed() {
            return None;
        }
        let hit = |words: &&Range| words.is_point_in_range(&node, at).unwrap_or(false);
        let threads = self.0.threads.borrow();
        let under = threads.iter().filter(|mark| mark.open && mark.words.iter().any(|words| hit(&words)));
        let length = |mark: &&Mark| mark.words.iter().map(|words| words.to_string().length()).sum::<u32>();
        under.min_by_key(length).map(|mark| mark.thread.clone())
    }
}

/// Brings a thread into sight, if it is not.
fn reveal(thread: &Element) {
    let place = thread.get_bounding_client_rect();
    let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(f64::MAX);
    if place.top() < 0.0 || place.bottom() > height {
        thread.scroll_into_view();
    }
}

/// A block of the page and where its text comes from.
struct Block {
    element: Element,
    source: Bytes<usize>,
    text: String,
    runs: String,
}

impl Block {
    fn all(article: &Element) -> Vec<Self> {
        let blocks = elements(article, ".passage").into_iter().filter_map(|passage| {
            let element = block_of(&passage)?;
            let source = offset(&element, "data-start")?..offset(&element, "data-end")?;
            Some(Self { text: element.text_content()?, runs: element.get_attribute("data-runs")?, source, element })
        });
        blocks.collect()
    }

    /// The part of these bytes that this block shows.
    fn words(&self, bytes: Bytes<usize>) -> Option<Range> {
        if bytes.end <= self.source.start || self.source.end <= bytes.start {
            return None;
        }
        let units = selection::units_of(&self.runs, &self.text, bytes)?;
        let range = document().create_range().ok()?;
        let (mut at, mut started) = (0, false);
        let walker = document().create_tree_walker_with_what_to_show(&self.element, SHOW_TEXT).ok()?;
        while let Ok(Some(node)) = walker.next_node() {
            let length = node.node_value().map_or(0, |text| text.encode_utf16().count());
            if !started && units.start < at + length {
                set(&node, units.start - at, |node, offset| range.set_start(node, offset))?;
                started = true;
            }
            if started && units.end <= at + length {
                set(&node, units.end - at, |node, offset| range.set_end(node, offset))?;
                return Some(range);
            }
            at += length;
        }
        None
    }
}

/// Text nodes alone.
const SHOW_TEXT: u32 = 4;

fn set(node: &Node, offset: usize, place: impl Fn(&Node, u32) -> Result<(), JsValue>) -> Option<()> {
    place(node, u32::try_from(offset).ok()?).ok()
}

/// Marks these words in the style `name` and no others. The interface is not in web-sys yet (it is behind a compiler
/// flag there), hence by reflection.
fn draw<'a>(name: &str, words: impl IntoIterator<Item = &'a Range>) -> Option<()> {
    let page: JsValue = window().into();
    let registry = Reflect::get(&Reflect::get(&page, &"CSS".into()).ok()?, &"highlights".into()).ok()?;
    let highlight: Function = Reflect::get(&page, &"Highlight".into()).ok()?.dyn_into().ok()?;
    let words: Array = words.into_iter().collect();
    let marks = Reflect::construct(&highlight, &words).ok()?;
    // Map-like, though no Map: it has the same `set`.
    let set: Function = Reflect::get(&registry, &"set".into()).ok()?.dyn_into().ok()?;
    set.call2(&registry, &name.into(), &marks).ok().map(drop)
}
