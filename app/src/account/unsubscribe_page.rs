//! `/unsubscribe/{token}`: turns one kind of mail off, also for whoever is not signed in. Looking at it changes nothing:
//! mail scanners follow every link. The form posts to the same address.

use backend::notices::unsubscribe::{self, Link};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::error::AppError;
use crate::page::page;
use crate::session::visit;
use crate::ui::{Button, Card, Variant};
use crate::urls;

async fn load(token: String) -> Result<(Link, String), AppError> {
    Ok((unsubscribe::look(&visit().backend, &token).await?, token))
}

/// The button that turns it off, or that it is off.
#[component]
pub fn UnsubscribePage() -> impl IntoView {
    let token = use_params_map().read_untracked().get("token").unwrap_or_default();
    page(load(token), |(link, token)| {
        let what = link.kind.label();
        let body = if link.on {
            view! {
                <p>"Plumbline sends mail to " <b>{link.email}</b> " about: " <b>{what}</b> "."</p>
                <form method="post" action=urls::unsubscribe(&token) class="form">
                    <div class="form-actions"><Button variant=Variant::Primary>"Send no more of it"</Button></div>
                </form>
            }
            .into_any()
        } else {
            view! {
                <p role="status">"No more mail goes to " <b>{link.email}</b> " about: " <b>{what}</b> "."</p>
                <p>"To have it again, choose so under " <a href=urls::notice_preferences()>"What I am told"</a> "."</p>
            }
            .into_any()
        };
        let title = if link.on { "No more mail of this kind?" } else { "You get no more mail of this kind" };
        view! {
            <Title text="Mail · Plumbline"/>
            <div class="auth">
                <h1>{title}</h1>
                <Card>{body}</Card>
            </div>
        }
    })
}
