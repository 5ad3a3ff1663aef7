//! Who may do what, for every REST call, server function and page: the expected cells are written by hand from the roles
//! of the contract. An endpoint that is missing here fails the test.
//!
//! Columns: nobody signed in, a reader, a member who has nothing to do with the object, an SRE, a lead, an admin, and the
//! member whose object it is (author of the RFC, thread and comment, in the team that owns the service).
//! Cells: `ok` is let through by the policy (whatever the answer says about the request itself), `401`, `403`, `404`
//! (hidden); for pages `in` is the way to the sign-in page.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use backend::Expected;
use backend::follow_ups::write::{self as follow_ups, NewFollowUp};
use backend::imports::{self, Kind, NewImport};
use backend::incidents::{self, IncidentInput};
use backend::rfcs::create::{self, NewRfc};
use backend::rfcs::status::{self, ChangeStatus};
use backend::rfcs::threads::{self, NewThread};
use backend::services::{self, ServiceInput};
use domain::{Actor, Role};
use serde_json::{Value, json};
use support::{Persona, TestApp};

/// The objects of one row, fresh for each.
struct World {
    app: TestApp,
    people: [Option<Persona>; 7],
    published: i64,
    draft: i64,
    thread: String,
    comment: String,
    hidden_thread: String,
    hidden_comment: String,
    import: i64,
    follow_up: String,
    incident: String,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let people = [
            None,
            Some(app.person("Reader", Role::Reader, None).await),
            Some(app.person("Member", Role::Member, Some("elsewhere")).await),
            Some(app.person("Sre", Role::Sre, None).await),
            Some(app.person("Lead", Role::Lead, None).await),
            Some(app.person("Admin", Role::Admin, None).await),
            Some(app.person("Author", Role::Member, Some("core")).await),
        ];
        app.person("Other", Role::Member, None).await;
        let author = people[6].as_ref().unwrap().actor.clone();
        let input =
            ServiceInput { name: "Checkout".into(), tier: 1, team: Some("core".into()), ..ServiceInput::default() };
        services::put(&app.backend, &author, "checkout", Expected::Absent, input).await.unwrap();
        let draft = new_rfc(&app, &author).await;
        let published = new_rfc(&app, &author).await;
        let change = ChangeStatus { to: "in_review".into(), reason: None };
        status::change_status(&app.backend, &author, published, change).await.unwrap();
        let (thread, comment) = open_thread(&app, &author, published).await;
        let (hidden_thread, hidden_comment) = open_thread(&app, &author, draft).await;
        let admin = &people[5].as_ref().unwrap().actor;
        let new = NewImport { kind: Kind::Catalog, name: "catalog.yml".into(), options: serde_json::Map::new() };
        let import = imports::hand_in(&app.backend, admin, new, b"services: []\n").await.unwrap().id;
        let follow_up = new_follow_up(&app, &author).await;
        let incident = new_incident(&app, &author).await;
        Self {
            app,
            people,
            published,
            draft,
            thread,
            comment,
            hidden_thread,
            hidden_comment,
            import,
            follow_up,
            incident,
        }
    }

    /// `{rfc}` and the like in paths, forms and bodies.
    fn fill(&self, text: &str) -> String {
        text.replace("{rfc}", &self.published.to_string())
            .replace("{draft}", &self.draft.to_string())
            .replace("{thread}", &self.thread)
            .replace("{comment}", &self.comment)
            .replace("{hidden_thread}", &self.hidden_thread)
            .replace("{hidden_comment}", &self.hidden_comment)
            .replace("{import}", &self.import.to_string())
            .replace("{follow_up}", &self.follow_up)
            .replace("{incident}", &self.incident)
    }
}

async fn new_rfc(app: &TestApp, author: &Actor) -> i64 {
    let new = NewRfc {
        title: "Shard the ledger".into(),
        kind: "architecture".into(),
        body: "One sentence.\n".into(),
        services: vec!["checkout".into()],
    };
    create::create(&app.backend, author, new).await.unwrap().number
}

async fn new_follow_up(app: &TestApp, owner: &Actor) -> String {
    let new = NewFollowUp { title: "Alarm".into(), owner: owner.email.clone(), due: "2026-12-01".into(), source: None };
    follow_ups::create(&app.backend, owner, new).await.unwrap().id.to_string()
}

