//! Forms through the whole router: what comes back when one is refused, and what a page says when it was not.

use axum::http::StatusCode;
use backend::accounts::invitations::{self, NewInvitation};
use backend::rfcs::read;
use domain::Role;
use domain::rfc::Status;

use crate::support::{Answer, PASSWORD, Persona, TestApp};

const CREATE: &str = "/do/rfcs/create";
const REVISE: &str = "/do/rfcs/revise";

/// Saves an RFC as the form of the page for new ones does; answers where it leads.
async fn save(app: &TestApp, who: &Persona, intent: &str, once: &str) -> String {
    let fields =
        [("title", "Tides"), ("kind", "architecture"), ("body", "High and low.\n"), ("intent", intent), ("once", once)];
    let answer = app.form(Some(who), "/rfcs/new", CREATE, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.header("location").to_owned()
}

/// Sends the form for the next revision of the RFC 1.
async fn revise(app: &TestApp, who: &Persona, base: &str, body: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [("number", "1"), ("base_revision", base), ("body", body)];
    let fields: Vec<_> = fields.into_iter().chain(more.iter().copied()).collect();
    app.form(Some(who), "/rfcs/1/edit", REVISE, &fields).await
}

#[tokio::test]
async fn impatience_on_the_page_for_new_rfcs_makes_one() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    assert_eq!(save(&app, &author, "save", "a").await, "/rfcs/1?done=draft_created");
    assert_eq!(save(&app, &author, "publish", "a").await, "/rfcs/1?done=created_and_published");
    assert_eq!(save(&app, &author, "publish", "a").await, "/rfcs/1?done=created_and_published");
    let rfc = read::read(&app.backend, &author.actor, 1, None).await.unwrap();
    assert_eq!(rfc.status, Status::InReview);
    assert_eq!(save(&app, &author, "save", "b").await, "/rfcs/2?done=draft_created", "another showing of the form");
}

#[tokio::test]
async fn every_way_of_saving_says_what_it_did() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    save(&app, &author, "save", "a").await;
    let saved = revise(&app, &author, "1", "Higher.\n", &[("intent", "save")]).await;
    assert_eq!(saved.header("location"), "/rfcs/1?done=draft_saved");
    let published = revise(&app, &author, "2", "Highest.\n", &[("intent", "publish")]).await;
    assert_eq!(published.header("location"), "/rfcs/1?done=saved_and_published");
    let revised = revise(&app, &author, "3", "Low.\n", &[("intent", "save")]).await;
    assert_eq!(revised.header("location"), "/rfcs/1?done=revised");
    let page = app.page(Some(&author), "/rfcs/1?done=revised").await;
    assert!(page.body.contains("The new revision is published"), "{}", page.body);
}

