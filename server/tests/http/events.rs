//! What happened: `/events`, the audit log, the activity on pages.

use super::*;

#[tokio::test]
async fn whoever_goes_on_after_the_last_event_misses_none_and_reads_none_twice() {
    let cast = Cast::new().await;
    let number = cast.rfc("Text.").await;
    cast.thread(number).await;
    // Transactions of other databases in the cluster hold the order up too: five tokens, three changes.
    while cast.get(&cast.admin, "/events").await.json()["items"].as_array().unwrap().len() < 8 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut verbs = Vec::new();
    let mut path = "/events?limit=2".to_owned();
    loop {
        let page = cast.get(&cast.admin, &path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let page = page.json();
        verbs.extend(page["items"].as_array().unwrap().iter().map(|event| event["verb"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/events?limit=2&after={cursor}");
    }
    let own: Vec<_> = verbs.into_iter().filter(|verb| !verb.starts_with("token.")).collect();
    assert_eq!(own, ["rfc.created", "rfc.published", "thread.opened"]);
    let all = cast.get(&cast.admin, "/events").await.json();
    let last = all["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["subject_kind"], &last["subject_key"]), (&json!("rfc"), &json!(number.to_string())));
    assert_eq!((&last["actor"], &last["withheld"]), (&json!(cast.member.actor.email), &json!(false)));
    let after = last["position"].as_str().unwrap();
    assert_eq!(cast.get(&cast.admin, &format!("/events?after={after}")).await.json()["items"], json!([]));
    for (query, field) in [("after=x", "after"), ("after=1-", "after"), ("cursor=-", "cursor"), ("limit=0", "limit")] {
        assert_eq!(wrong_fields(&cast.get(&cast.admin, &format!("/events?{query}")).await), [field], "{query}");
    }
}

#[tokio::test]
async fn a_token_without_the_scope_reads_no_audit() {
    let cast = Cast::new().await;
    let mut narrow = cast.admin.clone();
    narrow.token = cast.app.token(&cast.admin.actor, &["read", "write"]).await;
    assert_eq!(cast.get(&narrow, "/events").await.status, 403);
}

#[tokio::test]
async fn the_audit_log_is_filtered_shown_and_taken_along() {
    let cast = Cast::new().await;
    let number = cast.rfc("Text.").await;
    cast.draft("Hidden.").await;
    let title = json!({ "title": "=HYPERLINK(\"http://x\")" });
    let changed = cast.change(&cast.author, "PATCH", &format!("/rfcs/{number}"), "*", title).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let page = cast
        .app
        .page(Some(&cast.admin), &format!("/admin/audit?kind=rfc&subject={number}&actor=ana@example.com"))
        .await;
    assert_eq!(texts(&page.body, "tbody code"), ["rfc.changed", "rfc.published", "rfc.created"]);
    assert!(texts(&page.body, "tbody ins").contains(&"=HYPERLINK(\"http://x\")".to_owned()));
    let hidden = cast.app.page(Some(&cast.admin), "/admin/audit?kind=rfc&verb=rfc.created").await;
    assert!(hidden.body.contains("a draft that you may not read"));
    assert_eq!(cast.app.page(Some(&cast.admin), "/admin/audit?from=yesterday").await.status, 422);

    let file = cast.app.page(Some(&cast.admin), &format!("/admin/audit.csv?kind=rfc&subject={number}")).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"plumbline-audit-"));
    assert_eq!(file.body.lines().count(), 4, "{}", file.body);
    assert!(file.body.starts_with("position,at,actor,"));
    let exported = cast.app.page(Some(&cast.admin), "/admin/audit?verb=audit.").await;
    assert_eq!(texts(&exported.body, "tbody code"), ["audit.exported"]);
    let refused = cast.app.page(Some(&cast.author), "/admin/audit.csv").await;
    assert_eq!(refused.status, 403);
    assert_eq!(cast.app.page(Some(&cast.admin), "/admin/audit.csv?kind=a&kind=b").await.status, 422);
    let still = cast.app.page(Some(&cast.admin), "/admin/audit?verb=audit.").await;
    assert_eq!(texts(&still.body, "tbody code").len(), 1, "a refused export is none");
}

#[tokio::test]
async fn every_page_tells_what_happened_to_its_thing() {
    let cast = Cast::new().await;
    let number = cast.rfc("Text.").await;
    cast.thread(number).await;
    let said = async |who: &Persona, path: &str| texts(&cast.app.page(Some(who), path).await.body, ".event-said");
    let rfc = ["Mia Member opened a thread", "Ana Author published this RFC", "Ana Author wrote the first draft"];
    assert_eq!(said(&cast.reader, &format!("/rfcs/{number}")).await, rfc);
    assert_eq!(said(&cast.reader, &format!("/activity?kind=rfc&key={number}")).await, rfc);
    let person = said(&cast.reader, "/people/mia@example.com").await;
    assert_eq!(person, [format!("Mia Member opened a thread on RFC-{number} Shard the ledger")]);
    let own = said(&cast.member, "/people/mia@example.com").await;
    assert_eq!(own, [person[0].clone(), "Plumbline made the API token “test”".to_owned()]);
    let put = cast.app.call(Some(&cast.admin), "PUT", "/teams/river", json!({ "name": "River" })).await;
    assert_eq!(put.status, 201, "{}", put.body);
    assert_eq!(said(&cast.reader, "/teams/river").await, ["Ada Admin added this team"]);
    let follow_up = json!({ "title": "Grease it", "owner": "mia@example.com", "due": "2026-12-24" });
    let made = cast.post(&cast.member, "/follow-ups", follow_up).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    let id = made["id"].as_str().map_or_else(|| made["id"].to_string(), str::to_owned);
    assert_eq!(said(&cast.reader, &format!("/follow-ups/{id}")).await, ["Mia Member made this follow-up"]);
    let everywhere = said(&cast.reader, "/activity").await;
    assert_eq!(everywhere[1], "Ada Admin added River");
    assert_eq!(everywhere[0], "Mia Member made Grease it");
    assert!(!everywhere.iter().any(|said| said.contains("token") && !said.contains("Ruth Reader")), "{everywhere:?}");
    assert!(said(&cast.reader, "/activity?kind=rfc&key=999").await.is_empty());
}
