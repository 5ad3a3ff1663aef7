//! The head of an RFC: what it is, where it stands, who and what it is about, and what can be done with it.

use backend::rfcs::read::Rfc;
use backend::rfcs::revisions::RevisionSummary;
use domain::limits;
use domain::rfc::Status;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api;
use crate::ui::{
    Actions, Badge, Button, Confirm, Crumb, Disclosure, Fact, Facts, Form, Glyph, Hidden, Meta, Notice, PageHeader,
    Person, StatusBadge, TextArea, Time, Variant,
};
use crate::urls;

/// Everything above the text.
///
/// `first`: the address of the thread to begin with, if there is any; `open` and `resolved` count them.
pub(super) fn header(rfc: &Rfc, first: Option<String>, open: usize, resolved: usize) -> AnyView {
    let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("RFCs", urls::rfcs())];
    let threads = first.map(|first| {
        let words = if resolved == 0 { format!("{open} open") } else { format!("{open} open, {resolved} resolved") };
        view! { <a href=first><span class="visually-hidden">"Threads: "</span>{words}</a> }
    });
    let (status, kind, updated_at) = (rfc.status, rfc.kind, rfc.updated_at);
    let actions = actions(rfc);
    view! {
        <PageHeader title=rfc.title.clone() number=format!("RFC-{}", rfc.number) crumbs=crumbs>
            <Meta>
                <StatusBadge status=status/>
                <Badge>{kind.label()}</Badge>
                {threads}
                <span>"Updated " <Time at=updated_at/></span>
            </Meta>
            <Actions>{actions}</Actions>
        </PageHeader>
        {withdrawn(rfc)}
        {facts(rfc)}
    }
    .into_any()
}

/// Who withdrew it, when and why.
fn withdrawn(rfc: &Rfc) -> Option<AnyView> {
    let change = rfc.status_change.as_ref().filter(|_| rfc.status == Status::Withdrawn)?;
    let reason = change.reason.trim().to_owned();
    let reason = (!reason.is_empty()).then(|| view! { <p class="reason" dir="auto">{reason}</p> });
    let (name, href, at) = (change.by.name.clone(), urls::person(&change.by.email), change.at);
    let view = view! {
        <Notice>
            <p>"Withdrawn by " <a href=href>{name}</a> " " <Time at=at/></p>
            {reason}
        </Notice>
    };
    Some(view.into_any())
}

fn facts(rfc: &Rfc) -> impl IntoView + use<> {
    let authors: Vec<_> = rfc
        .authors
        .iter()
        .map(|author| view! { <Person name=author.name.clone() href=urls::person(&author.email)/> })
        .collect();
    let services: Vec<_> = rfc
        .services
        .iter()
        .map(|service| view! { <a href=urls::service(&service.slug)>{service.name.clone()}</a> })
        .collect();
    let shared: Vec<_> = rfc
        .shared_with
        .iter()
        .map(|person| view! { <Person name=person.name.clone() href=urls::person(&person.email)/> })
        .collect();
    let draft = rfc.status == Status::Draft;
    let revisions = revisions(rfc);
    let label = if authors.len() == 1 { "Author" } else { "Authors" };
    let services =
        (!services.is_empty()).then(|| view! { <Fact label="Services"><div class="cluster">{services}</div></Fact> });
    let shared = (draft && !shared.is_empty())
        .then(|| view! { <Fact label="Shared with"><div class="cluster">{shared}</div></Fact> });
    let published = rfc.published_at.map(|at| view! { <Fact label="Published"><Time at=at absolute=true/></Fact> });
    view! {
        <Facts>
            <Fact label=label>
                <div class="cluster">{authors}</div>
            </Fact>
            {services}
            {shared}
            {published}
            <Fact label="Revision">{revisions}</Fact>
        </Facts>
    }
}

/// Which revision is shown, and the others.
fn revisions(rfc: &Rfc) -> impl IntoView + use<> {
    let number = rfc.number;
    let (shown, newest) = (rfc.revision, rfc.newest_revision);
    let lines: Vec<_> = rfc
        .revisions
        .iter()
        .map(|revision| {
            let current = revision.revision == shown;
            revision_line(number, revision, current, newest)
        })
        .collect();
    view! {
        <Disclosure summary=format!("{shown} of {newest}") class="revisions">
            <ol class="revision-list">{lines}</ol>
        </Disclosure>
    }
}

fn revision_line(number: i64, revision: &RevisionSummary, current: bool, newest: i32) -> impl IntoView + use<> {
    let href =
        if revision.revision == newest { urls::rfc(number) } else { urls::rfc_revision(number, revision.revision) };
    let summary = if revision.summary.is_empty() { "No summary".to_owned() } else { revision.summary.clone() };
    view! {
        <li>
            <a href=href aria-current=current.then_some("true")>"Revision " {revision.revision}</a>
            {revision.major.then(|| view! { <Badge>"Major"</Badge> })}
            <span dir="auto" class=if revision.summary.is_empty() { "faint" } else { "" }>{summary}</span>
            <span class="faint small">{revision.author.name.clone()} " · " <Time at=revision.created_at/></span>
        </li>
    }
}

/// What can be done. What only its authors may is left out for everybody else: they have nothing to decide here.
fn actions(rfc: &Rfc) -> impl IntoView + use<> {
    let number = rfc.number;
    let revise = rfc.may.revise.then(|| {
        let words = if rfc.status == Status::Draft { "Edit" } else { "New revision" };
        view! { <Button href=urls::edit_rfc(number) icon=Glyph::Pencil>{words}</Button> }
    });
    let details = (rfc.may.edit && !rfc.may.revise).then(|| {
        view! { <Button href=urls::rfc_details(number) icon=Glyph::Pencil>"Edit details"</Button> }
    });
    let version = rfc.version.to_string();
    let delete = rfc.may.delete.then(|| {
        view! {
            <Confirm
                label="Delete draft"
                title="Delete this draft?"
                text="Its text, revisions and threads go with it. The number is not used again."
                action=api::DeleteDraft::PATH
                confirm="Delete draft"
            >
                <Hidden name="number" value=number.to_string()/>
                <Hidden name="version" value=version/>
            </Confirm>
        }
    });
    let withdraw = rfc.may.allows(Status::Withdrawn).then(|| {
        view! {
            <Confirm
                label="Withdraw"
                title="Withdraw this RFC?"
                text="It stays readable with all its threads, and takes no more revisions."
                action=api::ChangeStatus::PATH
                key="withdraw"
                confirm="Withdraw RFC"
            >
                <Hidden name="number" value=number.to_string()/>
                <Hidden name="to" value="withdrawn"/>
                <TextArea
                    name="reason"
                    label="Why"
                    optional=true
                    rows=2
                    hint=format!("At most {} characters; everybody can read it.", limits::REASON_CHARS)
                />
            </Confirm>
        }
    });
    let publish = rfc.may.allows(Status::InReview).then(|| {
        view! {
            <Form action=api::ChangeStatus::PATH key="publish" class="form-inline">
                <Hidden name="number" value=number.to_string()/>
                <Hidden name="to" value="in_review"/>
                <Button variant=Variant::Primary>"Publish for review"</Button>
            </Form>
        }
    });
    view! {
        {delete}
        {withdraw}
        {details}
        {revise}
        {publish}
    }
}
