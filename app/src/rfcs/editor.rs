//! What the forms for writing have in common: the text with its preview, and the fields about the RFC.

use backend::rfcs::{home, renderings};
use backend::services::{ServiceRef, options};
use backend::{Backend, Error};
use domain::rfc::Kind;
use domain::{Actor, limits};
use leptos::prelude::*;

use super::editor_island::EditorHelp;
use crate::error::AppError;
use crate::form_echo::INTENT;
use crate::ui::{Button, Checkbox, Choice, Field, Select, TextArea, Variant};

/// A text and what its readers will see.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// The Markdown.
    pub(super) body: String,
    /// Its preview; `None` while it cannot be one (it is too long, say).
    preview: Option<String>,
    /// What it is called in the browser's own store, where it is kept until it is saved.
    kept_as: String,
    /// The revision it was written on, 0 for a new RFC.
    pub(super) base: i32,
    /// Whether it was just sent and not saved.
    unsaved: bool,
}

impl Text {
    /// Renders the text to go on with: what was `sent` and refused, else `newest`.
    pub(super) async fn render(
        actor: &Actor,
        sent: Option<String>,
        newest: String,
        kept_as: String,
        base: i32,
    ) -> Result<Self, AppError> {
        let unsaved = sent.is_some();
        let body = sent.unwrap_or(newest);
        let preview = match renderings::preview(actor, &body).await {
            Ok(rendered) => Some(rendered.html()),
            Err(Error::Refused(_)) => None,
            Err(internal) => return Err(internal.into()),
        };
        Ok(Self { body, preview, kept_as, base, unsaved })
    }
}

/// The text on the left, with `above` and `below` around it, and what its readers will see on the right.
pub(super) fn text(text: Text, above: AnyView, below: AnyView) -> AnyView {
    let hint = format!(
        "At most {} KiB. Tables, footnotes, task lists, alerts and code look as they do on GitHub.",
        limits::RFC_BODY_BYTES / 1024,
    );
    let html = text.preview.filter(|html| !html.trim().is_empty());
    let preview = match html {
        Some(html) => view! { <div class="editor-preview prose" id="preview" inner_html=html></div> }.into_any(),
        None => view! {
            <div class="editor-preview prose" id="preview">
                <p class="muted">"What readers will see appears here."</p>
            </div>
        }
        .into_any(),
    };
    view! {
        <div class="editor-write">
            {above}
            <EditorHelp name=text.kept_as base=text.base unsaved=text.unsaved limit=limits::RFC_BODY_BYTES/>
            <TextArea name="body" label="Text, in Markdown" hint=hint value=text.body rows=24 mono=true required=true/>
            {below}
        </div>
        <section class="editor-side" aria-labelledby="preview-label">
            <h2 class="editor-label" id="preview-label">"Preview"</h2>
            {preview}
        </section>
    }
    .into_any()
}

/// The preview button for browsers without JavaScript, which the island hides, and the line in which the island says
/// what became of the text.
pub(super) fn preview_button() -> impl IntoView {
    view! {
        <span class="without-script">
            <Button name=INTENT value=super::api::intent::PREVIEW variant=Variant::Quiet novalidate=true>
                "Preview"
            </Button>
        </span>
        <p class="live" role="status" id="editor-said"></p>
    }
}

/// What the fields about the RFC offer.
pub(super) struct Services {
    /// Those of one's own teams and those that are named already, and whether they are.
    pub(super) ticks: Vec<(ServiceRef, bool)>,
    /// All in use, by slug.
    all: Vec<ServiceRef>,
}

/// Which services may be ticked: those of one's own teams and those that are named already.
pub(super) async fn services(backend: &Backend, actor: &Actor, named: Vec<ServiceRef>) -> Result<Services, AppError> {
    let own = home::own_services(backend, actor).await?;
    let mut ticks: Vec<_> = named.into_iter().map(|service| (service, true)).collect();
    for own in own {
        if !ticks.iter().any(|(known, _)| known.slug == own.service.slug) {
            ticks.push((own.service, false));
        }
    }
    Ok(Services { ticks, all: options(backend, actor).await?.services })
}

/// Title, kind and services. `other`: the short name of a service that is not among those to tick.
pub(super) fn about(title: String, kind: &str, services: Services, other: String) -> AnyView {
    let kinds = Kind::ALL.into_iter().map(|kind| Choice::new(kind.as_str(), kind.label())).collect::<Vec<_>>();
    let known: Vec<_> =
        services.all.into_iter().map(|service| view! { <option value=service.slug>{service.name}</option> }).collect();
    let ticks: Vec<_> = services
        .ticks
        .into_iter()
        .map(|(service, ticked)| {
            view! { <Checkbox name="picked[]" label=service.name value=service.slug checked=ticked/> }
        })
        .collect();
    let own = (!ticks.is_empty()).then(|| {
        view! {
            <fieldset class="choices">
                <legend>"Services it touches"</legend>
                <div class="choices-row">{ticks}</div>
            </fieldset>
        }
    });
    let label = if own.is_some() { "Other services" } else { "Services it touches" };
    view! {
        <Field name="title" label="Title" value=title required=true max_chars=limits::RFC_TITLE_CHARS autofocus=true/>
        <Select name="kind" label="Kind" options=kinds value=kind.to_owned()/>
        {own}
        <Field
            name="services"
            label=label
            optional=true
            value=other
            list="known-services"
            hint="Short names, with commas between them."
        />
        <datalist id="known-services">{known}</datalist>
    }
    .into_any()
}
