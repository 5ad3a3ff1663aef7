//! Live pages, in the browser: one connection to `GET /live`, for as long as the page is seen.
//!
//! An island says what it [`listen`]s to. A page without one says it in its markup: an element with an id and
//! `data-live="inbox"` is fetched again and replaced whenever something happens to that, unless somebody is busy in
//! it. The frame says from which place in the order of events on (`data-live-after`); without it nobody listens. When
//! anything fails, nothing is said: the page is as good as one without JavaScript.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::{JSON, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::{Element, Event, EventSource, MessageEvent};

use crate::browser::{by_id, elements, in_use, on, page_again};

/// The topic that is not about anything but the reader.
const INBOX: &str = "inbox";
/// After the server said no, the next try is this many seconds away, the one after that twice as many …
const PAUSE: u64 = 15;
/// … up to this many.
const LONGEST_PAUSE: u64 = 300;
/// What happens at once is looked at once.
const TOGETHER: Duration = Duration::from_millis(500);

/// Something that happened.
pub struct Told(JsValue);

impl Told {
    /// What is told has this under `name`: a text.
    pub fn text(&self, name: &str) -> Option<String> {
        Reflect::get(&self.0, &name.into()).ok()?.as_string()
    }

    /// The name of a part that it is about, for example of the comment.
    pub fn id(&self, name: &str) -> Option<String> {
        Self(Reflect::get(&self.0, &"ids".into()).ok()?).text(name)
    }

    /// Whether whoever reads this did it.
    pub fn is_own(&self) -> bool {
        Reflect::get(&self.0, &"own".into()).is_ok_and(|own| own.is_truthy())
    }
}

/// A topic and what is done about it.
type Ear = (String, Box<dyn Fn(&Told)>);

thread_local! {
    /// Who listens on this page.
    static EARS: RefCell<Vec<Ear>> = RefCell::default();
}

/// Listens to a topic. When too much was missed to tell it, what is heard has no verb.
pub fn listen(topic: String, hear: impl Fn(&Told) + 'static) {
    EARS.with_borrow_mut(|ears| ears.push((topic, Box::new(hear))));
}

/// The page's connection.
struct Line {
    topics: String,
    /// The last place heard of.
    after: RefCell<String>,
    source: RefCell<Option<EventSource>>,
    /// What was last said of the inbox.
    inbox: RefCell<Option<String>>,
    /// The server said that there is no use in coming back.
    ended: Cell<bool>,
    pause: Cell<u64>,
}

/// Connects, if anything on the page listens.
pub fn connect() -> Option<()> {
    let after = document().query_selector("[data-live-after]").ok()??.get_attribute("data-live-after")?;
    for element in elements(&document().document_element()?, "[data-live]") {
        let id = element.id();
        listen(element.get_attribute("data-live")?, replacing(id));
    }
    if inbox_link().is_some() {
        listen(INBOX.to_owned(), |_| {});
    }
    let topics = EARS.with_borrow(|ears| ears.iter().map(|(topic, _)| topic.as_str()).collect::<Vec<_>>().join(","));
    if topics.is_empty() {
        return None;
    }
    let line = Rc::new(Line {
        topics,
        after: RefCell::new(after),
        source: RefCell::default(),
        inbox: RefCell::default(),
        ended: Cell::new(false),
        pause: Cell::new(PAUSE),
    });
    let here = Rc::clone(&line);
    on(&document(), "visibilitychange", move |_: Event| here.attend());
    line.attend();
    Some(())
}

impl Line {
    /// A browser has six connections to a server, for all its tabs: one that nobody sees needs none. What it misses it is
    /// told when it is seen again.
    fn attend(self: &Rc<Self>) {
        if document().hidden() {
            self.close();
        } else if self.source.borrow().is_none() && !self.ended.get() {
            self.open();
        }
    }

    fn close(&self) {
        if let Some(source) = self.source.take() {
            source.close();
        }
    }

