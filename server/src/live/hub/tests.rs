use backend::Subject;
use backend::rfcs::create::{self, NewRfc};
use backend::rfcs::status::{self, ChangeStatus};
use backend::testing::{self, TestBackend};
use domain::Role;

use super::*;

fn listener(actor: &Actor, token: u8) -> Listener {
    let topics = vec![Topic { kind: "rfc".into(), key: "1".into() }];
    Listener { actor: actor.clone(), token: [token; 32], topics, after: Position::default() }
}

/// With RFC-1, which everybody may read.
async fn published() -> TestBackend {
    let test = testing::backend().await;
    let author = testing::person(&test, "Ana", Role::Member, None).await;
    let new = NewRfc { title: "T".into(), kind: "slo".into(), body: "B".into(), services: Vec::new() };
    create::create(&test, &author, new).await.unwrap();
    status::change_status(&test, &author, 1, ChangeStatus { to: "in_review".into(), reason: None }).await.unwrap();
    // After this all of it can be read.
    happen(&test, 1).await;
    test
}

/// Returns once it can be read: other tests have transactions open in the same cluster.
async fn happen(test: &TestBackend, times: usize) {
    let before = events::newest(test).await.unwrap();
    for _ in 0..times {
        let mut tx = test.begin_unsigned().await.unwrap();
        tx.event("test.done", &Subject::rfc(1), None, None).await.unwrap();
        tx.commit(()).await.unwrap();
    }
    let done = |events: &[(Position, Event)]| events.iter().filter(|(_, event)| event.verb == "test.done").count();
    while done(&events::after(test, before, 1000).await.unwrap()) < times {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn look(hub: &Hub) {
    // Not the time to sweep: these people have no sessions.
    hub.round(&mut Rhythm::default()).await.unwrap();
}

#[tokio::test]
async fn the_room_has_so_many_seats() {
    let test = testing::backend().await;
    let hub = Hub::new(test.backend.clone(), Limits { listeners: 2, of_one_person: 1 });
    let [ada, ben, cy] = [1, 2, 3].map(|id| testing::actor(id, Role::Reader));
    let seat = hub.join(listener(&ada, 1)).await.unwrap();
    let refused = hub.join(listener(&ada, 1)).await.err().unwrap();
    assert!(matches!(refused, backend::Error::Refused(Refusal::TooMany { .. })));
    let _ben = hub.join(listener(&ben, 2)).await.unwrap();
    let refused = hub.join(listener(&cy, 3)).await.err().unwrap();
    assert!(matches!(refused, backend::Error::Refused(Refusal::Busy { .. })));
    drop(seat);
    assert!(hub.join(listener(&cy, 3)).await.is_ok());
}

#[tokio::test]
async fn who_does_not_listen_loses_the_seat_and_the_others_hear_everything() {
    let test = published().await;
    let hub = Hub::new(test.backend.clone(), Limits::default());
    let [ada, ben] = [1, 2].map(|id| testing::actor(id, Role::Reader));
    let mut slow = hub.join(listener(&ada, 1)).await.unwrap();
    let mut quick = hub.join(listener(&ben, 2)).await.unwrap();
    for _ in 0..2 {
        happen(&test, QUEUE / 2 + 1).await;
        look(&hub).await;
        for _ in 0..=QUEUE / 2 {
            assert!(quick.next().await.is_some());
        }
    }
    // What was in the queue still comes, then the end.
    for _ in 0..QUEUE {
        assert!(slow.next().await.is_some());
    }
    assert!(slow.next().await.is_none());
    assert_eq!(hub.room().seats.len(), 1);
}

#[tokio::test]
async fn nobody_hears_what_was_before_or_what_they_have_heard() {
    let test = published().await;
    happen(&test, 1).await;
    let hub = Hub::new(test.backend.clone(), Limits::default());
    let ada = testing::actor(1, Role::Reader);
    let mut now = hub.join(listener(&ada, 1)).await.unwrap();
    happen(&test, 1).await;
    let first = events::newest(&test).await.unwrap();
    // This page was made by a process that is ahead of this one.
    let ahead = Listener { after: first, ..listener(&ada, 1) };
    let mut ahead = hub.join(ahead).await.unwrap();
    assert!(ahead.place() < first && ahead.after() == first);
    happen(&test, 1).await;
    look(&hub).await;
    look(&hub).await;
    assert!(now.next().await.is_some() && now.next().await.is_some() && ahead.next().await.is_some());
    assert!(now.queue.try_recv().is_err() && ahead.queue.try_recv().is_err());
    assert_eq!(hub.place(), Some(events::newest(&test).await.unwrap()));
}

#[tokio::test]
async fn an_empty_room_reads_no_events_and_forgets_none_that_comes_after() {
    let test = published().await;
    let hub = Hub::new(test.backend.clone(), Limits::default());
    look(&hub).await;
    happen(&test, 3).await;
    look(&hub).await;
    assert_eq!(hub.place(), Some(events::newest(&test).await.unwrap()));
    let mut seat = hub.join(listener(&testing::actor(1, Role::Reader), 1)).await.unwrap();
    happen(&test, 1).await;
    look(&hub).await;
    assert!(seat.next().await.is_some());
    assert!(seat.queue.try_recv().is_err());
}
