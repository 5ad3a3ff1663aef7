//! `/admin`: where admins find what only they may do.

use domain::Actor;
use domain::policy::{Action, allows};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::error::AppError;
use crate::page::page;
use crate::session::{signed_in, visit};
use crate::ui::{Card, Crumb, Fact, Facts, PageHeader, Row, RowMeta, Rows};
use crate::urls;

fn load() -> Result<Actor, AppError> {
    let (_, actor) = signed_in()?;
    allows(&actor, Action::Administer)?;
    Ok(actor)
}

/// The admin's page.
#[component]
pub fn AdminPage() -> impl IntoView {
    let visit = visit();
    page(async { load() }, move |_| {
        let cookie = if visit.https { "Secure, bound to this host" } else { "Not Secure: served over plain http" };
        view! {
            <Title text="Admin · Plumbline"/>
            <PageHeader title="Admin" crumbs=vec![Crumb::new("Home", urls::home())]/>
            <div class="narrow stack">
                <Rows label="What admins do">
                    <Row title="People" href=urls::people()><RowMeta>"Invite, change a role, disable, sign out"</RowMeta></Row>
                    <Row title="Audit log" href=urls::audit(&[])><RowMeta>"Who did what and when, before and after; as a file too"</RowMeta></Row>
                    <Row title="Teams" href=urls::teams()><RowMeta>"Add teams, say who belongs to them"</RowMeta></Row>
                    <Row title="Imports" href=urls::imports()><RowMeta>"Services and teams from a catalogue, incidents from a file, with the differences first"</RowMeta></Row>
                    <Row title="Webhooks" href=urls::webhooks()><RowMeta>"Who is called when something happens; who reports something here"</RowMeta></Row>
                    <Row title="Outbox" href=urls::outbox()><RowMeta>"Mails and calls: what waits, what was sent, what failed"</RowMeta></Row>
                </Rows>
                <Card title="This installation">
                    <Facts>
                        <Fact label="Version">{env!("CARGO_PKG_VERSION")}</Fact>
                        <Fact label="Address">{visit.base_url.to_string()}</Fact>
                        <Fact label="Cookie">{cookie}</Fact>
                        <Fact label="Sign-in throttling">{if visit.rate_limits { "On" } else { "Off" }}</Fact>
                        <Fact label="REST API"><a href="/api/v1/openapi.json">"OpenAPI document"</a></Fact>
                    </Facts>
                </Card>
            </div>
        }
    })
}
