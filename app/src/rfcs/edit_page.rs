//! Writing the next revision of an RFC, and changing what it is called, what it touches and who works on it.

use std::sync::Arc;

use backend::rfcs::PersonRef;
use backend::rfcs::read::{self, Rfc};
use domain::rfc::Status;
use domain::{Actor, Refusal, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::{self, intent};
use super::editor::{self, Services, Text};
use super::{kept, reading};
use crate::error::AppError;
use crate::form_echo::{FormEcho, INTENT, in_text_area};
use crate::page::page;
use crate::session;
use crate::ui::{
    Button, Checkbox, Crumb, Disclosure, Field, Form, FormActions, Hidden, Meta, Notice, PageHeader, StatusBadge, Tab,
    Tabs, Tone, Variant,
};
use crate::urls;

/// The hidden field with the revision that a text was written on, through every refusal and preview until it is
/// published: as long as it is not the newest, the page shows what came after.
const WRITTEN_ON: &str = "written_on";

/// What the page shows.
enum Part {
    /// The text.
    Text(Text),
    /// Title, kind, services and people.
    Details { services: Services },
}

/// The forms to change an RFC.
#[component]
pub fn EditPage() -> impl IntoView {
    let signed_in = session::signed_in();
    let number = reading::number();
    let details = use_query_map().read_untracked().get("part").as_deref() == Some("details");
    let echo = session::visit().echo.filter(|echo| echo.is_for(api::Revise::PATH, None));
    page(
        async move {
            let (backend, actor) = signed_in?;
            let rfc = read::read(&backend, &actor, number?, None).await?;
            if !rfc.may.edit {
                return Err(Refusal::not_allowed("Only the RFC's authors, a lead or an admin may change it.").into());
            }
            let part = if details || !rfc.may.revise {
                Part::Details { services: editor::services(&backend, &actor, rfc.services.clone()).await? }
            } else {
                text(&actor, &rfc, echo).await?
            };
            Ok((rfc, part))
        },
        |(rfc, part)| show(&rfc, part),
    )
}

/// The text to go on with: the newest, or the one that was just refused or previewed.
async fn text(actor: &Actor, rfc: &Rfc, echo: Option<Arc<FormEcho>>) -> Result<Part, AppError> {
    let sent = |name: &str| echo.as_ref().and_then(|echo| echo.value(name));
    let written_on = sent(WRITTEN_ON).or_else(|| sent("base_revision")).and_then(|base| base.parse().ok());
    let (base, name) = (written_on.unwrap_or(rfc.newest_revision), kept::of_rfc(actor.id, rfc.number));
    Ok(Part::Text(Text::render(actor, sent("body"), rfc.body.clone(), name, base).await?))
}

fn show(rfc: &Rfc, part: Part) -> impl IntoView + use<> {
    let name = format!("RFC-{}", rfc.number);
    let crumbs = vec![
        Crumb::new("Home", urls::home()),
        Crumb::new("RFCs", urls::rfcs()),
        Crumb::new(name.clone(), urls::rfc(rfc.number)),
    ];
    let on_text = matches!(part, Part::Text(_));
    let tabs = rfc.may.revise.then(|| {
        let items = vec![
            Tab::new("Text", urls::edit_rfc(rfc.number)).current(on_text),
            Tab::new("Title, services, people", urls::rfc_details(rfc.number)).current(!on_text),
        ];
        view! { <Tabs label="Parts of the RFC" items=items/> }
    });
    let status = rfc.status;
    let form = match part {
        Part::Text(text) => text_form(rfc, text),
        Part::Details { services } => details_form(rfc, services),
    };
    view! {
        <Title text=format!("Edit {name} {} · Plumbline", rfc.title)/>
        <div class=if on_text { "wide" } else { "narrow" }>
            <PageHeader title=rfc.title.clone() number=name crumbs=crumbs>
                <Meta><StatusBadge status=status/></Meta>
            </PageHeader>
            {tabs}
            {form}
        </div>
    }
}

fn text_form(rfc: &Rfc, text: Text) -> AnyView {
    let (base, newest) = (text.base, rfc.newest_revision);
    let draft = rfc.status == Status::Draft;
    let behind = base < newest;
    let publish = if behind {
        format!("Publish on top of revision {newest}")
    } else if draft {
        "Save draft".to_owned()
    } else {
        format!("Publish revision {}", newest + 1)
    };
    // Called inside the form: a field asks the form around it.
    let what = move || {
        (!draft).then(|| {
            view! {
                <Field
                    name="summary"
                    label="What changed"
                    optional=true
                    max_chars=limits::REVISION_SUMMARY_CHARS
                    hint="One line for those who read the revision before."
                />
                <Checkbox name="major" label="A major change" hint="Reviewers should read it again."/>
            }
        })
    };
    let for_review =
        draft.then(|| view! { <Button name=INTENT value=intent::PUBLISH>"Save and publish for review"</Button> });
    let number = rfc.number;
    view! {
        {behind.then(|| conflict(rfc, base))}
        <Form action=api::Revise::PATH>
            <Hidden name="number" value=number.to_string()/>
            // The newest, also after a conflict: it was shown what came between, and publishing now is a decision.
            <Hidden name="base_revision" value=newest.to_string()/>
            <Hidden name=WRITTEN_ON value=base.to_string()/>
            <div class="editor wide">
                {editor::text(text, ().into_any(), what().into_any())}
                <div class="editor-bar">
                    <Button name=INTENT value=intent::SAVE variant=Variant::Primary>{publish}</Button>
                    {for_review}
                    <Button href=urls::rfc(number) variant=Variant::Quiet>"Cancel"</Button>
                    {editor::preview_button()}
                </div>
            </div>
        </Form>
    }
    .into_any()
}

/// Says what was published while this text was being written, and shows it.
fn conflict(rfc: &Rfc, base: i32) -> impl IntoView + use<> {
    let newest = rfc.newest_revision;
    let meanwhile: Vec<_> = rfc
        .revisions
        .iter()
        .filter(|revision| revision.revision > base)
        .map(|revision| {
            let href = urls::rfc_revision(rfc.number, revision.revision);
            let summary = if revision.summary.is_empty() { String::new() } else { format!(": {}", revision.summary) };
            view! {
                <li>
                    <a href=href>"Revision " {revision.revision}</a>
                    " by " {revision.author.name.clone()} {summary}
                </li>
            }
        })
        .collect();
    let body = in_text_area(&rfc.body);
    let title = format!("Your text was written on revision {base}; meanwhile revision {newest} was published.");
    view! {
        <div class="editor-conflict">
        <Notice tone=Tone::Warn title=title>
            <p>
                "Your text is below, as you left it. Take over what you want to keep of the newest text, then publish on \
                 top of it: what you leave out is gone from the new revision."
            </p>
            <ul>{meanwhile}</ul>
            <Disclosure summary=format!("The text of revision {newest}")>
                <textarea class="input mono" rows="16" readonly=true aria-label=format!("Text of revision {newest}")>
                    {body}
                </textarea>
            </Disclosure>
        </Notice>
        </div>
    }
}

fn details_form(rfc: &Rfc, services: Services) -> AnyView {
    let addresses =
        |people: &[PersonRef]| people.iter().map(|person| person.email.clone()).collect::<Vec<_>>().join(", ");
    let (draft, shared_with) = (rfc.status == Status::Draft, addresses(&rfc.shared_with));
    let (title, kind) = (rfc.title.clone(), rfc.kind.as_str());
    let (number, version) = (rfc.number, rfc.version.to_string());
    let authors = addresses(&rfc.authors);
    view! {
            <Form action=api::UpdateRfc::PATH>
                <Hidden name="number" value=number.to_string()/>
                <Hidden name="version" value=version/>
                {editor::about(title, kind, services, String::new())}
                <Field
                    name="authors"
                    label="Authors"
                    value=authors
                    required=true
                    hint="E-mail addresses, with commas between them. Authors publish revisions and withdraw."
                />
                {draft.then(|| view! {
                    <Hidden name="draft" value="true"/>
                    <Field
                        name="shared_with"
                        label="Shared with"
                        optional=true
                        value=shared_with
                        hint="E-mail addresses of people who may read and comment the draft, with commas between them."
                    />
                })}
                <FormActions>
                    <Button variant=Variant::Primary>"Save"</Button>
                    <Button href=urls::rfc(number) variant=Variant::Quiet>"Cancel"</Button>
                </FormActions>
            </Form>
    }
    .into_any()
}
