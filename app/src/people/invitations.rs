//! Invitations, for admins: a link by which somebody creates their account.

use backend::accounts::invitations::{self, Invitation};
use backend::accounts::teams;
use domain::Role;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api;
use crate::error::AppError;
use crate::session::{self, NEW_INVITATION, signed_in};
use crate::ui::{
    Button, Card, Choice, Copyable, Field, FieldKind, Form, FormActions, Hidden, Notice, RoleBadge, Row, RowMeta,
    RowSide, Rows, Select, Time, Tone, Variant,
};

/// What an admin sees.
pub(super) struct Invited {
    open: Vec<Invitation>,
    teams: Vec<Choice>,
    new_link: Option<String>,
}

/// Loads it.
pub(super) async fn load_invitations() -> Result<Invited, AppError> {
    let (backend, actor) = signed_in()?;
    let open = invitations::list(&backend, &actor).await?;
    let teams = teams::all(&backend, &actor).await?;
    let teams = std::iter::once(Choice::new("", "No team"))
        .chain(teams.into_iter().map(|team| Choice::new(team.slug, team.name)))
        .collect();
    let new_link = session::shown_once(NEW_INVITATION).await?;
    Ok(Invited { open, teams, new_link })
}

/// Open invitations and the form for a new one.
#[component]
pub(super) fn Invitations(
    /// What to show.
    invitations: Invited,
) -> impl IntoView {
    let Invited { open, teams, new_link } = invitations;
    let roles = Role::ALL.into_iter().map(|role| Choice::new(role.as_str(), role.label())).collect();
    let rows: Vec<_> = open
        .into_iter()
        .map(|invitation| {
            let id = invitation.id.to_string();
            view! {
                <Row title=invitation.email.unwrap_or_else(|| "First-run setup".to_owned())>
                    <RowMeta>"ends " <Time at=invitation.expires_at/></RowMeta>
                    <RowSide>
                        <RoleBadge role=invitation.role/>
                        <Form action=api::WithdrawInvitation::PATH key=id.clone() class="form-inline">
                            <Hidden name="invitation" value=id/>
                            <Button small=true>"Take back"</Button>
                        </Form>
                    </RowSide>
                </Row>
            }
        })
        .collect();
    view! {
        <Card title="Invite somebody" id="invitations">
            {new_link.map(|link| view! {
                <Notice tone=Tone::Good title="The link">
                    <p>"Pass it on; it works once, for seven days, and is not shown again."</p>
                    <Copyable value=link label="Invitation link"/>
                </Notice>
            })}
            <Form action=api::Invite::PATH>
                <Field name="email" label="E-mail address" kind=FieldKind::Email autocomplete="off" required=true/>
                <Select name="role" label="Role" options=roles value="member"/>
                <Select name="team" label="Team" options=teams/>
                <FormActions><Button variant=Variant::Primary>"Make an invitation link"</Button></FormActions>
            </Form>
            {(!rows.is_empty()).then(|| view! { <Rows label="Open invitations">{rows}</Rows> })}
        </Card>
    }
}
