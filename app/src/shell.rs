//! The HTML document around every page: colours without a flash, the built files, islands.

use leptos::config::LeptosOptions;
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};

use crate::routes::Pages;
use crate::session::{Theme, use_visit};

/// The document. `options.output_name` is empty when the binary was built without style sheet and islands.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    provide_meta_context();
    let name = options.output_name.to_string();
    // While the table of routes is made there is no request.
    let theme = use_visit().map(|visit| visit.theme).filter(|theme| *theme != Theme::System).map(Theme::as_str);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {(!name.is_empty()).then(|| view! { <link rel="stylesheet" href=format!("/pkg/{name}.css")/> })}
                {(!name.is_empty()).then(|| view! { <HydrationScripts options=options islands=true/> })}
                <MetaTags/>
            </head>
            <body>
                <Pages/>
            </body>
        </html>
    }
}
