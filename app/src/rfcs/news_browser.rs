//! The browser's side of [`super::news_island`]: counts what is new, and brings it into the page as it stands. What
//! somebody is typing, where the focus is and which line they read stay as they are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, Event, HtmlButtonElement, HtmlDivElement, HtmlElement, Node};

use crate::browser::{by_id, elements, in_use, on, page_again};
use crate::live::{Told, listen};

/// What is renewed as a whole, unless somebody is busy in it: then at least the line below the title.
const PARTS: [&str; 5] =
    [HEADER, ".rfc-main > .page-header > .meta", WITHDRAWN, ".rfc-main > .facts", "#discussion > .section-head"];
const HEADER: &str = ".rfc-main > .page-header";
/// Who withdrew the RFC and why: there once that has happened.
const WITHDRAWN: &str = ".rfc-main > .page-header + .notice";

/// Told to the article when the threads on the page have changed.
pub(super) const THREADS_CHANGED: &str = "threads-changed";

/// What is offered.
#[derive(Clone, Copy, PartialEq)]
enum Offer {
    /// To bring in what is new.
    Show,
    /// To read the newest revision.
    Read,
    /// To go to the first of what was brought in.
    Go,
}

struct News {
    words: Element,
    act: HtmlButtonElement,
    dismiss: HtmlButtonElement,
    /// Ids of the comments that are new.
    comments: RefCell<Vec<String>>,
    offer: Cell<Offer>,
}

/// Begins to listen.
pub fn attach(bar: &HtmlDivElement) -> Option<()> {
    let article = by_id::<Element>("rfc-body")?;
    let mut parts = elements(bar, "span, button").into_iter();
    let words = parts.next()?;
    let (act, dismiss) = (parts.next()?.unchecked_into(), parts.next()?.unchecked_into());
    let news = Rc::new(News { words, act, dismiss, comments: RefCell::default(), offer: Cell::new(Offer::Show) });
    // Pressing a button must not take the focus from what is being written.
    on(bar, "mousedown", |event: Event| event.prevent_default());
    let here = Rc::clone(&news);
    on(&news.act, "click", move |_: Event| here.act());
    let here = Rc::clone(&news);
    on(&news.dismiss, "click", move |_: Event| here.be_silent());
    listen(format!("rfc:{}", article.get_attribute("data-rfc")?), move |told| news.hear(told));
    Some(())
}

impl News {
    fn hear(&self, told: &Told) {
        let comment = told.id("comment").map(|id| format!("comment-{id}"));
        match (told.text("verb").as_deref(), comment) {
            (Some("thread.opened" | "comment.posted"), Some(id)) => {
                let mut comments = self.comments.borrow_mut();
                if by_id::<Element>(&id).is_some() || comments.contains(&id) {
                    return;
                }
                if self.offer.get() == Offer::Go {
                    comments.clear();
                }
                comments.push(id);
            }
            _ if told.is_own() => return,
            (Some("rfc.revision_published"), _) => self.offer.set(Offer::Read),
            // More was missed than is told one by one: what is counted already would be too few.
            (None, _) => self.comments.borrow_mut().clear(),
            _ => {}
        }
        if self.offer.get() == Offer::Read {
            self.say("There is a new revision. Comments move on to it.", "Read it");
            return;
        }
        self.offer.set(Offer::Show);
        match self.comments.borrow().len() {
            0 => self.say("This RFC has changed.", "Show"),
            1 => self.say("1 new comment.", "Show"),
            count => self.say(&format!("{count} new comments."), "Show"),
        }
    }

    fn say(&self, words: &str, act: &str) {
        self.words.set_text_content(Some(words));
        self.act.set_text_content(Some(act));
        self.act.set_hidden(false);
        self.dismiss.set_hidden(false);
    }

    fn be_silent(&self) {
        self.comments.take();
        self.offer.set(Offer::Show);
        self.words.set_text_content(None);
        self.act.set_hidden(true);
        self.dismiss.set_hidden(true);
    }

    fn act(self: &Rc<Self>) {
        match self.offer.get() {
            Offer::Read => newest(),
            Offer::Show => {
                let here = Rc::clone(self);
                page_again(move |page| {
                    // Another revision, or no page any more: what the browser shows of it is right.
                    if page.and_then(|page| bring_in(&page)).is_none() {
                        newest();
                    }
                    here.show();
                });
            }
            Offer::Go => {
                let first = self.comments.borrow().first().and_then(|id| by_id::<HtmlElement>(id));
                self.be_silent();
                if let Some(first) = first {
                    if let Some(thread) = first.closest("details.thread").ok().flatten() {
                        drop(thread.set_attribute("open", ""));
                    }
                    drop(first.set_attribute("tabindex", "-1"));
                    drop(first.focus());
                    first.scroll_into_view();
                }
            }
        }
    }

