//! `/follow-ups/new`: make a follow-up, of an incident or of nothing.

use backend::follow_ups;
use domain::policy::{Action, allows};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Button, CREATE_FOLLOW_UP, Card, Crumb, Field, FollowUpFields, Form, FormActions, PageHeader, PeopleList, Variant,
};
use crate::urls;

/// The form.
#[component]
pub fn NewFollowUpPage() -> impl IntoView {
    let incident = use_query_map().read_untracked().get("incident").unwrap_or_default();
    let load = async move {
        let (backend, actor) = signed_in()?;
        allows(&actor, Action::WriteFollowUp)?;
        Ok((follow_ups::owners(&backend, &actor).await?, actor.email, incident))
    };
    page(load, |(people, me, incident)| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Follow-ups", urls::follow_ups())];
        view! {
            <Title text="New follow-up · Plumbline"/>
            <PageHeader title="New follow-up" crumbs=crumbs/>
            <div class="narrow">
                <PeopleList people=people/>
                <Card>
                    <Form action=CREATE_FOLLOW_UP>
                        <FollowUpFields owner=me/>
                        <Field name="incident" label="Incident" value=incident optional=true
                            hint="The number of the incident it comes from."/>
                        <FormActions>
                            <Button variant=Variant::Primary>"Make the follow-up"</Button>
                            <Button href=urls::follow_ups()>"Cancel"</Button>
                        </FormActions>
                    </Form>
                </Card>
            </div>
        }
    })
}
