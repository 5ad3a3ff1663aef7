//! People, invitations and teams, and what every write keeps to.

use domain::{Actor, Refusal, Role};
use jiff_sqlx::ToSqlx as _;

use super::super::invitations::{self, Acceptance, NewInvitation};
use super::super::people::{self, NewPerson, PersonInput};
use super::super::teams::{self, TeamInput};
use super::super::{actor_of, tokens};
use super::{GOOD, new_token, refusal, verbs, with_password};
use crate::testing::{self, TestBackend, person};
use crate::{Backend, Expected, Once, PageRequest, entropy};

#[tokio::test]
async fn there_is_always_an_admin() {
    let backend = testing::backend().await;
    let operator = Actor::operator();
    let with_password = async |email| {
        let id = with_password(&backend, email, Role::Admin).await;
        actor_of(&backend, id).await.unwrap().unwrap()
    };
    let root = with_password("root@example.com").await;
    // One who cannot sign in does not count.
    person(&backend, "Script", Role::Admin, None).await;
    for actor in [&root, &operator] {
        let refused = refusal(people::change_role(&backend, actor, &root.email, Role::Lead).await);
        let message = "Without Grace Hopper no admin could sign in; make somebody with a password an admin first.";
        assert_eq!(refused, Refusal::conflict(message));
    }
    assert_eq!(refusal(people::disable(&backend, &operator, &root.email).await).status(), 409);
    people::change_role(&backend, &root, "script@example.com", Role::Reader).await.unwrap();
    let other = with_password("other@example.com").await;
    assert_eq!(refusal(people::disable(&backend, &root, &root.email).await).status(), 409);

    // Two admins who unmake each other at the same moment: one stays.
    let (one, two) = tokio::join!(
        people::change_role(&backend, &root, &other.email, Role::Lead),
        people::change_role(&backend, &other, &root.email, Role::Lead)
    );
    assert_eq!(i32::from(one.is_ok()) + i32::from(two.is_ok()), 1);
}

#[tokio::test]
async fn a_put_creates_once_and_changes_only_what_was_seen() {
    let backend = testing::backend().await;
    let root = person(&backend, "Root", Role::Admin, None).await;
    let input = |role, disabled| PersonInput { name: "Ada".into(), role, time_zone: None, disabled };
    let put = async |expected, input| people::put(&backend, &root, "ada@example.com", expected, input).await;
    let (ada, created) = put(Expected::Unstated, input(Role::Member, None)).await.unwrap();
    assert!(created);
    assert_eq!((ada.version, ada.role, ada.time_zone.as_str()), (1, Role::Member, "UTC"));
    let newest = 1;
    assert_eq!(refusal(put(Expected::Unstated, input(Role::Sre, None)).await), Refusal::VersionNeeded { newest });
    let taken = refusal(put(Expected::Absent, input(Role::Sre, None)).await);
    assert_eq!(taken.message_for("email").unwrap(), "There is already an account with this address.");
    let (changed, created) = put(Expected::Version(1), input(Role::Sre, Some(true))).await.unwrap();
    assert!(!created && changed.disabled && changed.version > 1);
    assert_eq!(refusal(put(Expected::Version(1), input(Role::Sre, None)).await).status(), 412);
    let unchanged = put(Expected::Version(changed.version), input(Role::Sre, None)).await.unwrap().0;
    assert_eq!(unchanged, changed);
    assert_eq!(verbs(&backend).await, ["person.created", "person.role_changed", "person.disabled"]);

    // Two at the same moment: one creates, the other is told that they exist.
    for (expected, status) in [(Expected::Unstated, 428), (Expected::Absent, 422)] {
        let email = format!("{status}@example.com");
        let put = || people::put(&backend, &root, &email, expected, input(Role::Member, None));
        let (one, two) = tokio::join!(put(), put());
        let lost = if one.is_ok() { two } else { one };
        assert_eq!(refusal(lost).status(), status);
    }

    let member = person(&backend, "Mel", Role::Member, None).await;
    let refused = people::put(&backend, &member, "x@example.com", Expected::Unstated, input(Role::Admin, None)).await;
    assert_eq!(refusal(refused).status(), 403);
}