#[tokio::test]
async fn a_revision_without_a_change_is_refused_beside_the_text() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    save(&app, &author, "save", "a").await;
    let same = "High and low.\r\n";
    let refused = revise(&app, &author, "1", same, &[("intent", "save")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Nothing has changed since revision 1."), "{}", refused.body);
    let published = revise(&app, &author, "1", same, &[("intent", "publish")]).await;
    assert_eq!(published.header("location"), "/rfcs/1?done=saved_and_published", "a draft is ready as it is");
    let rfc = read::read(&app.backend, &author.actor, 1, None).await.unwrap();
    assert_eq!((rfc.status, rfc.newest_revision), (Status::InReview, 1));
    for _ in 0..2 {
        let twice = revise(&app, &author, "1", "Lower.\n", &[("intent", "save"), ("once", "x")]).await;
        assert_eq!(twice.header("location"), "/rfcs/1?done=revised");
    }
}

#[tokio::test]
async fn a_refused_form_does_not_say_that_something_was_done() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    save(&app, &author, "publish", "a").await;
    let fields = [("number", "1"), ("revision", "1"), ("severity", "note"), ("body", " "), ("form", "whole")];
    let on = "/rfcs/1?revision=1&done=revised";
    let refused = app.form(Some(&author), on, "/do/rfcs/open-thread", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.body.contains("is published, and"), "{}", refused.body);
    assert!(!refused.body.contains("done="), "neither do the ways on from there");
    let page = app.page(Some(&author), on).await;
    assert!(page.body.contains("is published, and"), "{}", page.body);
    assert!(page.body.contains(r#"name="next" value="/rfcs/1?revision=1""#), "other colours do not say it again");
}

#[tokio::test]
async fn what_somebody_else_changed_is_never_overwritten_by_pressing_twice() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    save(&app, &author, "save", "a").await;
    let email = author.actor.email.clone();
    let change = |version: &'static str, title: &'static str| {
        let fields =
            [("number", "1"), ("version", version), ("title", title), ("kind", "architecture"), ("authors", &email)];
        let fields = fields.map(|(name, value)| (name, value.to_owned()));
        let (app, author) = (&app, &author);
        async move {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            app.form(Some(author), "/rfcs/1/edit?part=details", "/do/rfcs/update", &fields).await
        }
    };
    assert_eq!(change("1", "Tides, by somebody quicker").await.status, StatusCode::SEE_OTHER);
    let refused = change("1", "Tides, by somebody slower").await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert!(refused.body.contains(r#"name="version" value="1""#), "it stays refused: {}", refused.body);
    assert!(refused.body.contains("Tides, by somebody slower"));
    assert!(refused.body.contains(r#"href="/rfcs/1/edit?part=details" target="_blank""#), "{}", refused.body);
}

#[tokio::test]
async fn whom_a_draft_is_shared_with_is_changed_by_the_form_that_asks_for_it_only() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    let friend = app.person("Friend", Role::Reader, None).await;
    save(&app, &author, "save", "a").await;
    let said = [
        (&[("draft", "true"), ("shared_with", friend.actor.email.as_str())][..], 1),
        (&[][..], 1),
        (&[("draft", "true"), ("shared_with", "")][..], 0),
    ];
    for (version, (more, shared)) in ["1", "2", "3"].into_iter().zip(said) {
        let own = [("number", "1"), ("version", version), ("title", "Tides"), ("kind", "architecture")];
        let authors = [("authors", author.actor.email.as_str())];
        let fields = [&own[..], &authors, more].concat();
        let answer = app.form(Some(&author), "/rfcs/1/edit?part=details", "/do/rfcs/update", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let rfc = read::read(&app.backend, &author.actor, 1, None).await.unwrap();
        assert_eq!(rfc.shared_with.len(), shared, "{more:?}");
    }
}

#[tokio::test]
async fn a_session_that_ended_while_writing_loses_no_text() {
    let app = TestApp::new().await;
    let fields = [("number", "1"), ("base_revision", "1"), ("body", "Written for an hour."), ("intent", "save")];
    let answer = app.form(None, "/rfcs/1/edit?done=draft_saved", REVISE, &fields).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("readonly>Written for an hour.</textarea>"), "{}", answer.body);
    assert!(answer.body.contains(r#"href="/sign-in?next=%2Frfcs%2F1%2Fedit"#), "{}", answer.body);
    assert!(!answer.body.contains(">save<"), "{}", answer.body);
}

#[tokio::test]
async fn a_busy_database_gives_the_text_back() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    app.backend.pool().close().await;
    let fields = [("number", "1"), ("base_revision", "1"), ("body", "Written for an hour."), ("intent", "save")];
    let answer = app.form(Some(&author), "/rfcs/1/edit", REVISE, &fields).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "2");
    assert!(answer.body.contains("readonly>Written for an hour.</textarea>"), "{}", answer.body);
    let page = app.page(Some(&author), "/rfcs/1").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.body.contains("<h1>One moment</h1>"), "{}", page.body);
}

#[tokio::test]
async fn joining_twice_leads_to_the_sign_in_page() {
    let app = TestApp::new().await;
    let admin = app.person("Admin", Role::Admin, None).await;
    let invited = NewInvitation { email: "ines@example.com".into(), role: Role::Member, team: None };
    let secret = invitations::create(&app.backend, &admin.actor, invited).await.unwrap();
    let on = format!("/invitations/{secret}");
    let join = |password: &'static str| {
        let fields = [("secret", secret.clone()), ("name", "Ines".into()), ("password", password.into())];
        let (app, on) = (&app, &on);
        async move {
            let fields: Vec<_> = fields.iter().map(|(name, value): &(&str, String)| (*name, value.as_str())).collect();
            app.form(None, on, "/do/account/accept-invitation", &fields).await
        }
    };
    let refused = join("short").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(join(PASSWORD).await.header("location"), "/?done=joined");
    assert_eq!(join(PASSWORD).await.header("location"), "/sign-in?done=joined_already");
}

#[tokio::test]
async fn a_text_written_on_an_older_revision_says_so_until_it_is_published() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    save(&app, &author, "publish", "a").await;
    revise(&app, &author, "1", "Somebody was quicker.\n", &[("intent", "save")]).await;
    let behind = "Your text was written on revision 1; meanwhile revision 2 was published.";
    let refused = revise(&app, &author, "1", "Mine.\n", &[("written_on", "1"), ("intent", "save")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    for intent in ["preview", "save"] {
        // The page's own hidden fields; the second time it is refused for another reason.
        let body = if intent == "preview" { "Mine.\n" } else { " " };
        let shown = revise(&app, &author, "2", body, &[("written_on", "1"), ("intent", intent)]).await;
        assert!(shown.body.contains(behind), "{intent}: {}", shown.body);
        assert!(shown.body.contains("Somebody was quicker."), "{intent}");
    }
    let published = revise(&app, &author, "2", "Mine.\n", &[("written_on", "1"), ("intent", "save")]).await;
    assert_eq!(published.header("location"), "/rfcs/1?done=revised");
}

#[tokio::test]
async fn a_refused_comment_stays_on_the_revision_it_was_selected_in() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    save(&app, &author, "publish", "a").await;
    revise(&app, &author, "1", "Nothing of the kind.\n", &[("intent", "save")]).await;
    let range = [("number", "1"), ("revision", "1"), ("start", "0"), ("end", "4")];
    let fields: Vec<_> = range.into_iter().chain([("severity", "note"), ("body", " "), ("form", "text")]).collect();
    let refused = app.form(Some(&author), "/rfcs/1", "/do/rfcs/open-thread", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("This is revision 1 of 2."), "{}", refused.body);
    assert!(refused.body.contains(r#"name="revision" value="1""#), "{}", refused.body);
    assert!(!refused.body.contains(r#"name="revision" value="2""#), "{}", refused.body);
}

#[tokio::test]
async fn a_browser_forgets_a_kept_text_only_after_the_form_it_was_written_in() {
    let app = TestApp::new().await;
    let author = app.person("Author", Role::Member, None).await;
    save(&app, &author, "save", "a").await;
    let id = author.actor.id;
    for (done, kept) in [
        ("?done=draft_created", Some(format!("{id}:new"))),
        ("?done=draft_saved", Some(format!("{id}:rfc-1"))),
        ("?done=published", None),
        ("", None),
    ] {
        let page = app.page(Some(&author), &format!("/rfcs/1{done}")).await;
        assert_eq!(page.body.contains("data-kept="), kept.is_some(), "{done}");
        assert!(kept.is_none_or(|kept| page.body.contains(&format!("data-kept=\"{kept}\""))), "{done}");
    }
}
