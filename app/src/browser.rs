//! What islands need of the browser.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::convert::FromWasmAbi;
use web_sys::EventTarget;

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
