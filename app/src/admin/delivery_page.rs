//! `/admin/outbox/{id}`: one delivery. A mail as text, a webhook's message with its tries, anything else as it is.

use backend::deliveries::{self, Delivery, Detail, Mail, State, Try};
use backend::outbox::Kind;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api;
use super::deliveries::{StateBadge, kind_label};
use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Button, Confirm, Crumb, Disclosure, Fact, Facts, Form, Hidden, PageHeader, Section, Table, Time, Variant,
};
use crate::urls;

async fn load(id: String) -> Result<Detail, AppError> {
    let (backend, actor) = signed_in()?;
    Ok(deliveries::get(&backend, &actor, &id).await?)
}

/// One delivery.
#[component]
pub fn DeliveryPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    page(load(id), |detail| {
        let (mail, readable) = (detail.mail(), detail.readable());
        let Detail { delivery, webhook_id, tries, .. } = detail;
        let crumbs = vec![
            Crumb::new("Home", urls::home()),
            Crumb::new("Admin", urls::admin()),
            Crumb::new("Outbox", urls::outbox()),
        ];
        let again = matches!(delivery.state, State::Dead | State::Failed).then(|| {
            let id = delivery.id.clone();
            view! {
                <Form action=api::RetryDelivery::PATH class="form-inline">
                    <Hidden name="delivery" value=id/>
                    <Button variant=Variant::Primary>"Send again"</Button>
                </Form>
            }
        });
        let let_go = (delivery.state == State::Dead).then(|| {
            let id = delivery.id.clone();
            view! {
                <Confirm label="Let it go" title="Let it go?" variant=Variant::Secondary action=api::LetGoDelivery::PATH
                    text="It is not sent any more, and no longer counts as given up. This cannot be undone." confirm="Let it go">
                    <Hidden name="delivery" value=id/>
                </Confirm>
            }
        });
        let content = if delivery.withheld {
            view! { <Withheld to=delivery.to.clone().unwrap_or_default()/> }.into_any()
        } else if let Some(mail) = mail {
            view! { <Letter mail=mail/> }.into_any()
        } else {
            let title = if delivery.kind == Kind::Webhook { "Message" } else { "What it needs to know" };
            view! { <Section title=title><pre class="letter">{readable}</pre></Section> }.into_any()
        };
        let tried = (delivery.kind == Kind::Webhook).then(|| view! { <Tries tries=tries/> });
        view! {
            <Title text=format!("{} · Outbox · Plumbline", delivery.about)/>
            <PageHeader title=delivery.about.clone() crumbs=crumbs>
                <Actions>{again} {let_go}</Actions>
            </PageHeader>
            <div class="split">
                <div class="stack">{content} {tried}</div>
                <aside class="stack"><About delivery=delivery webhook_id=webhook_id/></aside>
            </div>
        }
    })
}

#[component]
fn About(delivery: Delivery, webhook_id: Option<String>) -> impl IntoView {
    let webhook = delivery.webhook.zip(webhook_id);
    let due = if matches!(delivery.state, State::Dead | State::Done) { "Was due" } else { "Due" };
    // What is done may have been done without being sent; then it says why.
    let said = if delivery.state == State::Done { "Note" } else { "Last error" };
    view! {
        <Facts narrow=true>
            <Fact label="State"><StateBadge state=delivery.state/></Fact>
            <Fact label="Kind">{kind_label(delivery.kind)}</Fact>
            {webhook.map(|(name, id)| view! { <Fact label="Webhook"><a href=urls::webhook(&id)>{name}</a></Fact> })}
            <Fact label="Put in"><Time at=delivery.created_at absolute=true/></Fact>
            <Fact label=due><Time at=delivery.due_at absolute=true/></Fact>
            {delivery.finished_at.map(|at| view! { <Fact label="Finished"><Time at=at absolute=true/></Fact> })}
            <Fact label="Tries">{delivery.attempts}</Fact>
            {(!delivery.last_error.is_empty()).then(|| view! { <Fact label=said>{delivery.last_error}</Fact> })}
            <Fact label="Key"><code>{delivery.key}</code></Fact>
        </Facts>
    }
}

/// A mail: to whom, about what, its text.
#[component]
fn Letter(mail: Mail) -> impl IntoView {
    let headers: Vec<_> =
        mail.headers.into_iter().map(|(name, value)| view! { <Fact label=name>{value}</Fact> }).collect();
    view! {
        <Section title="Mail">
            <Facts>
                <Fact label="To">{mail.to}</Fact>
                <Fact label="Subject">{mail.subject}</Fact>
            </Facts>
            <pre class="letter">{mail.text}</pre>
            {(!headers.is_empty()).then(|| view! { <Disclosure summary="Headers"><Facts>{headers}</Facts></Disclosure> })}
        </Section>
    }
}

/// A mail that the reader may not read: to whom.
#[component]
fn Withheld(to: String) -> impl IntoView {
    view! {
        <Section title="Mail">
            <Facts><Fact label="To">{to}</Fact></Facts>
            <p class="muted">"Not shown: it is about a draft that you may not read."</p>
        </Section>
    }
}

#[component]
fn Tries(tries: Vec<Try>) -> impl IntoView {
    let count = i64::try_from(tries.len()).unwrap_or(i64::MAX);
    if tries.is_empty() {
        return view! { <Section title="Tries" count=count><p class="muted">"None yet."</p></Section> }.into_any();
    }
    let rows = tries.into_iter().map(|one| {
        let result = match (one.status, one.error) {
            (Some(status), error) if error.is_empty() => status.to_string(),
            (_, error) => error,
        };
        let answer = if one.answer.is_empty() {
            view! { <span class="muted">"empty"</span> }.into_any()
        } else {
            view! { <code class="answer">{one.answer}</code> }.into_any()
        };
        view! {
            <tr>
                <td class="nowrap"><Time at=one.at absolute=true/></td>
                <td>{result}</td>
                <td class="num">{format!("{} ms", one.duration_ms)}</td>
                <td>{answer}</td>
            </tr>
        }
    });
    view! {
        <Section title="Tries" count=count>
            <Table caption="Tries, the newest first">
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"Result"</th>
                        <th scope="col" class="num">"Took"</th>
                        <th scope="col">"Answer began"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </Table>
        </Section>
    }
    .into_any()
}