#[tokio::test]
async fn a_second_account_with_one_address_is_refused_beside_the_field() {
    let backend = testing::backend().await;
    with_password(&backend, "grace@example.com", Role::Member).await;
    let again = NewPerson {
        email: "GRACE@example.com".into(),
        name: "Another".into(),
        role: Role::Reader,
        team: None,
        password: None,
        time_zone: Some("Mars/Olympus".into()),
    };
    let refused = refusal(people::create(&backend, &Actor::operator(), again.clone()).await);
    assert!(refused.message_for("time_zone").is_some());
    let again = NewPerson { time_zone: Some("europe/berlin".into()), ..again };
    let refused = refusal(people::create(&backend, &Actor::operator(), again).await);
    assert!(refused.message_for("email").is_some());
    assert_eq!(verbs(&backend).await, ["person.created"], "a refused change leaves no event");
    assert_eq!(people::time_zone("europe/berlin").unwrap(), "Europe/Berlin");
}

#[tokio::test]
async fn the_longest_address_has_an_account() {
    let backend = testing::backend().await;
    let email = format!("{}@example.com", "a".repeat(domain::limits::EMAIL_CHARS - "@example.com".len()));
    with_password(&backend, &email, Role::Member).await;
    people::change_role(&backend, &Actor::operator(), &email, Role::Sre).await.unwrap();
    assert_eq!(verbs(&backend).await, ["person.created", "person.role_changed"]);
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let backend = testing::backend().await;
    let root = person(&backend, "Root", Role::Admin, None).await;
    for name in ["ada Lovelace", "Ben Bitdiddle", "Cy D Fect", "100%"] {
        person(&backend, name, Role::Member, Some("platform")).await;
    }
    let names = async |filter: people::Filter, page: PageRequest| {
        let page = people::list(&backend, &root, &filter, &page).await.unwrap();
        (page.items.into_iter().map(|person| person.name).collect::<Vec<_>>(), page.next_cursor)
    };
    let first = names(people::Filter::default(), PageRequest { limit: Some(2), cursor: None }).await;
    assert_eq!(first.0, ["100%", "ada Lovelace"]);
    let second = names(people::Filter::default(), PageRequest { limit: Some(3), cursor: first.1 }).await;
    assert_eq!(second, (vec!["Ben Bitdiddle".into(), "Cy D Fect".into(), "Root".into()], None));
    let q = |q: &str| people::Filter { q: Some(q.into()), ..people::Filter::default() };
    assert_eq!(names(q("0%"), PageRequest::default()).await.0, ["100%"]);
    assert_eq!(names(q("LOVE"), PageRequest::default()).await.0, ["ada Lovelace"]);
    let team = people::Filter { team: Some("platform".into()), disabled: Some(false), ..people::Filter::default() };
    assert_eq!(names(team, PageRequest::default()).await.0.len(), 4);
    let admins = people::Filter { role: Some(Role::Admin), ..people::Filter::default() };
    assert_eq!(names(admins, PageRequest::default()).await.0, ["Root"]);
}

fn acceptance(email: Option<&str>) -> Acceptance {
    Acceptance {
        email: email.map(str::to_owned),
        name: "Ada Lovelace".into(),
        password: GOOD.into(),
        time_zone: Some("Europe/London".into()),
    }
}

fn invite(email: &str, team: Option<&str>) -> NewInvitation {
    NewInvitation { email: email.into(), role: Role::Member, team: team.map(str::to_owned) }
}

#[tokio::test]
async fn an_invitation_makes_one_person_however_often_it_is_accepted() {
    let test = testing::backend().await;
    let root = person(&test, "Root", Role::Admin, Some("platform")).await;
    let secret = invitations::create(&test, &root, invite("ada@example.com", Some("platform"))).await.unwrap();
    let waiting = invitations::list(&test, &root).await.unwrap();
    assert_eq!(waiting[0].invited_by.as_deref(), Some("Root"));
    assert_eq!(invitations::open(&test, &secret).await.unwrap(), waiting[0]);

    let other = acceptance(Some("mallory@example.com"));
    let (one, two) =
        tokio::join!(invitations::accept(&test, &secret, other.clone()), invitations::accept(&test, &secret, other));
    let (id, lost) = match (one, two) {
        (Ok(id), lost) | (lost, Ok(id)) => (id, lost),
        neither => panic!("{neither:?}"),
    };
    assert_eq!(refusal(lost).status(), 409);
    let ada = actor_of(&test, id).await.unwrap().unwrap();
    assert_eq!((ada.email.as_str(), ada.role, &ada.teams), ("ada@example.com", Role::Member, &root.teams));
    assert_eq!(ada.time_zone, "Europe/London");
    assert!(invitations::list(&test, &root).await.unwrap().is_empty());
    assert_eq!(refusal(invitations::open(&test, &secret).await).status(), 409);
    let again = refusal(invitations::create(&test, &root, invite("Ada@example.com", None)).await);
    assert!(again.message_for("email").is_some());
}