async fn new_incident(app: &TestApp, recorder: &Actor) -> String {
    let new = IncidentInput {
        title: "Payments stood still".into(),
        incident_type: "deploy".into(),
        severity: 2,
        services: vec!["checkout".into()],
        started_at: app.backend.now(),
        ..IncidentInput::default()
    };
    incidents::record(&app.backend, recorder, new).await.unwrap().id.to_string()
}

async fn open_thread(app: &TestApp, author: &Actor, number: i64) -> (String, String) {
    let new = NewThread { revision: 1, start: Some(0), end: Some(3), body: "Why?".into(), severity: "note".into() };
    let opened = threads::open(&app.backend, author, number, new).await.unwrap();
    (opened.id, opened.comment_id)
}

const ANYBODY: &str = "401 ok  ok  ok  ok  ok  ok";
const MEMBERS: &str = "401 403 ok  ok  ok  ok  ok";
const OWN_TEAM_OR_SRE: &str = "401 403 403 ok  ok  ok  ok";
const LEADS: &str = "401 403 403 403 ok  ok  403";
const AUTHOR_OR_LEAD: &str = "401 403 403 403 ok  ok  ok";
const AUTHOR_OR_SRE: &str = "401 403 403 ok  ok  ok  ok";
const AUTHOR_ONLY: &str = "401 403 403 403 403 403 ok";
const ADMINS: &str = "401 403 403 403 403 ok  403";
const ADMINS_ON_NOTHING: &str = "401 403 403 403 403 404 403";
const NOBODYS: &str = "401 404 404 404 404 404 404";
const HIDDEN: &str = "401 404 404 404 404 404 ok";