    fn open(self: &Rc<Self>) {
        let address = format!("/live?topics={}&after={}", self.topics, self.after.borrow());
        let Ok(source) = EventSource::new(&address) else { return };
        let here = Rc::clone(self);
        on(&source, "message", move |message: MessageEvent| {
            here.pause.set(PAUSE);
            here.after.replace(message.last_event_id());
            if let Some(told) = read(&message)
                && let Some((kind, key)) = told.text("kind").zip(told.text("key"))
            {
                pass_on(&told, Some(&format!("{kind}:{key}")));
            }
        });
        let here = Rc::clone(self);
        on(&source, "reset", move |message: MessageEvent| {
            here.after.replace(message.last_event_id());
            pass_on(&Told(JsValue::UNDEFINED), None);
        });
        let here = Rc::clone(self);
        on(&source, "inbox", move |message: MessageEvent| {
            let said = message.data().as_string();
            let before = here.inbox.replace(said.clone());
            let Some(told) = read(&message) else { return };
            // What is said first is what the page was made with, unless the number is another.
            if say_unread(&told).is_some() || (before.is_some() && before != said) {
                pass_on(&told, Some(INBOX));
            }
        });
        let here = Rc::clone(self);
        on(&source, "bye", move |_: Event| {
            here.ended.set(true);
            here.close();
        });
        let here = Rc::clone(self);
        on(&source, "error", move |event: Event| {
            let source = here.source.borrow().clone();
            // A connection that broke comes back by itself; an answer that is none does not.
            if source.is_some_and(|source| source.ready_state() == EventSource::CLOSED) && event.is_trusted() {
                here.close();
                let (again, pause) = (Rc::clone(&here), here.pause.get());
                here.pause.set((pause * 2).min(LONGEST_PAUSE));
                set_timeout(move || again.attend(), Duration::from_secs(pause));
            }
        });
        self.source.replace(Some(source));
    }
}

/// What a message says.
fn read(message: &MessageEvent) -> Option<Told> {
    JSON::parse(&message.data().as_string()?).ok().map(Told)
}

/// Tells those who listen to a topic, or everybody.
fn pass_on(told: &Told, topic: Option<&str>) {
    EARS.with_borrow(|ears| {
        for (_, hear) in ears.iter().filter(|ear| topic.is_none_or(|topic| topic == ear.0)) {
            hear(told);
        }
    });
}

/// The way to the inbox in the frame.
fn inbox_link() -> Option<Element> {
    document().query_selector(".inbox-link").ok()?
}

/// Says in the frame how much of the inbox is new, in the words of its own; nothing when it says so already.
fn say_unread(told: &Told) -> Option<()> {
    let (link, unread) = (inbox_link()?, told.text("unread")?);
    let count = link.query_selector(".inbox-count").ok()??;
    let (label, shown) = match unread.as_str() {
        "0" => ("Inbox".to_owned(), "0"),
        many if many.len() > 2 => (format!("Inbox, {many} unread"), "99+"),
        few => (format!("Inbox, {few} unread"), few),
    };
    if link.get_attribute("aria-label").as_deref() == Some(label.as_str()) {
        return None;
    }
    count.set_text_content(Some(shown));
    drop(link.set_attribute("aria-label", &label));
    drop(link.set_attribute("title", &label));
    drop(count.toggle_attribute_with_force("hidden", unread == "0"));
    Some(())
}

/// Replaces an element by what the page would show in its place now.
fn replacing(id: String) -> impl Fn(&Told) + 'static {
    let waiting = Rc::new(Cell::new(false));
    move |_| {
        if waiting.replace(true) {
            return;
        }
        let (id, waiting) = (id.clone(), Rc::clone(&waiting));
        let look = move || {
            waiting.set(false);
            page_again(move |page| {
                if let Some(here) = by_id::<Element>(&id).filter(|here| !in_use(here))
                    && let Some(new) = page.and_then(|page| page.get_element_by_id(&id))
                {
                    drop(here.replace_with_with_node_1(&new));
                }
            });
        };
        set_timeout(look, TOGETHER);
    }
}
