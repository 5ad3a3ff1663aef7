//! The ways in and out, on a real database.

use std::net::IpAddr;

use domain::{Actor, PersonId, Refusal, Role};
use jiff::SignedDuration;
use serde_json::json;

use super::invitations::{self, Acceptance, NewInvitation};
use super::people::{self, NewPerson, PersonInput};
use super::sessions::{self, Content};
use super::teams::{self, TeamInput};
use super::tokens::{self, NewToken};
use super::{actor_of, passwords, sign_in};
use crate::testing::{self, TestBackend, person};
use crate::{Backend, Error, Expected, Once, PageRequest, entropy};

const GOOD: &str = "copper lantern drifts north";
const OTHER: &str = "seven quiet harbours at dawn";

fn refusal<T: std::fmt::Debug>(result: crate::Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn with_password(backend: &Backend, email: &str, role: Role) -> PersonId {
    let input = NewPerson {
        email: email.to_owned(),
        name: "Grace Hopper".to_owned(),
        role,
        team: None,
        password: Some(GOOD.to_owned()),
        time_zone: None,
    };
    people::create(backend, &Actor::operator(), input).await.unwrap()
}

async fn verbs(backend: &Backend) -> Vec<String> {
    sqlx::query_scalar!("select verb from events order by id").fetch_all(backend.pool()).await.unwrap()
}

fn content(person: PersonId) -> Content {
    Content { person: Some(person), data: json!({"a": 1}), user_agent: "Firefox".into(), address: "192.0.2.7".into() }
}

#[tokio::test]
async fn signing_in_tells_nobody_who_has_an_account() {
    let backend = testing::backend().await;
    let operator = Actor::operator();
    let id = with_password(&backend, "grace@example.com", Role::Member).await;
    with_password(&backend, "gone@example.com", Role::Member).await;
    people::disable(&backend, &operator, "gone@example.com").await.unwrap();
    person(&backend, "Ada Lovelace", Role::Member, None).await;

    assert_eq!(sign_in(&backend, " Grace@Example.com ", GOOD, None).await.unwrap(), id);
    let wrong = refusal(sign_in(&backend, "grace@example.com", OTHER, None).await);
    assert_eq!(wrong.status(), 422);
    for (email, password) in [
        ("nobody@example.com", GOOD),
        ("gone@example.com", GOOD),
        ("ada@example.com", GOOD),
        ("ada@example.com", ""),
        ("not an address\0", GOOD),
    ] {
        assert_eq!(refusal(sign_in(&backend, email, password, None).await), wrong, "{email}");
    }
}

#[tokio::test]
async fn an_account_is_guessed_at_slowly_and_never_locked_for_good() {
    let test = testing::backend().await;
    let id = with_password(&test, "grace@example.com", Role::Member).await;
    for email in ["grace@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(refusal(sign_in(&test, email, OTHER, None).await).status(), 422);
        }
        assert_eq!(refusal(sign_in(&test, email, GOOD, None).await), Refusal::TooMany { retry_after_seconds: 11 });
    }
    // Refused tries do not prolong the wait; the next wrong one doubles it.
    test.clock.advance(SignedDuration::from_secs(11));
    assert_eq!(refusal(sign_in(&test, "grace@example.com", OTHER, None).await).status(), 422);
    assert_eq!(
        refusal(sign_in(&test, "GRACE@example.com", GOOD, None).await),
        Refusal::TooMany { retry_after_seconds: 21 }
    );
    test.clock.advance(SignedDuration::from_secs(21));
    assert_eq!(sign_in(&test, "grace@example.com", GOOD, None).await.unwrap(), id);
    // Success forgets the account's failures.
    assert_eq!(refusal(sign_in(&test, "grace@example.com", OTHER, None).await).status(), 422);
    assert_eq!(sign_in(&test, "grace@example.com", GOOD, None).await.unwrap(), id);
    test.clock.advance(SignedDuration::from_mins(16));
    assert!(sign_in::prune(&test).await.unwrap() > 0);
}

#[tokio::test]
async fn tries_at_the_same_time_do_not_slip_through_together() {
    let test = testing::backend().await;
    with_password(&test, "grace@example.com", Role::Member).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let backend = test.backend.clone();
        tries.spawn(async move { refusal(sign_in(&backend, "grace@example.com", OTHER, None).await).status() });
    }
    let answers = tries.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 422).count(), 5);
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 7);
}

