//! The ways in and out: passwords, throttling, sessions, tokens.

use std::net::IpAddr;

use domain::{Actor, PersonId, Refusal, Role};
use jiff::SignedDuration;
use serde_json::json;

use super::super::sessions::{self, Begun, Content};
use super::super::tokens::{self, NewToken};
use super::super::{actor_of, passwords, people, sign_in, throttle};
use super::{GOOD, OTHER, new_token, refusal, verbs, with_password};
use crate::testing::{self, person};

fn content(person: PersonId) -> Content {
    Content {
        person: Some(person.into()),
        data: json!({"a": 1}),
        user_agent: "Firefox".into(),
        address: "192.0.2.7".into(),
    }
}

#[tokio::test]
async fn signing_in_tells_nobody_who_has_an_account() {
    let backend = testing::backend().await;
    let operator = Actor::operator();
    let id = with_password(&backend, "grace@example.com", Role::Member).await;
    with_password(&backend, "gone@example.com", Role::Member).await;
    people::disable(&backend, &operator, "gone@example.com").await.unwrap();
    person(&backend, "Ada Lovelace", Role::Member, None).await;

    assert_eq!(sign_in(&backend, " Grace@Example.com ", GOOD, None).await.unwrap().person, id);
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
    assert_eq!(sign_in(&test, "grace@example.com", GOOD, None).await.unwrap().person, id);
    // Success forgets the account's failures.
    assert_eq!(refusal(sign_in(&test, "grace@example.com", OTHER, None).await).status(), 422);
    assert_eq!(sign_in(&test, "grace@example.com", GOOD, None).await.unwrap().person, id);
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
        let buckets = [throttle::Bucket::network(place)];
        throttle::begin(&test, &buckets).await.unwrap_or_else(|error| panic!("{number}: {error}"));
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
    assert_eq!(sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap().person, id);
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
    assert_eq!(sessions::create(&backend, &here, &content(id)).await.unwrap(), Begun::Yes);
    assert_eq!(sessions::create(&backend, &there, &content(id)).await.unwrap(), Begun::Yes);

    let wrong = refusal(passwords::change_own(&backend, &grace, OTHER, OTHER, Some(&here)).await);
    assert!(wrong.message_for("current_password").is_some());
    let weak = refusal(passwords::change_own(&backend, &grace, GOOD, "password1234", Some(&here)).await);
    assert!(weak.message_for("new_password").is_some());
    passwords::change_own(&backend, &grace, GOOD, OTHER, Some(&here)).await.unwrap();
    assert!(sessions::load(&backend, &here).await.unwrap().is_some());
    assert!(sessions::load(&backend, &there).await.unwrap().is_none());
    assert_eq!(sign_in(&backend, "grace@example.com", OTHER, None).await.unwrap().person, id);

    passwords::reset(&backend, &Actor::operator(), "grace@example.com", GOOD).await.unwrap();
    assert!(sessions::load(&backend, &here).await.unwrap().is_none());
    assert_eq!(sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap().person, id);
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
    assert_eq!(sessions::create(&test, &busy, &content(ada.id)).await.unwrap(), Begun::Yes);
    assert_eq!(sessions::create(&test, &busy, &content(ada.id)).await.unwrap(), Begun::TokenTaken);
    assert_eq!(sessions::create(&test, &idle, &content(ada.id)).await.unwrap(), Begun::Yes);
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
    let root = with_password(&backend, "root@example.com", Role::Admin).await;
    let root = actor_of(&backend, root).await.unwrap().unwrap();
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
    assert_eq!(sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap().person, id);
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

#[tokio::test]
async fn no_session_begins_after_access_was_ended() {
    let backend = testing::backend().await;
    let operator = Actor::operator();
    let id = with_password(&backend, "grace@example.com", Role::Member).await;
    let begin = async |signed_in, token| {
        let content = Content { person: Some(signed_in), ..content(id) };
        sessions::create(&backend, &[token; 32], &content).await.unwrap()
    };
    // The password was right a moment ago, and somebody resets it before the session begins.
    let signed_in = sign_in(&backend, "grace@example.com", GOOD, None).await.unwrap();
    assert_eq!(begin(signed_in, 1).await, Begun::Yes);
    assert_eq!(begin(signed_in, 1).await, Begun::TokenTaken);
    passwords::reset(&backend, &operator, "grace@example.com", OTHER).await.unwrap();
    assert_eq!(begin(signed_in, 2).await, Begun::NoLongerAllowed);
    let signed_in = sign_in(&backend, "grace@example.com", OTHER, None).await.unwrap();
    people::disable(&backend, &operator, "grace@example.com").await.unwrap();
    assert_eq!(begin(signed_in, 2).await, Begun::NoLongerAllowed);
    people::enable(&backend, &operator, "grace@example.com").await.unwrap();
    let signed_in = sign_in(&backend, "grace@example.com", OTHER, None).await.unwrap();

    // At the very moment: the session waits for the reset and then knows.
    let (started, wait) = tokio::sync::oneshot::channel();
    let resetting = async {
        let mut tx = backend.begin(&operator).await.unwrap();
        let grace = people::lock(&mut tx, "grace@example.com").await.unwrap();
        sqlx::query!("update people set password_hash = 'other' where id = $1", grace.id)
            .execute(&mut *tx)
            .await
            .unwrap();
        people::end_access(&mut tx, grace.id, backend.now()).await.unwrap();
        started.send(()).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        tx.commit(()).await.unwrap();
    };
    let beginning = async {
        wait.await.unwrap();
        begin(signed_in, 3).await
    };
    assert_eq!(tokio::join!(resetting, beginning).1, Begun::NoLongerAllowed);
    assert!(sessions::load(&backend, &[3; 32]).await.unwrap().is_none());
}