/// Method, path (as in the OpenAPI document; `|` and the path to call when that differs), body, cells.
fn calls() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let rfc = json!({ "title": "T", "kind": "slo", "body": "B", "services": [] });
    let person = json!({ "name": "Other", "role": "member" });
    let team = json!({ "name": "Core" });
    let service = json!({ "name": "Checkout", "tier": 1, "team": "core" });
    let thread = json!({ "revision": 1, "body": "?", "severity": "note" });
    let revision = json!({ "body": "Two.", "summary": "", "base_revision": 1 });
    let comment = json!({ "body": "Because." });
    let anchor = json!({ "revision": 1, "start": 0, "end": 2 });
    let webhook = json!({ "name": "Chat", "url": "https://hooks.example.com/in" });
    let follow_up = json!({ "title": "T", "owner": "author@example.com", "due": "2026-12-01" });
    let incident = json!({ "title": "T", "type": "data", "severity": 2, "started_at": "2026-11-01T00:00:00Z" });
    let word = json!({ "name": "old shop", "ignore": true });
    vec![
        ("GET", "/openapi.json", Value::Null, "ok  ok  ok  ok  ok  ok  ok"),
        ("GET", "/me", Value::Null, ANYBODY),
        ("GET", "/me/preferences", Value::Null, ANYBODY),
        ("PUT", "/me/preferences", json!({}), ANYBODY),
        ("GET", "/inbox", Value::Null, ANYBODY),
        ("POST", "/inbox/read", Value::Null, ANYBODY),
        // Nobody's item is anybody else's.
        ("GET", "/inbox/{id}|/inbox/999", Value::Null, NOBODYS),
        ("POST", "/inbox/{id}/read|/inbox/999/read", Value::Null, NOBODYS),
        ("POST", "/inbox/{id}/unread|/inbox/999/unread", Value::Null, NOBODYS),
        ("POST", "/inbox/{id}/later|/inbox/999/later", json!({ "until": "tomorrow" }), NOBODYS),
        ("POST", "/inbox/{id}/done|/inbox/999/done", Value::Null, NOBODYS),
        ("POST", "/inbox/{id}/open|/inbox/999/open", Value::Null, NOBODYS),
        ("GET", "/people", Value::Null, ANYBODY),
        ("GET", "/people/{email}|/people/other@example.com", Value::Null, ANYBODY),
        ("PUT", "/people/{email}|/people/other@example.com", person, ADMINS),
        ("GET", "/teams", Value::Null, ANYBODY),
        ("GET", "/teams/{slug}|/teams/core", Value::Null, ANYBODY),
        ("PUT", "/teams/{slug}|/teams/core", team, ADMINS),
        ("GET", "/services", Value::Null, ANYBODY),
        ("GET", "/services/{slug}|/services/checkout", Value::Null, ANYBODY),
        ("PUT", "/services/{slug}|/services/checkout", service, OWN_TEAM_OR_SRE),
        ("POST", "/services/{slug}/archive|/services/checkout/archive", Value::Null, OWN_TEAM_OR_SRE),
        ("POST", "/services/{slug}/unarchive|/services/checkout/unarchive", Value::Null, OWN_TEAM_OR_SRE),
        ("POST", "/services/{slug}/rename|/services/checkout/rename", json!({ "slug": "checkout" }), OWN_TEAM_OR_SRE),
        ("GET", "/imports", Value::Null, ADMINS),
        ("POST", "/imports", json!({ "kind": "catalog", "name": "a.yml", "content": "services: []" }), ADMINS),
        ("GET", "/imports/{id}|/imports/{import}", Value::Null, ADMINS),
        ("GET", "/imports/{id}/lines|/imports/{import}/lines", Value::Null, ADMINS),
        ("GET", "/imports/{id}/columns|/imports/{import}/columns", Value::Null, ADMINS),
        ("POST", "/imports/{id}/read-again|/imports/{import}/read-again", json!({}), ADMINS),
        ("POST", "/imports/{id}/apply|/imports/{import}/apply", Value::Null, ADMINS),
        ("POST", "/imports/{id}/cancel|/imports/{import}/cancel", Value::Null, ADMINS),
        ("POST", "/imports/{id}/discard|/imports/{import}/discard", Value::Null, ADMINS),
        ("GET", "/rfcs", Value::Null, ANYBODY),
        ("POST", "/rfcs", rfc, MEMBERS),
        ("GET", "/rfcs/{number}|/rfcs/{rfc}", Value::Null, ANYBODY),
        ("GET", "/rfcs/{number}|/rfcs/{draft}", Value::Null, HIDDEN),
        ("PATCH", "/rfcs/{number}|/rfcs/{rfc}", json!({ "title": "New" }), AUTHOR_OR_LEAD),
        ("PATCH", "/rfcs/{number}|/rfcs/{draft}", json!({ "title": "New" }), HIDDEN),
        ("DELETE", "/rfcs/{number}|/rfcs/{rfc}", Value::Null, AUTHOR_OR_LEAD),
        ("DELETE", "/rfcs/{number}|/rfcs/{draft}", Value::Null, HIDDEN),
        ("POST", "/rfcs/{number}/status|/rfcs/{rfc}/status", json!({ "to": "withdrawn" }), AUTHOR_OR_LEAD),
        ("POST", "/rfcs/{number}/status|/rfcs/{draft}/status", json!({ "to": "in_review" }), HIDDEN),
        ("GET", "/rfcs/{number}/revisions|/rfcs/{rfc}/revisions", Value::Null, ANYBODY),
        ("GET", "/rfcs/{number}/revisions|/rfcs/{draft}/revisions", Value::Null, HIDDEN),
        ("POST", "/rfcs/{number}/revisions|/rfcs/{rfc}/revisions", revision.clone(), AUTHOR_OR_LEAD),
        ("POST", "/rfcs/{number}/revisions|/rfcs/{draft}/revisions", revision, HIDDEN),
        ("GET", "/rfcs/{number}/revisions/{revision}|/rfcs/{rfc}/revisions/1", Value::Null, ANYBODY),
        ("GET", "/rfcs/{number}/revisions/{revision}|/rfcs/{draft}/revisions/1", Value::Null, HIDDEN),
        ("GET", "/rfcs/{number}/threads|/rfcs/{rfc}/threads", Value::Null, ANYBODY),
        ("GET", "/rfcs/{number}/threads|/rfcs/{draft}/threads", Value::Null, HIDDEN),
        ("POST", "/rfcs/{number}/threads|/rfcs/{rfc}/threads", thread.clone(), MEMBERS),
        ("POST", "/rfcs/{number}/threads|/rfcs/{draft}/threads", thread, HIDDEN),
        ("GET", "/threads/{id}|/threads/{thread}", Value::Null, ANYBODY),
        ("GET", "/threads/{id}|/threads/{hidden_thread}", Value::Null, HIDDEN),
        ("POST", "/threads/{id}/resolve|/threads/{thread}/resolve", Value::Null, AUTHOR_OR_SRE),
        ("POST", "/threads/{id}/resolve|/threads/{hidden_thread}/resolve", Value::Null, HIDDEN),
        ("POST", "/threads/{id}/reopen|/threads/{thread}/reopen", Value::Null, AUTHOR_OR_SRE),
        ("POST", "/threads/{id}/anchor|/threads/{thread}/anchor", anchor.clone(), MEMBERS),
        ("POST", "/threads/{id}/anchor|/threads/{hidden_thread}/anchor", anchor, HIDDEN),
        ("POST", "/threads/{id}/comments|/threads/{thread}/comments", comment.clone(), MEMBERS),
        ("POST", "/threads/{id}/comments|/threads/{hidden_thread}/comments", comment.clone(), HIDDEN),
        ("GET", "/comments/{id}|/comments/{comment}", Value::Null, ANYBODY),
        ("GET", "/comments/{id}|/comments/{hidden_comment}", Value::Null, HIDDEN),
        ("PATCH", "/comments/{id}|/comments/{comment}", comment, AUTHOR_ONLY),
        ("DELETE", "/comments/{id}|/comments/{comment}", Value::Null, AUTHOR_ONLY),
        ("DELETE", "/comments/{id}|/comments/{hidden_comment}", Value::Null, HIDDEN),
        ("GET", "/webhooks", Value::Null, ADMINS),
        ("POST", "/webhooks", webhook.clone(), ADMINS),
        ("GET", "/webhooks/{id}|/webhooks/9", Value::Null, ADMINS_ON_NOTHING),
        ("PUT", "/webhooks/{id}|/webhooks/9", webhook, ADMINS_ON_NOTHING),
        ("DELETE", "/webhooks/{id}|/webhooks/9", Value::Null, ADMINS_ON_NOTHING),
        ("POST", "/webhooks/{id}/rotate|/webhooks/9/rotate", Value::Null, ADMINS_ON_NOTHING),
        ("POST", "/webhooks/{id}/test|/webhooks/9/test", Value::Null, ADMINS_ON_NOTHING),
        ("GET", "/hooks", Value::Null, ADMINS),
        ("POST", "/hooks", json!({ "name": "Pager", "purpose": "incidents" }), ADMINS),
        ("GET", "/hooks/{id}|/hooks/none", Value::Null, ADMINS_ON_NOTHING),
        ("DELETE", "/hooks/{id}|/hooks/none", Value::Null, ADMINS_ON_NOTHING),
        ("POST", "/hooks/{id}/rotate|/hooks/none/rotate", Value::Null, ADMINS_ON_NOTHING),
        ("GET", "/deliveries", Value::Null, ADMINS),
        ("POST", "/deliveries/retry", json!({}), ADMINS),
        ("GET", "/deliveries/{id}|/deliveries/999999", Value::Null, ADMINS_ON_NOTHING),
        ("POST", "/deliveries/{id}/retry|/deliveries/999999/retry", Value::Null, ADMINS_ON_NOTHING),
        ("POST", "/deliveries/{id}/let-go|/deliveries/999999/let-go", Value::Null, ADMINS_ON_NOTHING),
        ("GET", "/follow-ups", Value::Null, ANYBODY),
        ("POST", "/follow-ups", follow_up, MEMBERS),
        ("GET", "/follow-ups/{id}|/follow-ups/{follow_up}", Value::Null, ANYBODY),
        ("PATCH", "/follow-ups/{id}|/follow-ups/{follow_up}", json!({ "state": "done" }), AUTHOR_OR_SRE),
        ("GET", "/search|/search?q=ledger", Value::Null, ANYBODY),
        ("GET", "/events", Value::Null, ADMINS),
        ("GET", "/incidents", Value::Null, ANYBODY),
        ("POST", "/incidents", incident, MEMBERS),
        ("GET", "/incidents/{id}|/incidents/{incident}", Value::Null, ANYBODY),
        ("PATCH", "/incidents/{id}|/incidents/{incident}", json!({ "severity": 2 }), OWN_TEAM_OR_SRE),
        ("POST", "/incidents/{id}/void|/incidents/{incident}/void", json!({ "reason": "Twice." }), OWN_TEAM_OR_SRE),
        ("POST", "/incidents/{id}/restore|/incidents/{incident}/restore", Value::Null, OWN_TEAM_OR_SRE),
        ("GET", "/incidents/aggregate", Value::Null, ANYBODY),
        ("GET", "/incidents/types", Value::Null, ANYBODY),
        ("GET", "/incidents/types/{slug}|/incidents/types/data", Value::Null, ANYBODY),
        ("PUT", "/incidents/types/{slug}|/incidents/types/dns", json!({ "name": "DNS" }), LEADS),
        ("GET", "/incidents/service-names", Value::Null, ANYBODY),
        // Nobody has used this name: whoever may decide is told so.
        ("POST", "/incidents/service-names", word, "401 403 403 404 404 404 403"),
    ]
}