#[tokio::test]
async fn one_place_cannot_try_many_accounts_and_the_limit_can_be_off() {
    let test = testing::backend().await;
    let place = IpAddr::from([192, 0, 2, 1]);
    let here = Some(place);
    for number in 0..50 {
        // Counted as sign-in does, without the slow part.
        let buckets = [super::throttle::Bucket::network(place)];
        super::throttle::begin(&test, &buckets).await.unwrap_or_else(|error| panic!("{number}: {error}"));
    }
    assert_eq!(refusal(sign_in(&test, "a@example.com", GOOD, here).await).status(), 429);
    assert_eq!(refusal(sign_in(&test, "a@example.com", GOOD, Some(IpAddr::from([192, 0, 2, 2]))).await).status(), 422);
    let unlimited = test.backend.clone().with_rate_limits(false);
    assert_eq!(refusal(sign_in(&unlimited, "a@example.com", GOOD, here).await).status(), 422);
    test.clock.advance(SignedDuration::from_mins(16));
    assert_eq!(refusal(sign_in(&test, "a@example.com", GOOD, here).await).status(), 422);
}

#[tokio::test]
async fn an_outdated_hash_is_replaced_at_sign_in() {
    use argon2::password_hash::{PasswordHasher, SaltString};
    let backend = testing::backend().await;
    let id = with_password(&backend, "grace@example.com", Role::Member).await;
    let weak = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        argon2::Params::new(8192, 1, 1, None).unwrap(),
    );
    let old = weak.hash_password(GOOD.as_bytes(), &SaltString::encode_b64(&[7; 16]).unwrap()).unwrap().to_string();
    sqlx::query!("update people set password_hash = $1", old).execute(backend.pool()).await.unwrap();
    sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap();
    let kept = sqlx::query_scalar!("select password_hash from people").fetch_one(backend.pool()).await.unwrap();
    assert!(kept.unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap(), id);
}

#[test]
fn a_password_is_long_and_not_what_everybody_tries_first() {
    for bad in
        ["short", "password123456", "qwertyuiop", "plumbline2026", "grace.hopper1", "Hopper1906!", "aaaaaaaaaaaa"]
    {
        let refused = passwords::check("password", bad, &["Grace Hopper", "grace.hopper@example.com"]);
        assert!(refused.is_err_and(|refusal| refusal.message_for("password").is_some()), "{bad}");
    }
    assert!(passwords::check("password", &"ab".repeat(129), &[]).is_err());
    assert_eq!(passwords::check("password", GOOD, &["Grace Hopper"]), Ok(()));
    assert_eq!(passwords::check("password", "🦀 läuft über grüne Wiesen", &[]), Ok(()));
}