    /// Marks what was brought in.
    fn show(&self) {
        let comments: Vec<_> = self.comments.borrow().iter().filter_map(|id| by_id::<Element>(id)).collect();
        for comment in &comments {
            drop(comment.class_list().add_1("comment-new"));
        }
        if comments.is_empty() {
            self.be_silent();
            return;
        }
        self.offer.set(Offer::Go);
        // In the order of the page, not of the events.
        let first = first(&document(), ".comment-new");
        self.comments.replace(first.into_iter().map(|comment| comment.id()).collect());
        self.say("They are marked on the page.", if comments.len() == 1 { "Go to it" } else { "Go to the first" });
    }
}

/// Leaves for the newest text.
fn newest() {
    let location = window().location();
    if let Ok(path) = location.pathname() {
        drop(location.assign(&path));
    }
}

/// Brings the threads of `page`, and what it says above the text, into the page on the screen. `None` when it shows
/// another text.
fn bring_in(page: &Document) -> Option<()> {
    let article = by_id::<Element>("rfc-body")?;
    let theirs = page.get_element_by_id("rfc-body")?;
    if theirs.get_attribute("data-revision") != article.get_attribute("data-revision") {
        return None;
    }
    let threads = elements(&page.document_element()?, ".thread");
    let all_placed = keeping_place(&article, || {
        for part in PARTS {
            match (first(&document(), part), first(page, part)) {
                (Some(old), Some(new)) if !in_use(&old) => drop(old.replace_with_with_node_1(&copy(&new))),
                (None, Some(new)) if part == WITHDRAWN => {
                    if let Some(header) = first(&document(), HEADER) {
                        drop(header.after_with_node_1(&copy(&new)));
                    }
                }
                _ => {}
            }
        }
        threads.iter().all(|thread| {
            match by_id::<Element>(&thread.id()) {
                Some(old) => renew(&old, thread),
                None => return place(thread).is_some(),
            }
            true
        })
    });
    document().set_title(&page.title());
    if let Ok(changed) = Event::new(THREADS_CHANGED) {
        drop(article.dispatch_event(&changed));
    }
    all_placed.then_some(())
}

fn first(page: &Document, selector: &str) -> Option<Element> {
    page.query_selector(selector).ok().flatten()
}

/// A thread that is on the page already. Where somebody is busy only what was said is brought in.
fn renew(old: &Element, new: &Element) {
    if !in_use(old) {
        let fresh = copy(new);
        if old.has_attribute("open") {
            drop(fresh.set_attribute("open", ""));
        }
        drop(old.replace_with_with_node_1(&fresh));
        return;
    }
    let mut last: Option<Element> = None;
    for comment in elements(new, ".comment") {
        let fresh = copy(&comment);
        let here = match (by_id::<Element>(&comment.id()), last.take()) {
            (Some(old), _) if in_use(&old) => old,
            (Some(old), _) => {
                drop(old.replace_with_with_node_1(&fresh));
                fresh
            }
            (None, Some(last)) => {
                drop(last.after_with_node_1(&fresh));
                fresh
            }
            (None, None) => continue,
        };
        last = Some(here);
    }
}

/// A thread that is new: after the one before it, else with its group, where that is on the page.
fn place(thread: &Element) -> Option<()> {
    let fresh = copy(thread);
    let before = thread.previous_element_sibling().and_then(|before| by_id::<Element>(&before.id()));
    if let Some(before) = before.filter(|before| before.class_list().contains("thread")) {
        return before.after_with_node_1(&fresh).ok();
    }
    let group = thread.parent_element()?;
    if group.class_list().contains("threads") {
        let block = group.parent_element()?.query_selector(":scope > .block").ok()??;
        let passage = by_id::<Element>(&block.id())?.parent_element()?;
        return match passage.query_selector(":scope > .threads").ok()? {
            Some(threads) => threads.prepend_with_node_1(&fresh).ok(),
            None => passage.prepend_with_node_1(&copy(&group)).ok(),
        };
    }
    let head = group.query_selector(":scope > .section-head").ok()??;
    if let Some(here) = document().query_selector("#discussion > .section-head").ok()? {
        return here.after_with_node_1(&fresh).ok();
    }
    let discussion = head.parent_element()?;
    document().query_selector(".rfc-main").ok()??.append_with_node_1(&copy(&discussion)).ok()
}

/// The other page stays as it is: what comes later finds its place by it.
fn copy(element: &Element) -> Element {
    element.clone_node_with_deep(true).map_or_else(|_| element.clone(), Node::unchecked_into)
}

/// Changes the page without moving what is being looked at: where the focus is, else the first line in sight.
fn keeping_place<T>(article: &Element, change: impl FnOnce() -> T) -> T {
    let focus = document().active_element().filter(|active| article.contains(Some(active)));
    let in_sight =
        || elements(article, ".block").into_iter().find(|block| block.get_bounding_client_rect().bottom() > 0.0);
    let (Some(mark), Some(root)) = (focus.or_else(in_sight), document().document_element()) else { return change() };
    let style = HtmlElement::style(root.unchecked_ref());
    let before = mark.get_bounding_client_rect().top();
    // Browsers that do this themselves would do it twice.
    drop(style.set_property("overflow-anchor", "none"));
    let done = change();
    window().scroll_by_with_x_and_y(0.0, mark.get_bounding_client_rect().top() - before);
    drop(style.remove_property("overflow-anchor"));
    done
}