/// Names and values of a form.
type Fields = Vec<(&'static str, &'static str)>;

/// Path of the server function, form, cells.
fn forms() -> Vec<(&'static str, Fields, &'static str)> {
    const EVERYBODY: &str = "ok  ok  ok  ok  ok  ok  ok";
    let rfc = vec![("title", "T"), ("kind", "slo"), ("body", "B"), ("intent", "draft"), ("services", "")];
    let incident = vec![
        ("title", "T"),
        ("incident_type", "data"),
        ("severity", "3"),
        ("zone", "UTC"),
        ("started_at", "2026-11-01T10:00"),
    ];
    let service = vec![("name", "New"), ("tier", "3"), ("team", "core")];
    let edit = vec![("slug", "checkout"), ("version", "1"), ("name", "Checkout"), ("tier", "1"), ("team", "core")];
    let webhook = vec![("url", "https://hooks.example.com/in"), ("format", "slack"), ("nouns[]", "rfc")];
    let secret = vec![("secret", "none"), ("email", "x@example.com"), ("name", "X"), ("password", support::PASSWORD)];
    vec![
        ("account/sign-in", vec![("email", "nobody@example.com"), ("password", "wrong")], EVERYBODY),
        ("account/sign-out", vec![], EVERYBODY),
        ("account/set-theme", vec![("theme", "dark")], EVERYBODY),
        // Without the right secret there is nothing to accept, whoever asks.
        ("account/set-up", secret.clone(), "404 404 404 404 404 404 404"),
        ("account/accept-invitation", secret, "404 404 404 404 404 404 404"),
        ("account/edit", vec![("name", "Ada"), ("time_zone", "UTC")], ANYBODY),
        ("account/change-password", vec![("current_password", "x"), ("new_password", "y")], ANYBODY),
        ("account/end-other-sessions", vec![], ANYBODY),
        // Somebody else's session and token do not exist for them.
        ("account/end-session", vec![("session", "none")], "401 404 404 404 404 404 404"),
        ("account/create-token", vec![("name", "ci"), ("reach", "read"), ("days", "")], ANYBODY),
        ("account/revoke-token", vec![("token", "999")], "401 404 404 404 404 404 404"),
        ("account/edit-notices", vec![("version", "1"), ("quiet_from", ""), ("quiet_until", "")], ANYBODY),
        ("inbox/change", vec![("item", "999"), ("to", "done"), ("seen", "")], NOBODYS),
        ("inbox/read-all", vec![("seen", "")], ANYBODY),
        ("people/invite", vec![("email", "new@example.com"), ("role", "member"), ("team", "")], ADMINS),
        ("people/withdraw-invitation", vec![("invitation", "999")], "401 403 403 403 403 404 403"),
        ("people/change-role", vec![("email", "other@example.com"), ("role", "sre")], ADMINS),
        ("people/disable", vec![("email", "other@example.com")], ADMINS),
        ("people/enable", vec![("email", "other@example.com")], ADMINS),
        ("people/end-sessions", vec![("email", "other@example.com")], ADMINS),
        ("people/create-team", vec![("name", "New"), ("slug", "new")], ADMINS),
        ("people/edit-team", vec![("slug", "core"), ("version", "1"), ("name", "C"), ("members", "")], ADMINS),
        ("services/create", service, OWN_TEAM_OR_SRE),
        ("services/edit", edit, OWN_TEAM_OR_SRE),
        ("services/rename", vec![("slug", "checkout"), ("new_slug", "checkout")], OWN_TEAM_OR_SRE),
        ("services/archive", vec![("slug", "checkout")], OWN_TEAM_OR_SRE),
        ("services/unarchive", vec![("slug", "checkout")], OWN_TEAM_OR_SRE),
        ("imports/paste-catalog", vec![("content", "services: []"), ("tier", "3")], ADMINS),
        ("imports/apply", vec![("import", "{import}"), ("version", "2")], ADMINS),
        ("imports/cancel", vec![("import", "{import}")], ADMINS),
        ("imports/discard", vec![("import", "{import}")], ADMINS),
        ("imports/read-incidents", vec![("import", "{import}"), ("version", "2"), ("columns[0]", "title")], ADMINS),
        ("admin/create-webhook", [vec![("name", "Chat")], webhook.clone()].concat(), ADMINS),
        (
            "admin/edit-webhook",
            [vec![("webhook", "9"), ("version", "1"), ("name", "C")], webhook].concat(),
            ADMINS_ON_NOTHING,
        ),
        ("admin/switch-webhook", vec![("webhook", "9"), ("active", "false")], ADMINS_ON_NOTHING),
        ("admin/delete-webhook", vec![("webhook", "9"), ("version", "1")], ADMINS_ON_NOTHING),
        ("admin/rotate-webhook", vec![("webhook", "9")], ADMINS_ON_NOTHING),
        ("admin/test-webhook", vec![("webhook", "9")], ADMINS_ON_NOTHING),
        ("admin/create-hook", vec![("name", "Pager"), ("purpose", "incidents")], ADMINS),
        ("admin/rotate-hook", vec![("hook", "none")], ADMINS_ON_NOTHING),
        ("admin/revoke-hook", vec![("hook", "none")], ADMINS_ON_NOTHING),
        ("admin/retry-delivery", vec![("delivery", "999999")], ADMINS_ON_NOTHING),
        ("admin/let-go-delivery", vec![("delivery", "999999")], ADMINS_ON_NOTHING),
        ("admin/retry-dead", vec![("kind", "mail")], ADMINS),
        ("rfcs/create", rfc, MEMBERS),
        (
            "rfcs/revise",
            vec![("number", "{rfc}"), ("base_revision", "1"), ("body", "Two."), ("intent", "publish")],
            AUTHOR_OR_LEAD,
        ),
        (
            "rfcs/update",
            vec![
                ("number", "{rfc}"),
                ("version", "1"),
                ("title", "T"),
                ("kind", "slo"),
                ("authors", "author@example.com"),
            ],
            AUTHOR_OR_LEAD,
        ),
        ("rfcs/status", vec![("number", "{rfc}"), ("to", "withdrawn")], AUTHOR_OR_LEAD),
        ("rfcs/delete", vec![("number", "{draft}"), ("version", "1")], HIDDEN),
        ("rfcs/preview", vec![("body", "*x*")], MEMBERS),
        (
            "rfcs/open-thread",
            vec![
                ("number", "{rfc}"),
                ("revision", "1"),
                ("start", "0"),
                ("end", "2"),
                ("severity", "note"),
                ("body", "?"),
            ],
            MEMBERS,
        ),
        ("rfcs/reply", vec![("thread", "{thread}"), ("body", "Because.")], MEMBERS),
        ("rfcs/resolve", vec![("thread", "{thread}")], AUTHOR_OR_SRE),
        ("rfcs/reopen", vec![("thread", "{thread}")], AUTHOR_OR_SRE),
        ("rfcs/edit-comment", vec![("comment", "{comment}"), ("version", "1"), ("body", "New.")], AUTHOR_ONLY),
        ("rfcs/delete-comment", vec![("comment", "{comment}"), ("version", "1")], AUTHOR_ONLY),
        (
            "follow-ups/create",
            vec![("title", "T"), ("owner", "author@example.com"), ("due", "2026-12-01"), ("incident", "")],
            MEMBERS,
        ),
        ("follow-ups/finish", vec![("follow_up", "{follow_up}"), ("note", "")], AUTHOR_OR_SRE),
        ("follow-ups/drop", vec![("follow_up", "{follow_up}"), ("note", "Why")], AUTHOR_OR_SRE),
        ("follow-ups/reopen", vec![("follow_up", "{follow_up}")], AUTHOR_OR_SRE),
        (
            "follow-ups/hand-on",
            vec![("follow_up", "{follow_up}"), ("version", "1"), ("owner", "author@example.com")],
            AUTHOR_OR_SRE,
        ),
        ("follow-ups/move", vec![("follow_up", "{follow_up}"), ("version", "1"), ("due", "2026-12-01")], AUTHOR_OR_SRE),
        (
            "follow-ups/edit",
            vec![("follow_up", "{follow_up}"), ("version", "1"), ("title", "T"), ("incident", "")],
            AUTHOR_OR_SRE,
        ),
        ("incidents/record", incident.clone(), MEMBERS),
        ("incidents/change", [vec![("id", "{incident}"), ("version", "1")], incident].concat(), AUTHOR_OR_SRE),
        ("incidents/void", vec![("id", "{incident}"), ("reason", "Twice.")], AUTHOR_OR_SRE),
        ("incidents/restore", vec![("id", "{incident}")], AUTHOR_OR_SRE),
        ("incidents/add-type", vec![("name", "Tide"), ("slug", "")], LEADS),
        ("incidents/edit-type", vec![("slug", "deploy"), ("version", "1"), ("name", "Roll-out")], LEADS),
        // Nobody used such a name.
        ("incidents/map-service", vec![("name", "none"), ("service", "checkout")], "401 403 403 404 404 404 403"),
        (
            "rfcs/reattach",
            vec![("number", "{rfc}"), ("thread", "{thread}"), ("revision", "1"), ("range", "0-2")],
            MEMBERS,
        ),
    ]
}

