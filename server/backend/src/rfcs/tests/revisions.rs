//! Publishing revisions, and what becomes of threads in them.

use domain::rfc::anchor::{AnchorMethod, AnchorState};

use super::*;
use crate::rfcs::read::read;
use crate::rfcs::renderings::rendering;
use crate::rfcs::revisions::{NewRevision, get, publish_revision};
use crate::rfcs::threads::{Reattach, list, reattach, resolve};

const ONE: &str = "# Ledger\n\n## Plan\n\nWe shard the ledger by account in March.\n\n## Risks\n\nRebalancing moves \
                   money rows between shards.\n\n| step | owner |\n|---|---|\n| copy | Ana |\n\n```sql\nselect 🧊 from \
                   ledger;\n```\n";

fn new(body: &str, base_revision: i64) -> NewRevision {
    NewRevision { body: body.into(), summary: "Second thoughts".into(), base_revision, major: true }
}

#[tokio::test]
async fn a_revision_is_published_on_the_newest_one() {
    let cast = cast().await;
    let number = published(&cast, ONE).await;
    let publish = |body: &'static str, base| publish_revision(&cast.backend, &cast.author, number, new(body, base));
    let revised = publish("two  \r\n", 1).await.unwrap();
    assert_eq!((revised.revision, revised.version), (2, 3));
    let refused = refusal(publish("three", 1).await);
    assert!(refused.status() == 409 && refused.to_string().contains("revision 2"), "{refused}");
    assert_eq!(status(publish("three", 3).await), 409);
    assert_eq!(status(publish("nul\0", 2).await), 422);
    let others = publish_revision(&cast.backend, &cast.sre, number, new("three", 2)).await;
    assert_eq!(status(others), 403);
    let rfc = read(&cast.backend, &cast.sre, number, None).await.unwrap();
    assert_eq!((rfc.revision, rfc.newest_revision, rfc.body.as_str()), (2, 2, "two  \n"));
    assert_eq!((rfc.revisions[0].bytes, rfc.revisions[0].major), (6, true));
    let first = read(&cast.backend, &cast.sre, number, Some(1)).await.unwrap();
    assert_eq!((first.revision, first.newest_revision, first.body.as_str()), (1, 2, ONE));
    assert_eq!(get(&cast.backend, &cast.sre, number, 1).await.unwrap().body, ONE);
    // The same text again is a revision, too.
    assert_eq!(publish("two  \n", 2).await.unwrap().revision, 3);
    for missing in [0, 4, -1, i64::MAX] {
        assert_eq!(status(read(&cast.backend, &cast.sre, number, Some(missing)).await), 404);
        assert_eq!(status(list(&cast.backend, &cast.sre, number, Some(missing)).await), 422);
    }
}

#[tokio::test]
async fn of_two_parallel_publishers_one_wins() {
    let cast = cast().await;
    let number = published(&cast, "one").await;
    for base in 1..6 {
        let (mine, yours) = (format!("mine {base}"), format!("yours {base}"));
        let (mine, yours) = tokio::join!(
            publish_revision(&cast.backend, &cast.author, number, new(&mine, base)),
            publish_revision(&cast.backend, &cast.author, number, new(&yours, base)),
        );
        let lost = if mine.is_ok() { yours } else { mine };
        assert_eq!(status(lost), 409);
    }
    assert_eq!(read(&cast.backend, &cast.author, number, None).await.unwrap().newest_revision, 6);
}

