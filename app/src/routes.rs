//! The table of pages: one line each, every one whole without JavaScript.

use leptos::prelude::*;
use leptos_router::SsrMode::Async;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

use crate::account::{
    account_page::AccountPage, invitation_page::InvitationPage, notices_page::NoticesPage, setup_page::SetupPage,
    sign_in_page::SignInPage, unsubscribe_page::UnsubscribePage,
};
use crate::activity::activity_page::ActivityPage;
use crate::admin::{
    admin_page::AdminPage, audit_page::AuditPage, delivery_page::DeliveryPage, new_webhook_page::NewWebhookPage,
    outbox_page::OutboxPage, webhook_page::WebhookPage, webhooks_page::WebhooksPage,
};
use crate::follow_ups::{follow_up_page::FollowUpPage, index_page::FollowUpsPage, new_page::NewFollowUpPage};
use crate::home::home_page::HomePage;
use crate::imports::{import_page::ImportPage, index_page::ImportsPage, new_page::NewImportPage};
use crate::inbox::inbox_page::{InboxItemPage, InboxPage};
use crate::incidents::{
    edit_page::EditIncidentPage, incident_page::IncidentPage, index_page::IncidentsPage, new_page::NewIncidentPage,
    types_page::IncidentTypesPage, unknown_services_page::UnknownServicesPage,
};
use crate::layout::{Layout, NotFoundPage};
use crate::people::{people_page::PeoplePage, person_page::PersonPage, team_page::TeamPage, teams_page::TeamsPage};
use crate::rfcs::{edit_page::EditPage, index_page::IndexPage, new_page::NewPage, read_page::ReadPage};
use crate::search::search_page::SearchPage;
use crate::services::{
    edit_page::EditServicePage, index_page::ServicesPage, new_page::NewServicePage, service_page::ServicePage,
};

/// Every page inside the frame.
#[component]
pub fn Pages() -> impl IntoView {
    view! {
        <Router>
            <Layout>
                <Routes fallback=|| view! { <NotFoundPage/> }>
                    <Route path=path!("/") view=HomePage ssr=Async/>
                    <Route path=path!("/sign-in") view=SignInPage ssr=Async/>
                    <Route path=path!("/setup/:secret") view=SetupPage ssr=Async/>
                    <Route path=path!("/invitations/:secret") view=InvitationPage ssr=Async/>
                    <Route path=path!("/rfcs") view=IndexPage ssr=Async/>
                    <Route path=path!("/rfcs/new") view=NewPage ssr=Async/>
                    <Route path=path!("/rfcs/:number") view=ReadPage ssr=Async/>
                    <Route path=path!("/rfcs/:number/edit") view=EditPage ssr=Async/>
                    <Route path=path!("/services") view=ServicesPage ssr=Async/>
                    <Route path=path!("/services/new") view=NewServicePage ssr=Async/>
                    <Route path=path!("/services/:slug") view=ServicePage ssr=Async/>
                    <Route path=path!("/services/:slug/edit") view=EditServicePage ssr=Async/>
                    <Route path=path!("/incidents") view=IncidentsPage ssr=Async/>
                    <Route path=path!("/incidents/new") view=NewIncidentPage ssr=Async/>
                    <Route path=path!("/incidents/types") view=IncidentTypesPage ssr=Async/>
                    <Route path=path!("/incidents/unknown-services") view=UnknownServicesPage ssr=Async/>
                    <Route path=path!("/incidents/:id") view=IncidentPage ssr=Async/>
                    <Route path=path!("/incidents/:id/edit") view=EditIncidentPage ssr=Async/>
                    <Route path=path!("/follow-ups") view=FollowUpsPage ssr=Async/>
                    <Route path=path!("/follow-ups/new") view=NewFollowUpPage ssr=Async/>
                    <Route path=path!("/follow-ups/:id") view=FollowUpPage ssr=Async/>
                    <Route path=path!("/people") view=PeoplePage ssr=Async/>
                    <Route path=path!("/people/:email") view=PersonPage ssr=Async/>
                    <Route path=path!("/teams") view=TeamsPage ssr=Async/>
                    <Route path=path!("/teams/:slug") view=TeamPage ssr=Async/>
                    <Route path=path!("/inbox") view=InboxPage ssr=Async/>
                    <Route path=path!("/inbox/:item") view=InboxItemPage ssr=Async/>
                    <Route path=path!("/account") view=AccountPage ssr=Async/>
                    <Route path=path!("/account/notices") view=NoticesPage ssr=Async/>
                    <Route path=path!("/unsubscribe/:token") view=UnsubscribePage ssr=Async/>
                    <Route path=path!("/admin") view=AdminPage ssr=Async/>
                    <Route path=path!("/admin/imports") view=ImportsPage ssr=Async/>
                    <Route path=path!("/admin/imports/new") view=NewImportPage ssr=Async/>
                    <Route path=path!("/admin/imports/:id") view=ImportPage ssr=Async/>
                    <Route path=path!("/admin/audit") view=AuditPage ssr=Async/>
                    <Route path=path!("/search") view=SearchPage ssr=Async/>
                    <Route path=path!("/activity") view=ActivityPage ssr=Async/>
                    <Route path=path!("/admin/webhooks") view=WebhooksPage ssr=Async/>
                    <Route path=path!("/admin/webhooks/new") view=NewWebhookPage ssr=Async/>
                    <Route path=path!("/admin/webhooks/:id") view=WebhookPage ssr=Async/>
                    <Route path=path!("/admin/outbox") view=OutboxPage ssr=Async/>
                    <Route path=path!("/admin/outbox/:id") view=DeliveryPage ssr=Async/>
                </Routes>
            </Layout>
        </Router>
    }
}