#[tokio::test]
async fn a_link_that_does_not_work_says_why() {
    let test = testing::backend().await;
    let root = person(&test, "Root", Role::Admin, None).await;
    assert_eq!(refusal(invitations::open(&test, "guess").await).status(), 404);
    let unknown_team = refusal(invitations::create(&test, &root, invite("ada@example.com", Some("no\0pe"))).await);
    assert!(unknown_team.message_for("team").is_some());
    let replaced = invitations::create(&test, &root, invite("ada@example.com", None)).await.unwrap();
    let expired = invitations::create(&test, &root, invite("ada@example.com", None)).await.unwrap();
    assert_eq!(refusal(invitations::open(&test, &replaced).await).status(), 409);
    test.clock.advance(invitations::VALID);
    assert!(refusal(invitations::open(&test, &expired).await).to_string().contains("expired"));
    let withdrawn = invitations::create(&test, &root, invite("ada@example.com", None)).await.unwrap();
    let id = invitations::list(&test, &root).await.unwrap()[0].id;
    invitations::withdraw(&test, &root, id).await.unwrap();
    assert_eq!(refusal(invitations::accept(&test, &withdrawn, acceptance(None)).await).status(), 409);
    assert_eq!(refusal(invitations::withdraw(&test, &root, id).await).status(), 404);
    let member = person(&test, "Mel", Role::Lead, None).await;
    assert_eq!(refusal(invitations::list(&test, &member).await).status(), 403);
}

#[tokio::test]
async fn the_setup_link_dies_with_the_first_admin() {
    let test = testing::backend().await;
    let first = invitations::setup_link(&test).await.unwrap().unwrap();
    let second = invitations::setup_link(&test).await.unwrap().unwrap();
    assert_eq!(refusal(invitations::open(&test, &first).await).status(), 409);
    let missing = refusal(invitations::accept(&test, &second, acceptance(None)).await);
    assert!(missing.message_for("email").is_some());
    with_password(&test, "reader@example.com", Role::Reader).await;
    assert!(invitations::open(&test, &second).await.is_ok());

    let operator = Actor::operator();
    let (setup, command) = tokio::join!(
        invitations::accept(&test, &second, acceptance(Some("ada@example.com"))),
        people::change_role(&test, &operator, "reader@example.com", Role::Admin)
    );
    command.unwrap();
    if let Ok(id) = setup {
        assert_eq!(actor_of(&test, id).await.unwrap().unwrap().role, Role::Admin);
    }
    assert_eq!(refusal(invitations::open(&test, &second).await).status(), 409);
    assert_eq!(invitations::setup_link(&test).await.unwrap(), None);
}

