//! The scripts play to their end and show what a reviewer should see.

use domain::rfc::ThreadState;
use domain::rfc::anchor::{AnchorMethod, AnchorState};

use super::*;
use crate::demo::people_teams_services;
use crate::page::PageRequest;
use crate::rfcs::{home, list};
use crate::testing;

#[tokio::test]
async fn the_rfcs_are_entered_once_and_show_every_state() {
    let backend = testing::backend().await;
    people_teams_services(&backend).await.unwrap();
    rfcs(&backend).await.unwrap();
    let ada = person(&backend, "ada").await.unwrap();
    let page = PageRequest::default();
    let listed = || list::list(&backend, &ada, list::Filter::default(), &page);
    let first = listed().await.unwrap().items;
    assert_eq!(first[0].title, "Shard the ledger by account");
    assert!(first.is_sorted_by(|a, b| a.active_at >= b.active_at), "{first:#?}");
    rfcs(&backend).await.unwrap();
    assert_eq!(listed().await.unwrap().items, first);

    let all = threads::list(&backend, &ada, first[0].number, None).await.unwrap().items;
    let anchors: Vec<_> = all.iter().filter_map(|thread| thread.anchor.as_ref()).collect();
    for state in [AnchorState::Exact, AnchorState::Edited, AnchorState::Moved, AnchorState::Orphaned] {
        assert!(anchors.iter().any(|anchor| anchor.state == state), "no {state:?} in {anchors:#?}");
    }
    assert!(anchors.iter().any(|anchor| anchor.method == AnchorMethod::Reattached));
    assert!(all.iter().any(|thread| thread.state == ThreadState::Resolved));
    let comments: Vec<_> = all.iter().flat_map(|thread| &thread.comments).collect();
    assert!(comments.iter().any(|comment| comment.edited_at.is_some()));
    assert!(comments.iter().any(|comment| comment.deleted_at.is_some()));

    let home = home::home(&backend, &ada, false).await.unwrap();
    assert!(!home.waiting.is_empty() && !home.drafts.is_empty() && !home.touching.is_empty());
    assert!(!home.services.is_empty());
}

#[tokio::test]
async fn a_script_that_was_cut_off_is_played_to_its_end() {
    async fn told(backend: &Backend) -> Vec<(String, Option<String>)> {
        let events = sqlx::query!("select verb, subject_key, at from events where subject_kind = 'rfc' order by id");
        let events = events.fetch_all(backend.pool()).await.unwrap();
        let mut told: Vec<_> = events.into_iter().map(|event| (event.verb, Some(event.subject_key))).collect();
        told.sort();
        told
    }
    let whole = testing::backend().await;
    people_teams_services(&whole).await.unwrap();
    rfcs(&whole).await.unwrap();

    let backend = testing::backend().await;
    people_teams_services(&backend).await.unwrap();
    for (script, steps) in SCRIPTS.iter().zip([2, 5, 1]) {
        let Script { title, kind, services, author, body, days_ago, hours_between, .. } = *script;
        let cut =
            Script { title, kind, services, author, body, days_ago, hours_between, steps: &script.steps[..steps] };
        play(&backend, &cut).await.unwrap();
    }
    rfcs(&backend).await.unwrap();
    assert_eq!(told(&backend).await, told(&whole).await);
    // Nobody needs the answers for long; without them everything counts as played.
    sqlx::query!("delete from idempotency_keys").execute(backend.pool()).await.unwrap();
    rfcs(&backend).await.unwrap();
    assert_eq!(told(&backend).await, told(&whole).await);
}
