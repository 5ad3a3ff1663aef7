//! Services on a real database.

use domain::{Actor, Refusal, Role};

use super::{Filter, Found, Link, Service, ServiceInput, archive, get, list, options, put, rename, unarchive};
use crate::testing::{self, TestBackend, person};
use crate::{Backend, Error, Expected, PageRequest};

fn refusal<T: std::fmt::Debug>(result: crate::Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn input(team: Option<&str>, depends_on: &[&str]) -> ServiceInput {
    ServiceInput {
        name: "Checkout".into(),
        tier: 1,
        team: team.map(str::to_owned),
        description: "Takes the order and the money.".into(),
        depends_on: depends_on.iter().map(|&slug| slug.into()).collect(),
        links: vec![Link { title: "Runbook".into(), url: "https://wiki.example.com/checkout".into() }],
        labels: vec!["pci".into(), "customer-facing".into(), "pci".into()],
    }
}

async fn here(backend: &Backend, actor: &Actor, slug: &str) -> Service {
    match get(backend, actor, slug).await.unwrap() {
        Found::Here(service) => *service,
        Found::Moved { to } => panic!("moved to {to}"),
    }
}

async fn verbs(test: &TestBackend) -> Vec<String> {
    sqlx::query_scalar!("select verb from events order by id").fetch_all(test.pool()).await.unwrap()
}

#[tokio::test]
async fn a_put_creates_then_changes_what_was_seen_and_nothing_twice() {
    let test = testing::backend().await;
    let sre = person(&test, "Sam", Role::Sre, Some("platform")).await;
    let create = async |slug, depends_on: &[&str]| {
        put(&test, &sre, slug, Expected::Unstated, input(Some("platform"), depends_on)).await
    };
    create("ledger", &[]).await.unwrap();
    let (checkout, created) = create("checkout", &["ledger", "ledger"]).await.unwrap();
    assert!(created);
    assert_eq!(checkout, here(&test, &sre, "checkout").await);
    assert_eq!(checkout.depends_on.iter().map(|other| other.slug.as_str()).collect::<Vec<_>>(), ["ledger"]);
    assert_eq!(here(&test, &sre, "ledger").await.depended_on_by[0].slug, "checkout");
    assert_eq!(checkout.labels, ["pci", "customer-facing"]);
    assert_eq!(refusal(create("checkout", &[]).await), Refusal::VersionNeeded { newest: 1 });
    let taken = put(&test, &sre, "checkout", Expected::Absent, input(None, &[])).await;
    assert!(refusal(taken).message_for("slug").is_some());

    let same = put(&test, &sre, "checkout", Expected::Version(1), input(Some("platform"), &["ledger"])).await.unwrap();
    assert_eq!(same, (checkout, false));
    let other = ServiceInput { tier: 2, links: Vec::new(), ..input(None, &[]) };
    let (changed, _) = put(&test, &sre, "checkout", Expected::Version(1), other.clone()).await.unwrap();
    assert_eq!((changed.version, changed.team, changed.depends_on.len(), changed.links.len()), (2, None, 0, 0));
    let stale = refusal(put(&test, &sre, "checkout", Expected::Version(1), other).await);
    assert_eq!(stale, Refusal::Stale { sent: 1, newest: 2 });
    assert_eq!(verbs(&test).await, ["service.created", "service.created", "service.changed"]);
    let event = sqlx::query!("select before, after from events order by id desc limit 1").fetch_one(test.pool()).await;
    let event = event.unwrap();
    assert_eq!(event.before.unwrap()["depends_on"], serde_json::json!(["ledger"]));
    assert_eq!(event.after.unwrap()["tier"], 2);
}

#[tokio::test]
async fn a_service_may_need_itself() {
    let test = testing::backend().await;
    let sre = person(&test, "Sam", Role::Sre, None).await;
    let own = input(None, &["storage"]);
    let (made, created) = put(&test, &sre, "storage", Expected::Absent, own.clone()).await.unwrap();
    assert!(created);
    assert_eq!(made.depends_on.iter().map(|service| service.slug.as_str()).collect::<Vec<_>>(), ["storage"]);
    let (again, _) = put(&test, &sre, "storage", Expected::Version(1), own).await.unwrap();
    assert_eq!(again.version, 1, "nothing changed");
}

#[tokio::test]
async fn what_is_wrong_is_said_by_field_and_nothing_is_written() {
    let test = testing::backend().await;
    let sre = person(&test, "Sam", Role::Sre, None).await;
    let bad = ServiceInput {
        name: " ".into(),
        tier: 4,
        team: Some("nobody".into()),
        description: "x".repeat(4001),
        depends_on: vec!["a".into(); 201],
        links: vec![Link { title: "x".into(), url: "javascript:alert(1)".into() }],
        labels: vec!["a\nb".into()],
    };
    let refused = refusal(put(&test, &sre, "checkout", Expected::Unstated, bad).await);
    for field in ["name", "tier", "description", "depends_on", "links", "labels"] {
        assert!(refused.message_for(field).is_some(), "{field}: {refused:?}");
    }
    let refused = put(&test, &sre, "checkout", Expected::Unstated, input(Some("x"), &["a", "checkout", "b\0"])).await;
    let refused = refusal(refused);
    assert_eq!(refused.message_for("team").unwrap(), "There is no team called \"x\".");
    assert_eq!(refused.message_for("depends_on").unwrap(), "There is no service called a, b\0.");
    for slug in ["", "Check", "-a", "a_b", &"a".repeat(81)] {
        let refused = refusal(put(&test, &sre, slug, Expected::Unstated, input(None, &[])).await);
        assert!(refused.message_for("slug").is_some(), "{slug}");
        assert_eq!(refusal(get(&test, &sre, slug).await).status(), 404);
    }
    assert!(verbs(&test).await.is_empty());
    let markup = ServiceInput { name: "<script>alert(1)</script> 🧊 שלום".into(), ..input(None, &[]) };
    let (kept, _) = put(&test, &sre, "text", Expected::Unstated, markup.clone()).await.unwrap();
    assert_eq!(kept.name, markup.name);
}

#[tokio::test]
async fn members_edit_the_services_of_their_teams() {
    let test = testing::backend().await;
    let member = person(&test, "Mel", Role::Member, Some("payments")).await;
    let alone = person(&test, "Al", Role::Member, None).await;
    let onlooker = person(&test, "Rea", Role::Reader, Some("payments")).await;
    let sre = person(&test, "Sam", Role::Sre, Some("platform")).await;
    let status =
        async |actor: &Actor, slug: &str, expected, team| match put(&test, actor, slug, expected, input(team, &[]))
            .await
        {
            Ok(_) => 200,
            Err(Error::Refused(refusal)) => refusal.status(),
            Err(Error::Internal(error)) => panic!("{error}"),
        };
    for actor in [&onlooker, &alone] {
        assert_eq!(status(actor, "checkout", Expected::Unstated, Some("nonsense")).await, 403);
        assert_eq!(status(actor, "checkout", Expected::Unstated, Some("payments")).await, 403);
    }
    assert_eq!(status(&member, "checkout", Expected::Unstated, None).await, 403);
    assert_eq!(status(&member, "checkout", Expected::Unstated, Some("payments")).await, 200);
    assert_eq!(status(&sre, "search", Expected::Unstated, Some("platform")).await, 200);
    // Neither takes over another team's service nor gives their own away.
    assert_eq!(status(&member, "search", Expected::Version(1), Some("payments")).await, 403);
    assert_eq!(status(&member, "checkout", Expected::Version(1), Some("platform")).await, 403);
    assert_eq!(refusal(archive(&test, &member, "search").await).status(), 403);
    assert_eq!(refusal(rename(&test, &member, "search", "find").await).status(), 403);
    assert_eq!(refusal(archive(&test, &alone, "checkout").await).status(), 403);
    archive(&test, &member, "checkout").await.unwrap();
}

#[tokio::test]
async fn a_renamed_service_is_found_at_every_address_it_had() {
    let test = testing::backend().await;
    let sre = person(&test, "Sam", Role::Sre, None).await;
    for slug in ["checkout", "search"] {
        put(&test, &sre, slug, Expected::Unstated, input(None, &[])).await.unwrap();
    }
    rename(&test, &sre, "checkout", "orders").await.unwrap();
    let renamed = rename(&test, &sre, "orders", "order-desk").await.unwrap();
    assert_eq!((renamed.slug.as_str(), renamed.version), ("order-desk", 3));
    for former in ["checkout", "orders"] {
        assert_eq!(get(&test, &sre, former).await.unwrap(), Found::Moved { to: "order-desk".into() });
        let refused = refusal(put(&test, &sre, former, Expected::Unstated, input(None, &[])).await);
        assert!(refused.status() == 409 && refused.to_string().contains("order-desk"), "{refused}");
        assert_eq!(refusal(rename(&test, &sre, "search", former).await).status(), 409);
    }
    assert!(refusal(rename(&test, &sre, "search", "order-desk").await).message_for("slug").is_some());
    assert!(refusal(rename(&test, &sre, "search", "No!").await).message_for("slug").is_some());
    // A former address still names the service where others depend on it.
    let (search, _) = put(&test, &sre, "search", Expected::Version(1), input(None, &["checkout"])).await.unwrap();
    assert_eq!(search.depends_on[0].slug, "order-desk");
    let back = rename(&test, &sre, "order-desk", "checkout").await.unwrap();
    assert_eq!(back.slug, "checkout");
    assert_eq!(here(&test, &sre, "checkout").await, back);
    assert_eq!(get(&test, &sre, "order-desk").await.unwrap(), Found::Moved { to: "checkout".into() });
    assert_eq!(rename(&test, &sre, "checkout", "checkout").await.unwrap(), back);
    assert_eq!(refusal(rename(&test, &sre, "gone", "x").await).status(), 404);
}

#[tokio::test]
async fn one_address_never_means_two_services() {
    let test = testing::backend().await;
    let sre = person(&test, "Sam", Role::Sre, None).await;
    put(&test, &sre, "checkout", Expected::Unstated, input(None, &[])).await.unwrap();
    let (created, renamed) = tokio::join!(
        put(&test, &sre, "orders", Expected::Unstated, input(None, &[])),
        rename(&test, &sre, "checkout", "orders")
    );
    assert!(created.is_ok() != renamed.is_ok());
    let (one, two) = tokio::join!(
        put(&test, &sre, "twice", Expected::Unstated, input(None, &[])),
        put(&test, &sre, "twice", Expected::Unstated, input(None, &[]))
    );
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(refusal(lost), Refusal::VersionNeeded { newest: 1 });
    // Two services that begin to need each other at the same moment do not wait for each other crosswise.
    put(&test, &sre, "other", Expected::Unstated, input(None, &[])).await.unwrap();
    let (one, two) = tokio::join!(
        put(&test, &sre, "twice", Expected::Version(1), input(None, &["other"])),
        put(&test, &sre, "other", Expected::Version(1), input(None, &["twice"]))
    );
    assert!(one.is_ok() && two.is_ok());
}

#[tokio::test]
async fn archived_services_leave_lists_and_come_back() {
    let test = testing::backend().await;
    let sre = person(&test, "Sam", Role::Sre, Some("platform")).await;
    for (slug, team, tier) in [("a", Some("platform"), 1), ("b", Some("platform"), 2), ("c", None, 2)] {
        let service = ServiceInput { tier, name: format!("100% {slug}"), ..input(team, &[]) };
        put(&test, &sre, slug, Expected::Absent, service).await.unwrap();
    }
    let slugs = async |filter: Filter, page: PageRequest| {
        let page = list(&test, &sre, &filter, &page).await.unwrap();
        (page.items.into_iter().map(|service| service.slug).collect::<String>(), page.next_cursor)
    };
    let all = async |filter: Filter| slugs(filter, PageRequest::default()).await.0;
    let first = slugs(Filter::default(), PageRequest { limit: Some(2), cursor: None }).await;
    assert_eq!(first.0, "ab");
    assert_eq!(slugs(Filter::default(), PageRequest { limit: Some(2), cursor: first.1 }).await, ("c".into(), None));
    assert_eq!(all(Filter { tier: Some(domain::service::Tier::Important), ..Filter::default() }).await, "bc");
    assert_eq!(all(Filter { team: Some("platform".into()), ..Filter::default() }).await, "ab");
    assert_eq!(all(Filter { q: Some("0% c".into()), ..Filter::default() }).await, "c");
    assert_eq!(all(Filter { q: Some("CUSTOMER-f".into()), ..Filter::default() }).await, "abc");

    let archived = archive(&test, &sre, "b").await.unwrap();
    assert_eq!(archived.archived_at, Some(test.now()));
    assert_eq!(archive(&test, &sre, "b").await.unwrap(), archived, "archiving again changes nothing");
    assert_eq!(all(Filter::default()).await, "ac");
    assert_eq!(all(Filter { archived: true, ..Filter::default() }).await, "b");
    let offered = options(&test, &sre).await.unwrap();
    assert_eq!(offered.services.iter().map(|service| service.slug.as_str()).collect::<String>(), "ac");
    assert_eq!(offered.teams[0].slug, "platform");
    assert_eq!(unarchive(&test, &sre, "b").await.unwrap().archived_at, None);
    assert_eq!(verbs(&test).await[3..], ["service.archived", "service.unarchived"]);
}

#[tokio::test]
async fn nobody_is_offered_an_owner_that_is_refused() {
    let test = testing::backend().await;
    let sre = person(&test, "Sam", Role::Sre, Some("platform")).await;
    let member = person(&test, "Mia", Role::Member, Some("web")).await;
    let slugs = |offered: &super::Options| offered.teams.iter().map(|team| team.slug.clone()).collect::<Vec<_>>();
    let offered = options(&test, &sre).await.unwrap();
    assert_eq!(
        (slugs(&offered), offered.own_team.as_deref(), offered.ownerless),
        (vec!["platform".into(), "web".into()], Some("platform"), true)
    );
    let offered = options(&test, &member).await.unwrap();
    assert_eq!(
        (slugs(&offered), offered.own_team.as_deref(), offered.ownerless),
        (vec!["web".into()], Some("web"), false)
    );
    put(&test, &sre, "checkout", Expected::Absent, input(Some("platform"), &[])).await.unwrap();
    assert!(super::check_edit(&test, &sre, "checkout").await.is_ok());
    assert_eq!(refusal(super::check_edit(&test, &member, "checkout").await).status(), 403);
}
