//! `/account`: what people may change about themselves.

use backend::accounts::sessions::{self, Session};
use backend::accounts::tokens::{self, Token};
use domain::{Actor, Role, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;

use super::api;
use crate::error::AppError;
use crate::page::page;
use crate::session::{self, NEW_TOKEN, signed_in};
use crate::ui::{
    Badge, Button, Card, Choice, Confirm, Copyable, Crumb, EmptyState, Fact, Facts, Field, FieldKind, Form,
    FormActions, Glyph, Hidden, Notice, PageHeader, RoleBadge, Row, RowMeta, RowSide, Rows, Select, Time, Tone,
    Variant,
};
use crate::urls;

/// What the page shows.
struct Account {
    actor: Actor,
    sessions: Vec<Session>,
    tokens: Vec<Token>,
    new_token: Option<String>,
}

async fn load() -> Result<Account, AppError> {
    let (backend, actor) = signed_in()?;
    let current = session::token_hash().await?;
    let sessions = sessions::list(&backend, &actor, current.as_ref()).await?;
    let tokens = tokens::list(&backend, &actor).await?;
    let new_token = session::shown_once(NEW_TOKEN).await?;
    Ok(Account { actor, sessions, tokens, new_token })
}

/// Own account.
#[component]
pub fn AccountPage() -> impl IntoView {
    page(load(), |account| {
        view! {
            <Title text="Account · Plumbline"/>
            <PageHeader title="Account" crumbs=vec![Crumb::new("Home", urls::home())]/>
            <div class="narrow stack">
                <Profile actor=account.actor.clone()/>
                <Card title="Notices" id="notices">
                    <p class="muted small">"What comes in your inbox and by mail, quiet hours, the weekly digest."</p>
                    <div class="form-actions"><Button href=urls::notice_preferences()>"Choose what I am told"</Button></div>
                </Card>
                <Password/>
                <Sessions sessions=account.sessions/>
                <Tokens tokens=account.tokens new_token=account.new_token role=account.actor.role/>
            </div>
        }
    })
}

/// Name and time zone.
#[component]
fn Profile(
    /// Whose.
    actor: Actor,
) -> impl IntoView {
    view! {
        <Card title="You" id="you">
            <Facts>
                <Fact label="Address">{actor.email}</Fact>
                <Fact label="Role"><RoleBadge role=actor.role/></Fact>
            </Facts>
            <Form action=api::Edit::PATH>
                <Field name="name" label="Name" value=actor.name autocomplete="name" required=true max_chars=limits::NAME_CHARS/>
                <Field name="time_zone" label="Time zone" value=actor.time_zone
                    hint="An IANA name such as Europe/Berlin; every time is shown in it." required=true/>
                <FormActions>
                    <Button variant=Variant::Primary>"Save"</Button>
                </FormActions>
            </Form>
        </Card>
    }
}

/// The password.
#[component]
fn Password() -> impl IntoView {
    let hint = format!("{} to {} characters.", limits::PASSWORD_MIN_CHARS, limits::PASSWORD_MAX_CHARS);
    view! {
        <Card title="Password" id="password">
            <Form action=api::ChangePassword::PATH>
                <Field name="current_password" label="Current password" kind=FieldKind::Password autocomplete="current-password" required=true/>
                <Field name="new_password" label="New password" kind=FieldKind::Password autocomplete="new-password" hint=hint required=true/>
                <FormActions>
                    <Button>"Change the password and sign out everywhere else"</Button>
                </FormActions>
            </Form>
        </Card>
    }
}

/// Where one is signed in.
#[component]
fn Sessions(
    /// The living ones.
    sessions: Vec<Session>,
) -> impl IntoView {
    let others = sessions.iter().any(|session| !session.current);
    let rows = sessions.into_iter().map(|session| {
        let end = if session.current {
            view! { <Badge tone=Tone::Good>"This browser"</Badge> }.into_any()
        } else {
            view! {
                <Form action=api::EndSession::PATH key=session.id.clone() class="form-inline">
                    <Hidden name="session" value=session.id/>
                    <Button small=true>"Sign out there"</Button>
                </Form>
            }
            .into_any()
        };
        view! {
            <Row title=browser(&session.user_agent)>
                <RowMeta>{session.address} " · last used " <Time at=session.last_seen_at/> " · since " <Time at=session.created_at/></RowMeta>
                <RowSide>{end}</RowSide>
            </Row>
        }
    });
    view! {
        <Card title="Sessions" id="sessions">
            <Rows label="Where you are signed in">{rows.collect_view()}</Rows>
            {others.then(|| view! {
                <Form action=api::EndOtherSessions::PATH>
                    <FormActions><Button>"Sign out everywhere else"</Button></FormActions>
                </Form>
            })}
        </Card>
    }
}

/// Tokens for the REST API.
#[component]
fn Tokens(
    /// One's own.
    tokens: Vec<Token>,
    /// The one just made, to be shown this once.
    new_token: Option<String>,
    /// One's role: what a token could reach at most.
    role: Role,
) -> impl IntoView {
    let rows = tokens.into_iter().map(|token| {
        let used = match token.last_used_at {
            Some(at) => view! { "last used " <Time at=at/> }.into_any(),
            None => "never used".into_any(),
        };
        let ends = token.expires_at.map(|at| view! { " · ends " <Time at=at absolute=true/> });
        view! {
            <Row title=token.name.clone()>
                <RowMeta><code>{token.prefix} "…"</code> " · " {token.scopes.join(", ")} " · " {used} {ends}</RowMeta>
                <RowSide>
                    <Confirm label="Revoke" title=format!("Revoke “{}”?", token.name) small=true
                        text="Whatever uses it stops working at once." action=api::RevokeToken::PATH
                        key=token.id.to_string() confirm="Revoke the token">
                        <Hidden name="token" value=token.id.to_string()/>
                    </Confirm>
                </RowSide>
            </Row>
        }
    });
    let rows: Vec<_> = rows.collect();
    let list = if rows.is_empty() {
        view! { <EmptyState title="No tokens" text="A token lets a script or another tool use the REST API as you." icon=Glyph::Key/> }
            .into_any()
    } else {
        view! { <Rows label="Your tokens">{rows}</Rows> }.into_any()
    };
    let mut reaches = vec![Choice::new("read", "Read"), Choice::new("write", "Read and write")];
    if role == Role::Admin {
        reaches.push(Choice::new("admin", "Read, write and administer"));
    }
    view! {
        <Card title="API tokens" id="tokens">
            {new_token.map(|token| view! {
                <Notice tone=Tone::Good title="Your new token">
                    <p>"Copy it now: it is not shown again."</p>
                    <Copyable value=token label="The token"/>
                </Notice>
            })}
            {list}
            <Form action=api::CreateToken::PATH>
                <Field name="name" label="What it is for" required=true max_chars=limits::NAME_CHARS/>
                <Select name="reach" label="It may" options=reaches value="read"/>
                <Field name="days" label="Days until it ends" kind=FieldKind::Number optional=true hint="Empty: it does not end by itself."/>
                <FormActions><Button>"Make a token"</Button></FormActions>
            </Form>
        </Card>
    }
}

/// A browser's name for people, from what it calls itself.
fn browser(user_agent: &str) -> String {
    let name = ["Edg/", "OPR/", "Firefox/", "Chrome/", "Safari/"].iter().find(|name| user_agent.contains(**name));
    let system =
        ["Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux"].iter().find(|name| user_agent.contains(**name));
    let name = name.map_or("A browser", |name| match *name {
        "Edg/" => "Edge",
        "OPR/" => "Opera",
        name => name.trim_end_matches('/'),
    });
    system.map_or_else(|| name.to_owned(), |system| format!("{name} on {system}"))
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_have_names() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0";
        assert_eq!(browser(edge), "Edge on Windows");
        assert_eq!(
            browser("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
            "Firefox on Linux"
        );
        assert_eq!(browser(""), "A browser");
    }
}