/// Address in the table of pages, path to open, cells.
fn pages() -> Vec<(&'static str, &'static str, &'static str)> {
    const ALL: &str = "in  ok  ok  ok  ok  ok  ok";
    const ADMINS_IN: &str = "in  403 403 403 403 ok  403";
    vec![
        ("/", "/", ALL),
        ("/sign-in", "/sign-in", "ok  ok  ok  ok  ok  ok  ok"),
        ("/setup/:secret", "/setup/none", "404 404 404 404 404 404 404"),
        ("/invitations/:secret", "/invitations/none", "404 404 404 404 404 404 404"),
        ("/rfcs", "/rfcs", ALL),
        ("/rfcs/new", "/rfcs/new", "in  403 ok  ok  ok  ok  ok"),
        ("/rfcs/:number", "/rfcs/{rfc}", ALL),
        ("/rfcs/:number", "/rfcs/{draft}", "in  404 404 404 404 404 ok"),
        ("/rfcs/:number/edit", "/rfcs/{rfc}/edit", "in  403 403 403 ok  ok  ok"),
        ("/rfcs/:number/edit", "/rfcs/{draft}/edit", "in  404 404 404 404 404 ok"),
        ("/services", "/services", ALL),
        ("/services/new", "/services/new", "in  403 ok  ok  ok  ok  ok"),
        ("/services/:slug", "/services/checkout", ALL),
        ("/services/:slug/edit", "/services/checkout/edit", "in  403 403 ok  ok  ok  ok"),
        ("/incidents", "/incidents", ALL),
        ("/incidents/new", "/incidents/new", "in  403 ok  ok  ok  ok  ok"),
        ("/incidents/types", "/incidents/types", ALL),
        ("/incidents/unknown-services", "/incidents/unknown-services", ALL),
        ("/incidents/:id", "/incidents/{incident}", ALL),
        ("/incidents/:id/edit", "/incidents/{incident}/edit", "in  403 403 ok  ok  ok  ok"),
        ("/follow-ups", "/follow-ups", ALL),
        ("/follow-ups/new", "/follow-ups/new", "in  403 ok  ok  ok  ok  ok"),
        ("/follow-ups/:id", "/follow-ups/{follow_up}", ALL),
        ("/people", "/people", ALL),
        ("/people/:email", "/people/other@example.com", ALL),
        ("/teams", "/teams", ALL),
        ("/teams/:slug", "/teams/core", ALL),
        ("/account", "/account", ALL),
        ("/account/notices", "/account/notices", ALL),
        ("/unsubscribe/:token", "/unsubscribe/none", "404 404 404 404 404 404 404"),
        ("/inbox", "/inbox", ALL),
        ("/inbox/:item", "/inbox/999", "in  404 404 404 404 404 404"),
        ("/admin/imports", "/admin/imports", "in  403 403 403 403 ok  403"),
        ("/admin/imports/new", "/admin/imports/new", "in  403 403 403 403 ok  403"),
        ("/admin/imports/:id", "/admin/imports/{import}", "in  403 403 403 403 ok  403"),
        ("/search", "/search?q=ledger", ALL),
        ("/activity", "/activity?kind=rfc&key={rfc}", ALL),
        ("/admin/audit", "/admin/audit", "in  403 403 403 403 ok  403"),
        ("/admin/audit.csv", "/admin/audit.csv", "in  403 403 403 403 ok  403"),
        ("/admin", "/admin", ADMINS_IN),
        ("/admin/webhooks", "/admin/webhooks", ADMINS_IN),
        ("/admin/webhooks/new", "/admin/webhooks/new", ADMINS_IN),
        ("/admin/webhooks/:id", "/admin/webhooks/9", "in  403 403 403 403 404 403"),
        ("/admin/outbox", "/admin/outbox", ADMINS_IN),
        ("/admin/outbox/:id", "/admin/outbox/999999", "in  403 403 403 403 404 403"),
    ]
}