#[tokio::test]
async fn no_thread_is_lost_from_revision_to_revision() {
    let cast = cast().await;
    let number = published(&cast, ONE).await;
    let kept = thread_on(&cast, number, 1, ONE, "by account in March").await;
    let code = thread_on(&cast, number, 1, ONE, "🧊 from").await;
    let gone = thread_on(&cast, number, 1, ONE, "Rebalancing moves money rows between shards.").await;
    let moved = thread_on(&cast, number, 1, ONE, "| copy | Ana |").await;
    threads::open(&cast.backend, &cast.reviewer, number, whole("On the whole")).await.unwrap();
    resolve(&cast.backend, &cast.reviewer, &kept.id).await.unwrap();

    let two = ONE
        .replace("# Ledger\n", "# Ledger\n\nOne more paragraph above everything.\n")
        .replace("Rebalancing moves money rows between shards.", "None that we know of.");
    revise(&cast, number, &two).await;
    let seen_in = |revision| list(&cast.backend, &cast.sre, number, Some(revision));
    let (before, after) = (seen_in(1).await.unwrap(), seen_in(2).await.unwrap());
    assert_eq!((before.items.len(), after.items.len(), after.opened_later), (5, 5, 0));
    let quotes = after.items.iter().map(|thread| thread.quote.as_str()).collect::<Vec<_>>();
    let expected =
        ["by account in March", "Rebalancing moves money rows between shards.", "| copy | Ana |", "🧊 from", ""];
    assert_eq!(quotes, expected, "in document order, the whole RFC last");

    let anchor = |id: &str| after.items.iter().find(|thread| thread.id == id).unwrap().anchor.clone().unwrap();
    for opened in [&kept, &code, &moved] {
        let anchor = anchor(&opened.id);
        let range = usize::try_from(anchor.start.unwrap()).unwrap()..usize::try_from(anchor.end.unwrap()).unwrap();
        let thread = after.items.iter().find(|thread| thread.id == opened.id).unwrap();
        assert_eq!((anchor.state, &two[range]), (AnchorState::Exact, thread.quote.as_str()));
    }
    let orphan = anchor(&gone.id);
    assert_eq!((orphan.state, orphan.start, orphan.end), (AnchorState::Orphaned, None, None));
    let heading = usize::try_from(orphan.heading.unwrap()).unwrap();
    assert!(two[heading..].starts_with("## Risks"));

    // The text comes back, and the thread with it.
    revise(&cast, number, ONE).await;
    let back = seen(&cast, &gone.id).await;
    assert_eq!((back.anchor.unwrap().start, back.quote.len()), (gone.anchor.unwrap().start, 44));
    assert_eq!(list(&cast.backend, &cast.sre, number, None).await.unwrap().items.len(), 5);
    let rows = sqlx::query_scalar!("select count(*) from rfc_thread_anchors").fetch_one(cast.backend.pool());
    assert_eq!(rows.await.unwrap(), Some(4 * 3));
}

#[tokio::test]
async fn a_thread_on_an_older_revision_is_carried_to_the_newest() {
    let cast = cast().await;
    let number = published(&cast, ONE).await;
    let two = format!("Above.\n\n{ONE}");
    revise(&cast, number, &two).await;
    revise(&cast, number, &format!("Further up.\n\n{two}")).await;
    let opened = thread_on(&cast, number, 1, ONE, "by account in March").await;
    assert_eq!(opened.anchor.as_ref().unwrap().revision, 1);
    let start = |revision| {
        let cast = &cast;
        async move {
            let threads = list(&cast.backend, &cast.sre, number, Some(revision)).await.unwrap();
            threads.items[0].anchor.clone().unwrap().start.unwrap()
        }
    };
    assert_eq!((start(1).await + 8, start(1).await + 21), (start(2).await, start(3).await));
    // A thread opened on a later revision is not part of an earlier one, which says so.
    thread_on(&cast, number, 2, &two, "Above").await;
    let first = list(&cast.backend, &cast.sre, number, Some(1)).await.unwrap();
    assert_eq!((first.items.len(), first.opened_later), (1, 1));
}

#[tokio::test]
async fn threads_on_the_same_words_go_the_same_way() {
    let cast = cast().await;
    let number = published(&cast, ONE).await;
    let same = ["Rebalancing moves money rows between shards."; 2];
    let [one, two] = same.map(|quote| thread_on(&cast, number, 1, ONE, quote));
    let (one, two) = (one.await, two.await);
    let other = thread_on(&cast, number, 1, ONE, "money rows between").await;
    let revised = ONE.replace("Rebalancing moves money rows between shards.", "Rebalancing moves few money rows.");
    revise(&cast, number, &revised).await;
    let anchor = async |id: &str| seen(&cast, id).await.anchor.unwrap();
    assert_eq!(anchor(&one.id).await, anchor(&two.id).await);
    assert_eq!(anchor(&one.id).await.state, AnchorState::Edited);
    assert_ne!(anchor(&one.id).await, anchor(&other.id).await);
    revise(&cast, number, "# Ledger\n\n## Risks\n\nNone.\n").await;
    let (one, two) = (anchor(&one.id).await, anchor(&two.id).await);
    assert_eq!((one.state, one.heading), (AnchorState::Orphaned, Some(10)));
    assert_eq!(one, two);
}