#[tokio::test]
async fn a_team_is_put_with_its_members() {
    let backend = testing::backend().await;
    let root = person(&backend, "Root", Role::Admin, None).await;
    let ada = person(&backend, "Ada Lovelace", Role::Member, None).await;
    let input = |members: Option<&[&str]>| TeamInput {
        name: "Payments".into(),
        members: members.map(|members| members.iter().map(|&email| email.to_owned()).collect()),
    };
    let put = async |expected, input| teams::put(&backend, &root, "payments", expected, input).await;
    let unknown = put(Expected::Unstated, input(Some(&["ada@example.com", "x@example.com", "oops"]))).await;
    assert!(refusal(unknown).message_for("members").unwrap().contains("oops, x@example.com"));
    let (team, created) =
        put(Expected::Unstated, input(Some(&["ADA@example.com", "root@example.com", "ada@example.com"])))
            .await
            .unwrap();
    assert!(created);
    assert_eq!(team.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["Ada Lovelace", "Root"]);
    assert_eq!(refusal(put(Expected::Unstated, input(None)).await).status(), 428);
    let kept = put(Expected::Version(1), input(None)).await.unwrap().0;
    assert_eq!((kept.version, kept.members.len()), (2, 2));
    let emptied = put(Expected::Version(2), input(Some(&[]))).await.unwrap().0;
    assert!(emptied.members.is_empty());
    assert_eq!(teams::get(&backend, &ada, "payments").await.unwrap(), emptied);
    assert_eq!(refusal(teams::get(&backend, &ada, "Nö\0").await).status(), 404);
    let listed = teams::list(&backend, &ada, Some("pay"), &PageRequest::default()).await.unwrap();
    assert_eq!((listed.items[0].slug.as_str(), listed.items[0].members), ("payments", 0));
    assert_eq!(refusal(teams::put(&backend, &ada, "mine", Expected::Absent, input(None)).await).status(), 403);

    // Two at the same moment: one creates, the other is told that it exists.
    let (one, two) = tokio::join!(
        teams::put(&backend, &root, "search", Expected::Unstated, input(None)),
        teams::put(&backend, &root, "search", Expected::Unstated, input(None))
    );
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(refusal(lost).status(), 428);

    // However many there are, pickers have all of them.
    sqlx::query!(
        "insert into teams (slug, name, created_at, updated_at)
         select 'team-' || n, 'Team', $1, $1 from generate_series(1, 300) as n",
        backend.now().to_sqlx(),
    )
    .execute(backend.pool())
    .await
    .unwrap();
    assert_eq!(teams::all(&backend, &ada).await.unwrap().len(), 302);
}

fn once(test: &TestBackend, key: &str, what: &str) -> Backend {
    test.for_request("req-1", Some(Once { key: key.into(), request_hash: entropy::hash(what) }))
}

#[tokio::test]
async fn a_repeated_request_has_its_effect_once() {
    let test = testing::backend().await;
    let root = person(&test, "Root", Role::Admin, None).await;
    let new = |email: &str| NewPerson {
        email: email.into(),
        name: "Ada".into(),
        role: Role::Member,
        team: None,
        password: None,
        time_zone: None,
    };
    // Two at the same moment: the second waits for the first and finds its answer.
    let tasks = [once(&test, "k1", "ada"), once(&test, "k1", "ada")].map(|backend| {
        let (root, input) = (root.clone(), new("ada@example.com"));
        tokio::spawn(async move { people::create(&backend, &root, input).await })
    });
    let [one, two] = tasks;
    let (one, two) = (one.await.unwrap().unwrap(), two.await.unwrap().unwrap());
    assert_eq!(one, two);
    assert_eq!(people::create(&once(&test, "k1", "ada"), &root, new("ada@example.com")).await.unwrap(), one);
    assert_eq!(verbs(&test).await, ["person.created"]);
    let other = refusal(people::create(&once(&test, "k1", "ben"), &root, new("ben@example.com")).await);
    assert_eq!(other.status(), 422);
    // A refused request leaves its key free.
    assert!(people::create(&once(&test, "k2", "x"), &root, new("ada@example.com")).await.is_err());
    people::create(&once(&test, "k2", "x"), &root, new("cy@example.com")).await.unwrap();
    // A secret is not kept for a repetition.
    let first = tokens::create(&once(&test, "k3", "t"), &root, &root.email, new_token(&["read"])).await;
    assert!(first.is_ok());
    let again = tokens::create(&once(&test, "k3", "t"), &root, &root.email, new_token(&["read"])).await;
    assert_eq!(refusal(again).status(), 409);
}

#[tokio::test]
async fn a_change_and_its_event_are_one() {
    let test = testing::backend().await;
    let root = person(&test, "Root", Role::Admin, None).await;
    let mut owner = testing::owner(&test).await;
    sqlx::query!("alter table events add constraint no_more check (verb <> 'person.changed') not valid")
        .execute(&mut owner)
        .await
        .unwrap();
    assert!(people::edit_own(&test, &root, "Someone Else", "UTC").await.is_err());
    assert_eq!(actor_of(&test, root.id).await.unwrap().unwrap().name, "Root");
    sqlx::query!("alter table events drop constraint no_more").execute(&mut owner).await.unwrap();
    people::edit_own(&test, &root, "Someone Else", "Asia/Tokyo").await.unwrap();
    let actor = actor_of(&test, root.id).await.unwrap().unwrap();
    assert_eq!((actor.name.as_str(), actor.time_zone.as_str()), ("Someone Else", "Asia/Tokyo"));
    assert_eq!(verbs(&test).await, ["person.changed"]);
}