/// What the policy said, in the words of the cells.
fn cell(status: StatusCode, sign_in: bool) -> String {
    match status.as_u16() {
        _ if sign_in => "in".into(),
        status @ (401 | 403 | 404) => status.to_string(),
        status if status >= 500 => format!("broken:{status}"),
        _ => "ok".into(),
    }
}

fn compare(wrong: &mut Vec<String>, row: &str, expected: &str, found: &[String]) {
    let expected: Vec<_> = expected.split_whitespace().collect();
    assert_eq!(expected.len(), 7, "{row}: seven cells");
    if expected != found {
        wrong.push(format!("{row}\n  expected {}\n  found    {}", expected.join(" "), found.join(" ")));
    }
}

#[tokio::test]
async fn every_rest_call_lets_through_whom_the_contract_names() {
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for (method, path, body, expected) in calls() {
        let (template, path) = path.split_once('|').unwrap_or((path, path));
        listed.insert(format!("{method} {template}"));
        let world = World::new().await;
        let path = world.fill(path);
        let mut found = Vec::new();
        for who in &world.people {
            let answer = world.app.call(who.as_ref(), method, &path, body.clone()).await;
            found.push(cell(answer.status, false));
        }
        compare(&mut wrong, &format!("{method} {path}"), expected, &found);
    }
    let document = serde_json::to_value(server::api::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| key.parse::<Method>().is_ok()) {
            let call = format!("{} {path}", method.to_uppercase());
            if !listed.contains(&call) && !["PARAMETERS", "SUMMARY"].contains(&method.to_uppercase().as_str()) {
                wrong.push(format!("{call} is not in the matrix"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_server_function_lets_through_whom_the_contract_names() {
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for (function, fields, expected) in forms() {
        let path = format!("/do/{function}");
        listed.insert(path.clone());
        let world = World::new().await;
        let filled: Vec<_> = fields.iter().map(|(name, value)| (*name, world.fill(value))).collect();
        let fields: Vec<_> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut found = Vec::new();
        for who in &world.people {
            let answer = world.app.form(who.as_ref(), "/rfcs", &path, &fields).await;
            found.push(cell(answer.status, false));
        }
        compare(&mut wrong, &path, expected, &found);
    }
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        if method != Method::POST {
            wrong.push(format!("{method} {path}: server functions change things and so are POST"));
        }
        if !listed.contains(path) {
            wrong.push(format!("{path} is not in the matrix"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_page_opens_for_whom_the_contract_names() {
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    let world = World::new().await;
    for (template, path, expected) in pages() {
        listed.insert(template.to_owned());
        let path = world.fill(path);
        let mut found = Vec::new();
        for who in &world.people {
            let answer = world.app.page(who.as_ref(), &path).await;
            // Whoever is signed in is led on from the sign-in page.
            let sign_in = answer.status.is_redirection() && answer.header("location").starts_with("/sign-in");
            found.push(cell(answer.status, sign_in));
        }
        compare(&mut wrong, &path, expected, &found);
    }
    for route in leptos_axum::generate_route_list(app::routes::Pages) {
        let path = route.path().replace('{', ":").replace('}', "");
        if !listed.contains(&path) {
            wrong.push(format!("{path} is not in the matrix"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn live_pages_listen_to_what_they_may_read() {
    let rows = [
        ("inbox", ANYBODY),
        ("rfc:{rfc}", ANYBODY),
        ("rfc:{draft}", HIDDEN),
        ("inbox,rfc:{draft}", HIDDEN),
        ("rfc:99", "401 404 404 404 404 404 404"),
    ];
    let world = World::new().await;
    let mut wrong = Vec::new();
    for (topics, expected) in rows {
        let path = format!("/live?topics={}", world.fill(topics));
        let mut found = Vec::new();
        for who in &world.people {
            found.push(cell(world.app.open(who.as_ref(), &path, &[]).await.status(), false));
        }
        compare(&mut wrong, &path, expected, &found);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.app.stopping.cancel();
}