#[tokio::test]
async fn a_person_puts_a_thread_back_in_its_place() {
    let cast = cast().await;
    let number = published(&cast, ONE).await;
    let opened = thread_on(&cast, number, 1, ONE, "Rebalancing moves money rows between shards.").await;
    let two = ONE.replace("Rebalancing moves money rows between shards.", "Copying takes a night.");
    revise(&cast, number, &two).await;
    assert_eq!(seen(&cast, &opened.id).await.anchor.unwrap().state, AnchorState::Orphaned);
    let three = format!("Above.\n\n{two}");
    revise(&cast, number, &three).await;

    let start = i64::try_from(two.find("Copying takes").unwrap()).unwrap();
    let to = |revision, start, end| Reattach { revision, start, end };
    let place = |to| reattach(&cast.backend, &cast.reviewer, &opened.id, to);
    let placed = place(to(2, Some(start), Some(start + 22))).await.unwrap();
    assert_eq!((placed.method, placed.state, placed.revision), (AnchorMethod::Reattached, AnchorState::Exact, 2));
    // The newest revision starts from it, and so do those that follow.
    let thread = seen(&cast, &opened.id).await;
    assert_eq!(thread.quote, "Rebalancing moves money rows between shards.");
    assert_eq!(i64::from(thread.anchor.unwrap().start.unwrap()), start + 8);
    revise(&cast, number, &format!("Further up.\n\n{three}")).await;
    assert_eq!(i64::from(seen(&cast, &opened.id).await.anchor.unwrap().start.unwrap()), start + 21);
    assert_eq!(events(&cast.backend, number).await[5], "anchor.reattached");

    assert_eq!(status(place(to(2, None, None)).await), 422);
    assert_eq!(status(place(to(2, Some(0), Some(9_999_999))).await), 422);
    assert_eq!(status(place(to(9, Some(0), Some(1))).await), 422);
    let later = thread_on(&cast, number, 3, &three, "Above").await;
    let early = reattach(&cast.backend, &cast.reviewer, &later.id, to(1, Some(0), Some(1))).await;
    assert_eq!(status(early), 422);
    let about_all = threads::open(&cast.backend, &cast.reviewer, number, whole("x")).await.unwrap();
    let refused = reattach(&cast.backend, &cast.reviewer, &about_all.id, to(1, Some(0), Some(1))).await;
    assert_eq!(status(refused), 409);
}

#[tokio::test]
async fn a_rendering_is_kept_until_the_renderer_changes() {
    let cast = cast().await;
    let number = published(&cast, ONE).await;
    let rfc = read(&cast.backend, &cast.sre, number, None).await.unwrap();
    let made = rendering(&cast.backend, &rfc).await.unwrap();
    assert!(made.html().contains("<table>"), "{}", made.html());
    let kept = sqlx::query_scalar!("select count(*) from rfc_renderings").fetch_one(cast.backend.pool());
    assert_eq!(kept.await.unwrap(), Some(1));
    assert_eq!(rendering(&cast.backend, &rfc).await.unwrap(), made);
    sqlx::query!(r#"update rfc_renderings set renderer = renderer - 1, rendered = '{"blocks": [], "toc": []}'"#)
        .execute(cast.backend.pool())
        .await
        .unwrap();
    assert_eq!(rendering(&cast.backend, &rfc).await.unwrap(), made);
}

#[tokio::test]
async fn one_connection_is_enough() {
    let cast = cast().await;
    let options = cast.backend.pool().connect_options().as_ref().clone();
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(std::time::Duration::from_secs(10))
        .connect_with(options)
        .await
        .unwrap();
    let backend = crate::Backend::new(pool, cast.backend.clock.clone(), std::sync::Arc::new(crate::SystemEntropy));
    let number = published(&cast, ONE).await;
    let opened = thread_on(&cast, number, 1, ONE, "by account in March").await;
    let three = format!("Above.\n\n{ONE}");
    publish_revision(&backend, &cast.author, number, new(&three, 1)).await.unwrap();
    let to = Reattach { revision: 1, start: Some(0), end: Some(8) };
    reattach(&backend, &cast.reviewer, &opened.id, to).await.unwrap();
    threads::open(&backend, &cast.reviewer, number, whole("x")).await.unwrap();
    crate::rfcs::comments::reply(&backend, &cast.author, &opened.id, "x").await.unwrap();
    let rfc = read(&backend, &cast.sre, number, None).await.unwrap();
    rendering(&backend, &rfc).await.unwrap();
    assert_eq!(list(&backend, &cast.sre, number, None).await.unwrap().items.len(), 2);
    crate::rfcs::home::home(&backend, &cast.author, false).await.unwrap();
}
