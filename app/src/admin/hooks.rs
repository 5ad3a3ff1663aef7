//! Hooks, among the webhooks: addresses at which others report something.

use backend::Backend;
use backend::hooks::{self, Hook, Purpose};
use domain::{Actor, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api;
use crate::error::AppError;
use crate::session::{self, NEW_HOOK_SECRET, visit};
use crate::ui::{
    Button, Card, Choice, Confirm, Copyable, EmptyState, Field, Form, FormActions, Glyph, Hidden, Notice, Row, RowMeta,
    RowSide, Rows, Section, Select, Time, Tone, Variant,
};
use crate::urls;

/// What is shown of them.
pub(super) struct Receiving {
    hooks: Vec<Hook>,
    /// The hook whose secret was just made, and the secret.
    new: Option<(String, String)>,
}

/// Loads it.
pub(super) async fn load_hooks(backend: &Backend, actor: &Actor) -> Result<Receiving, AppError> {
    let hooks = hooks::list(backend, actor).await?;
    let new = session::shown_once(NEW_HOOK_SECRET).await?;
    let new = new.and_then(|new| new.split_once(' ').map(|(id, secret)| (id.to_owned(), secret.to_owned())));
    Ok(Receiving { hooks, new })
}

/// All hooks, and the form for a new one.
#[component]
pub(super) fn Hooks(
    /// What to show.
    receiving: Receiving,
) -> impl IntoView {
    let Receiving { hooks, new } = receiving;
    let origin = visit().base_url;
    let purposes = Purpose::ALL.into_iter().map(|purpose| Choice::new(purpose.as_str(), purpose.label())).collect();
    let made = new.and_then(|(id, secret)| {
        let hook = hooks.iter().find(|hook| hook.id == id)?;
        let address = format!("{origin}{}", urls::hook(&id));
        Some(view! {
            <Notice tone=Tone::Good title=format!("The secret of “{}”", hook.name)>
                <p>"Copy it now: it is not shown again. Calls are signed with it by Standard Webhooks 1.0."</p>
                <Copyable value=secret label="The secret"/>
                <p>"Send them to:"</p>
                <Copyable value=address label="The address"/>
            </Notice>
        })
    });
    let list = if hooks.is_empty() {
        view! {
            <EmptyState
                title="Nobody reports anything"
                text="A hook lets a pager or a monitoring system record incidents here, signed with a secret."
                icon=Glyph::Server
            />
        }
        .into_any()
    } else {
        let rows = hooks.into_iter().map(move |hook| view! { <HookRow hook=hook origin=origin.to_string()/> });
        view! { <Rows label="Hooks">{rows.collect_view()}</Rows> }.into_any()
    };
    view! {
        <Section title="Calls from others" id="hooks">
            <div class="stack">
                {made}
                {list}
                <Card title="New hook">
                    <Form action=api::CreateHook::PATH>
                        <Field name="name" label="Who calls it" required=true max_chars=limits::NAME_CHARS/>
                        <Select name="purpose" label="It receives" options=purposes value=Purpose::Incidents.as_str()/>
                        <FormActions><Button>"Make a hook"</Button></FormActions>
                    </Form>
                </Card>
            </div>
        </Section>
    }
}

#[component]
fn HookRow(hook: Hook, origin: String) -> impl IntoView {
    let called = match hook.last_call_at {
        Some(at) => view! { "last call " <Time at=at/> }.into_any(),
        None => "never called".into_any(),
    };
    let both =
        hook.previous_secret_until.map(|at| view! { " · the secret before works until " <Time at=at absolute=true/> });
    let (id, rotated) = (hook.id.clone(), hook.id.clone());
    view! {
        <Row title=hook.name.clone()>
            <RowMeta>
                {hook.purpose.label()} " · " {called} {both} " · " <code>{format!("{origin}{}", urls::hook(&hook.id))}</code>
            </RowMeta>
            <RowSide>
                <Confirm label="New secret" title=format!("A new secret for “{}”?", hook.name) small=true variant=Variant::Secondary
                    text="The one it has works for another 24 hours." action=api::RotateHook::PATH
                    key=rotated.clone() confirm="Make a new secret">
                    <Hidden name="hook" value=rotated/>
                </Confirm>
                <Confirm label="Revoke" title=format!("Revoke “{}”?", hook.name) small=true
                    text="Whoever calls it is turned away from now on. What came in stays." action=api::RevokeHook::PATH
                    key=id.clone() confirm="Revoke the hook">
                    <Hidden name="hook" value=id/>
                </Confirm>
            </RowSide>
        </Row>
    }
}
