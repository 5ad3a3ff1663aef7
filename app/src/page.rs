//! The one way in which a page loads what it shows: a future on the server, awaited before the first byte is sent, so
//! that status codes are right and the page is whole without JavaScript.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use leptos::prelude::*;
use leptos::tachys::html::InertElement;
use leptos_axum::ResponseOptions;

use crate::error::AppError;
use crate::layout::ErrorPage;

/// Shows what `load` brings, or the error page with the right status.
pub fn page<T, V>(
    load: impl Future<Output = Result<T, AppError>> + Send + 'static,
    show: impl FnOnce(T) -> V + Send + 'static,
) -> AnyView
where
    T: Send + 'static,
    V: IntoView + 'static,
{
    // ArcAsyncDerived wants a closure it could call again and a value it could clone; a page needs neither.
    let load = Mutex::new(Some(load));
    let loaded = ArcAsyncDerived::new(move || {
        let load = load.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            let value = match load {
                Some(load) => Some(load.await),
                None => None,
            };
            Arc::new(Mutex::new(value))
        }
    });
    view! {
        <Suspense>
            {Suspend::new(async move {
                let value = loaded.await.lock().unwrap_or_else(PoisonError::into_inner).take();
                match value {
                    // As text at once: everything it shows is loaded. Leptos would first walk the whole tree to await
                    // what is in it, then write each element into a buffer of its own; half of a large page's time.
                    Some(Ok(value)) => InertElement::new(show(value).into_view().to_html()).into_any(),
                    Some(Err(error)) => error_page(&error).into_any(),
                    None => ().into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// Sets the response's status.
pub fn set_status(status: u16) {
    if let (Some(response), Ok(status)) = (use_context::<ResponseOptions>(), http::StatusCode::from_u16(status)) {
        response.set_status(status);
    }
}

/// Lets the browser load `path` after so many seconds: for pages that show work going on.
pub fn refresh_after(seconds: u32, path: &str) {
    let value = http::HeaderValue::try_from(format!("{seconds}; url={path}"));
    if let (Some(response), Ok(value)) = (use_context::<ResponseOptions>(), value) {
        response.insert_header(http::header::REFRESH, value);
    }
}

/// The page for an error, with its status and ways back.
pub fn error_page(error: &AppError) -> impl IntoView + use<> {
    set_status(error.status());
    view! { <ErrorPage error=error.clone()/> }
}
