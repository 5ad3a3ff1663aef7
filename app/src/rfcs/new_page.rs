//! Writing a new RFC.

use domain::policy::{self, Action};
use domain::rfc::Kind;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::{CreateRfc, intent};
use super::editor::{self, Services, Text};
use super::kept;
use crate::form_echo::INTENT;
use crate::page::page;
use crate::session;
use crate::ui::{Button, Crumb, Form, Meta, PageHeader, Variant};
use crate::urls;

struct Loaded {
    text: Text,
    services: Services,
    /// A service named in the address that is not among those to tick.
    other: String,
}

/// The form for a new RFC.
#[component]
pub fn NewPage() -> impl IntoView {
    let signed_in = session::signed_in();
    let about = use_query_map().read_untracked().get("service").unwrap_or_default();
    let echo = session::visit().echo.filter(|echo| echo.is_for(CreateRfc::PATH, None));
    page(
        async move {
            let (backend, actor) = signed_in?;
            policy::allows(&actor, Action::WriteRfc)?;
            let sent = echo.as_ref().and_then(|echo| echo.value("body"));
            let text = Text::render(&actor, sent, String::new(), kept::of_new(actor.id), 0).await?;
            let mut services = editor::services(&backend, &actor, Vec::new()).await?;
            let mut other = about;
            for (service, ticked) in &mut services.ticks {
                if service.slug == other {
                    *ticked = true;
                    other.clear();
                    break;
                }
            }
            Ok(Loaded { text, services, other })
        },
        show,
    )
}

fn show(loaded: Loaded) -> impl IntoView {
    let Loaded { text, services, other } = loaded;
    let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("RFCs", urls::rfcs())];
    view! {
        <Title text="New RFC · Plumbline"/>
        <div class="wide">
            <PageHeader title="New RFC" crumbs=crumbs>
                <Meta>"A draft is yours until you publish it; its number stays."</Meta>
            </PageHeader>
            <Form action=CreateRfc::PATH>
                <div class="editor wide">
                    {
                        // Made here: a field asks the form around it, so it has to be inside.
                        let about = editor::about(String::new(), Kind::Architecture.as_str(), services, other);
                        editor::text(text, about, ().into_any())
                    }
                    <div class="editor-bar">
                        <Button name=INTENT value=intent::SAVE variant=Variant::Primary>"Save draft"</Button>
                        <Button name=INTENT value=intent::PUBLISH>"Publish for review"</Button>
                        {editor::preview_button()}
                    </div>
                </div>
            </Form>
        </div>
    }
}
