//! What islands need of the browser.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::convert::FromWasmAbi;
use web_sys::{Document, Element, Event, EventTarget, HtmlTextAreaElement, XmlHttpRequest, XmlHttpRequestResponseType};

/// Listens for as long as the page lives.
pub fn on<E: FromWasmAbi + 'static>(target: &EventTarget, event: &str, listen: impl FnMut(E) + 'static) {
    let listener = Closure::<dyn FnMut(E)>::new(listen).into_js_value();
    // Fails only for an event that this target does not know.
    drop(target.add_event_listener_with_callback(event, listener.unchecked_ref()));
}

/// Tells browser tests that the island of this page listens.
pub fn mark_ready() {
    if let Some(root) = document().document_element() {
        drop(root.set_attribute("data-islands", "ready"));
    }
}

/// The element of the page with this id.
pub fn by_id<T: JsCast>(id: &str) -> Option<T> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// The elements in another one that a selector finds.
pub fn elements(within: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = within.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}

/// Whether somebody is busy in an element: it has the focus, or something was typed into it.
pub fn in_use(element: &Element) -> bool {
    let typed = |area: Element| {
        let area: HtmlTextAreaElement = area.unchecked_into();
        area.default_value().is_ok_and(|value| value != area.value())
    };
    document().active_element().is_some_and(|active| element.contains(Some(&active)))
        || elements(element, "textarea").into_iter().any(typed)
}

/// Asks for this page once more, as it is now. Nothing in the answer is shown or run; `None` when it could not be had.
pub fn page_again(then: impl FnOnce(Option<Document>) + 'static) {
    let Ok(request) = XmlHttpRequest::new() else { return };
    let location = window().location();
    let address = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    drop(request.open("GET", &address));
    request.set_response_type(XmlHttpRequestResponseType::Document);
    let (answered, mut then) = (request.clone(), Some(then));
    on(&request, "loadend", move |_: Event| {
        if let Some(then) = then.take() {
            let good = answered.status() == Ok(200);
            then(answered.response_xml().ok().flatten().filter(|_| good));
        }
    });
    drop(request.send());
}