#[tokio::test]
async fn changing_the_password_needs_the_current_one_and_ends_other_sessions() {
    let backend = testing::backend().await;
    let id = with_password(&backend, "grace@example.com", Role::Member).await;
    let grace = actor_of(&backend, id).await.unwrap().unwrap();
    let (here, there) = ([1; 32], [2; 32]);
    assert!(sessions::create(&backend, &here, &content(id)).await.unwrap());
    assert!(sessions::create(&backend, &there, &content(id)).await.unwrap());

    let wrong = refusal(passwords::change_own(&backend, &grace, OTHER, OTHER, Some(&here)).await);
    assert!(wrong.message_for("current_password").is_some());
    let weak = refusal(passwords::change_own(&backend, &grace, GOOD, "password1234", Some(&here)).await);
    assert!(weak.message_for("new_password").is_some());
    passwords::change_own(&backend, &grace, GOOD, OTHER, Some(&here)).await.unwrap();
    assert!(sessions::load(&backend, &here).await.unwrap().is_some());
    assert!(sessions::load(&backend, &there).await.unwrap().is_none());
    assert_eq!(sign_in(&backend, "grace@example.com", OTHER, None).await.unwrap(), id);

    passwords::reset(&backend, &Actor::operator(), "grace@example.com", GOOD).await.unwrap();
    assert!(sessions::load(&backend, &here).await.unwrap().is_none());
    assert_eq!(sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap(), id);
    let kept = sqlx::query_scalar!(
        "select string_agg(coalesce(before::text, '') || coalesce(after::text, ''), ' ') from events"
    )
    .fetch_one(backend.pool())
    .await
    .unwrap()
    .unwrap();
    assert!(!kept.contains("argon2") && !kept.contains(GOOD), "{kept}");
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_the_end_however_busy() {
    let test = testing::backend().await;
    let ada = person(&test, "Ada Lovelace", Role::Member, None).await;
    let (busy, idle) = ([1; 32], [2; 32]);
    assert!(sessions::create(&test, &busy, &content(ada.id)).await.unwrap());
    assert!(!sessions::create(&test, &busy, &content(ada.id)).await.unwrap());
    assert!(sessions::create(&test, &idle, &content(ada.id)).await.unwrap());
    assert!(sessions::save(&test, &busy, Some(ada.id), &json!({"a": 2})).await.unwrap());
    assert_eq!(sessions::load(&test, &busy).await.unwrap().unwrap().data, json!({"a": 2}));
    let mut hours = 0;
    while sessions::load(&test, &busy).await.unwrap().is_some() {
        assert_eq!(sessions::list(&test, &ada, Some(&busy)).await.unwrap().len(), if hours < 8 { 2 } else { 1 });
        hours += 4;
        test.clock.advance(SignedDuration::from_hours(4));
    }
    assert_eq!(hours, 7 * 24);
    assert!(sessions::load(&test, &idle).await.unwrap().is_none());
    assert!(!sessions::save(&test, &busy, Some(ada.id), &json!({})).await.unwrap(), "an ended session came back");
    assert_eq!(sessions::delete_expired(&test).await.unwrap(), 2);
}

#[tokio::test]
async fn use_is_written_down_once_a_minute() {
    let test = testing::backend().await;
    let ada = person(&test, "Ada Lovelace", Role::Member, None).await;
    sessions::create(&test, &[1; 32], &content(ada.id)).await.unwrap();
    let begun = test.now();
    let seen = async || sessions::list(&test, &ada, None).await.unwrap()[0].last_seen_at;
    test.clock.advance(SignedDuration::from_secs(59));
    sessions::load(&test, &[1; 32]).await.unwrap();
    assert_eq!(seen().await, begun);
    test.clock.advance(SignedDuration::from_secs(1));
    sessions::load(&test, &[1; 32]).await.unwrap();
    assert_eq!(seen().await, test.now());
}

#[tokio::test]
async fn sessions_are_ended_by_their_person_only() {
    let backend = testing::backend().await;
    let ada = person(&backend, "Ada Lovelace", Role::Member, None).await;
    let ben = person(&backend, "Ben Bitdiddle", Role::Admin, None).await;
    for number in 1..=3 {
        sessions::create(&backend, &[number; 32], &content(ada.id)).await.unwrap();
    }
    let listed = sessions::list(&backend, &ada, Some(&[3; 32])).await.unwrap();
    assert_eq!(listed.iter().filter(|session| session.current).count(), 1);
    let id = &listed.iter().find(|session| !session.current).unwrap().id;
    assert_eq!(refusal(sessions::end(&backend, &ben, id).await).status(), 404);
    assert_eq!(refusal(sessions::end(&backend, &ada, "%%%").await).status(), 404);
    sessions::end(&backend, &ada, id).await.unwrap();
    assert_eq!(sessions::end_others(&backend, &ada, Some(&[3; 32])).await.unwrap(), 1);
    assert_eq!(refusal(sessions::end_all_of(&backend, &ada, "ada@example.com").await).status(), 403);
    sessions::end_all_of(&backend, &ben, "ada@example.com").await.unwrap();
    assert!(sessions::list(&backend, &ada, None).await.unwrap().is_empty());
    assert_eq!(verbs(&backend).await, ["session.ended"; 3]);
}

#[tokio::test]
async fn disabling_ends_everything_at_once() {
    let backend = testing::backend().await;
    let operator = Actor::operator();
    let id = with_password(&backend, "grace@example.com", Role::Admin).await;
    let grace = actor_of(&backend, id).await.unwrap().unwrap();
    let root = person(&backend, "Root", Role::Admin, None).await;
    sessions::create(&backend, &[1; 32], &content(id)).await.unwrap();
    let token = tokens::create(&backend, &grace, &grace.email, new_token(&["admin"])).await.unwrap();
    assert!(tokens::actor_by_token(&backend, &token).await.unwrap().is_some());

    people::disable(&backend, &root, "grace@example.com").await.unwrap();
    assert!(sessions::load(&backend, &[1; 32]).await.unwrap().is_none());
    assert!(tokens::actor_by_token(&backend, &token).await.unwrap().is_none());
    assert!(actor_of(&backend, id).await.unwrap().is_none());
    assert_eq!(refusal(tokens::create(&backend, &operator, &grace.email, new_token(&["read"])).await).status(), 409);

    people::enable(&backend, &root, "grace@example.com").await.unwrap();
    assert!(tokens::actor_by_token(&backend, &token).await.unwrap().is_none(), "tokens do not come back");
    assert_eq!(sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap(), id);
}

#[tokio::test]
async fn a_session_of_a_person_disabled_behind_our_back_is_dead_too() {
    let backend = testing::backend().await;
    let ada = person(&backend, "Ada Lovelace", Role::Member, None).await;
    sessions::create(&backend, &[1; 32], &content(ada.id)).await.unwrap();
    sqlx::query!("update people set disabled_at = created_at").execute(backend.pool()).await.unwrap();
    assert!(sessions::load(&backend, &[1; 32]).await.unwrap().is_none());
}

#[tokio::test]
async fn there_is_always_an_admin() {
    let backend = testing::backend().await;
    let root = person(&backend, "Root", Role::Admin, None).await;
    let operator = Actor::operator();
    for actor in [&root, &operator] {
        let refused = refusal(people::change_role(&backend, actor, &root.email, Role::Lead).await);
        assert_eq!(refused, Refusal::conflict("Root is the last admin; make somebody else an admin first."));
    }
    assert_eq!(refusal(people::disable(&backend, &operator, &root.email).await).status(), 409);
    let other = person(&backend, "Other", Role::Admin, None).await;
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

fn new_token(scopes: &[&str]) -> NewToken {
    NewToken { name: "Build".into(), scopes: scopes.iter().map(|&scope| scope.into()).collect(), days: Some(30) }
}

#[tokio::test]
async fn a_token_is_its_owner_narrowed_until_it_ends() {
    let test = testing::backend().await;
    let ada = person(&test, "Ada Lovelace", Role::Member, Some("platform")).await;
    let ben = person(&test, "Ben Bitdiddle", Role::Sre, None).await;
    let token = tokens::create(&test, &ada, "ADA@example.com", new_token(&["read", "admin"])).await.unwrap();
    assert!(token.starts_with("plb_") && token.len() == 47);
    let actor = tokens::actor_by_token(&test, &token).await.unwrap().unwrap();
    assert_eq!(actor, Actor { scopes: domain::Scopes::ALL, ..ada.clone() });

    let listed = tokens::list(&test, &ada).await.unwrap();
    assert!(token.starts_with(&listed[0].prefix) && listed[0].last_used_at == Some(test.now()));
    assert_eq!(refusal(tokens::create(&test, &ben, &ada.email, new_token(&["read"])).await).status(), 403);
    assert_eq!(refusal(tokens::revoke(&test, &ben, listed[0].id).await).status(), 404);
    for bad in [new_token(&[]), new_token(&["root"]), NewToken { days: Some(0), ..new_token(&["read"]) }] {
        assert_eq!(refusal(tokens::create(&test, &ada, &ada.email, bad).await).status(), 422);
    }
    let mut narrowed = ada.clone();
    narrowed.scopes = domain::Scopes::from_words(["write"]);
    assert_eq!(refusal(tokens::create(&test, &narrowed, &ada.email, new_token(&["admin"])).await).status(), 403);

    tokens::revoke(&test, &ada, listed[0].id).await.unwrap();
    assert!(tokens::actor_by_token(&test, &token).await.unwrap().is_none());
    let token = tokens::create(&test, &Actor::operator(), &ada.email, new_token(&["read"])).await.unwrap();
    assert!(tokens::actor_by_token(&test, &token).await.unwrap().is_some());
    assert!(tokens::actor_by_token(&test, "plb_\0").await.unwrap().is_none());
    test.clock.advance(SignedDuration::from_hours(30 * 24));
    assert!(tokens::actor_by_token(&test, &token).await.unwrap().is_none());
    let kept = sqlx::query_scalar!("select count(*) from events where after::text like '%plb_%'")
        .fetch_one(test.pool())
        .await
        .unwrap();
    assert_eq!(kept, Some(0));
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
    sqlx::query!("alter table events add constraint no_more check (verb <> 'person.changed') not valid")
        .execute(test.pool())
        .await
        .unwrap();
    assert!(people::edit_own(&test, &root, "Someone Else", "UTC").await.is_err());
    assert_eq!(actor_of(&test, root.id).await.unwrap().unwrap().name, "Root");
    sqlx::query!("alter table events drop constraint no_more").execute(test.pool()).await.unwrap();
    people::edit_own(&test, &root, "Someone Else", "Asia/Tokyo").await.unwrap();
    let actor = actor_of(&test, root.id).await.unwrap().unwrap();
    assert_eq!((actor.name.as_str(), actor.time_zone.as_str()), ("Someone Else", "Asia/Tokyo"));
    assert_eq!(verbs(&test).await, ["person.changed"]);
}
