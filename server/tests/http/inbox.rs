//! `/inbox` and `/me/preferences`, in the API and on the pages.

use backend::outbox;
use serde_json::json;

use super::*;

/// The author was told of a thread on an RFC of theirs; its item.
async fn told(cast: &Cast) -> Value {
    let number = cast.rfc("One sentence.\n").await;
    cast.thread(number).await;
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    let found = cast.get(&cast.author, "/inbox?limit=1").await.json();
    let item = found["items"][0].clone();
    assert_eq!(item["subject"], json!({ "kind": "rfc", "key": number.to_string() }));
    item
}

#[tokio::test]
async fn an_item_is_read_put_off_and_done() {
    let cast = Cast::new().await;
    let item = told(&cast).await;
    let path = format!("/inbox/{}", item["id"].as_str().unwrap());
    assert_eq!((&item["state"], &item["unread"], &item["notice_count"]), (&json!("open"), &json!(true), &json!(1)));
    assert_eq!(item["notices"][0]["text"], "Mia Member commented");
    let post = async |what: &str, body: Value| cast.post(&cast.author, &format!("{path}/{what}"), body).await;
    let read = post("read", Value::Null).await;
    assert_eq!((read.status.as_u16(), &read.json()["unread"]), (200, &json!(false)));
    assert_eq!(read.header("etag"), format!("\"{}\"", read.json()["version"]));
    assert_eq!(post("unread", Value::Null).await.json()["unread"], true);
    let later = post("later", json!({ "until": "next_week" })).await.json();
    assert_eq!((&later["state"], &later["back_at"]), (&json!("later"), &json!("2026-11-09T08:00:00Z")));
    for until in ["yesterday", "2026-11-02T08:59:59Z", "2036-11-02T08:59:59Z"] {
        assert_eq!(wrong_fields(&post("later", json!({ "until": until })).await), ["until"]);
    }
    let found_in = async |state: &str| {
        let found = cast.get(&cast.author, &format!("/inbox?state={state}")).await.json();
        found["items"].as_array().unwrap().iter().filter(|found| found["id"] == item["id"]).count()
    };
    assert_eq!((found_in("open").await, found_in("later").await, found_in("done").await), (0, 1, 0));
    assert_eq!(post("done", Value::Null).await.json()["state"], "done");
    assert_eq!((found_in("open").await, found_in("later").await, found_in("done").await), (0, 0, 1));
    assert_eq!(post("open", Value::Null).await.json()["state"], "open");
    assert_eq!(wrong_fields(&cast.get(&cast.author, "/inbox?state=lost").await), ["state"]);
    assert_eq!(wrong_fields(&cast.get(&cast.author, "/inbox?cursor=x").await), ["cursor"]);

    // Who names an old version changes nothing.
    let answer = cast.change(&cast.author, "POST", &format!("{path}/done"), "\"1\"", Value::Null).await;
    assert_eq!(answer.status, 412);
    // Everybody has their own inbox.
    for who in [&cast.member, &cast.admin] {
        assert_eq!(cast.get(who, &path).await.status, 404);
        assert_eq!(cast.post(who, &format!("{path}/read"), Value::Null).await.status, 404);
    }
    assert_eq!(cast.get(&cast.author, "/inbox/007").await.status, 404);
    post("unread", Value::Null).await;
    let marked = cast.post(&cast.author, "/inbox/read", Value::Null).await.json();
    // The item, and the notice about the token that this test uses.
    assert_eq!(marked["marked"], 2);
}

#[tokio::test]
async fn preferences_are_changed_by_version() {
    let cast = Cast::new().await;
    let read = cast.get(&cast.reader, "/me/preferences").await;
    assert_eq!((read.status.as_u16(), read.header("etag")), (200, "\"1\""));
    assert_eq!(read.json()["quiet_from"], Value::Null);
    assert_eq!(read.json()["channels"]["comment"], json!({ "inbox": true, "mail": true }));
    let put = async |if_match: &str, body: Value| {
        let headers: Vec<_> = [("if-match", if_match)].into_iter().filter(|(_, value)| !value.is_empty()).collect();
        cast.app.call_with(Some(&cast.reader), "PUT", "/me/preferences", body, &headers).await
    };
    let wish = json!({
        "channels": { "comment": { "inbox": true, "mail": false } },
        "quiet_from": "22:00", "quiet_until": "07:00", "digest": false,
    });
    assert_eq!(put("", wish.clone()).await.status, 428);
    let answer = put("\"1\"", wish).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""), "{}", answer.body);
    assert_eq!(put("\"1\"", json!({})).await.status, 412);
    // What was read may be sent back.
    let same = cast.get(&cast.reader, "/me/preferences").await.json();
    assert_eq!(put("\"2\"", same.clone()).await.json(), same);
    for (body, field) in [
        (json!({ "channels": { "security": { "inbox": true, "mail": false } } }), "channels.security"),
        (json!({ "channels": { "gossip": { "inbox": true, "mail": false } } }), "channels.gossip"),
        (json!({ "quiet_from": "25:00", "quiet_until": "07:00" }), "quiet_from"),
        (json!({ "quiet_from": "07:00", "quiet_until": "07:00" }), "quiet_until"),
        (json!({ "weekly": true }), "weekly"),
    ] {
        assert_eq!(wrong_fields(&put("\"2\"", body).await), [field]);
    }
    let token = cast.app.token(&cast.reader.actor, &["read"]).await;
    let reading = Persona { token, ..cast.reader.clone() };
    let answer = cast.change(&reading, "PUT", "/me/preferences", "\"2\"", json!({})).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn the_page_lists_opens_and_settles_without_javascript() {
    let cast = Cast::new().await;
    let item = told(&cast).await;
    let (id, key) = (item["id"].as_str().unwrap(), item["subject"]["key"].as_str().unwrap());
    let home = cast.app.page(Some(&cast.author), "/rfcs").await;
    assert!(home.body.contains("Inbox, 2 unread"), "the thread, and the token this test made");
    let page = cast.app.page(Some(&cast.author), "/inbox").await;
    assert!(page.body.contains("Mia Member commented") && page.body.contains(&format!("RFC-{key}")));
    let answer = cast.app.page(Some(&cast.author), &format!("/inbox/{id}")).await;
    assert!(answer.status.is_redirection(), "{}", answer.status);
    assert!(answer.header("location").starts_with(&format!("/rfcs/{key}#comment-")), "{}", answer.header("location"));
    assert!(cast.app.page(Some(&cast.author), "/rfcs").await.body.contains("Inbox, 1 unread"));
    let act = async |to: &str| {
        let fields = [("item", id), ("to", to), ("seen", ""), ("back", "/inbox?state=later&cursor=x")];
        cast.app.form(Some(&cast.author), "/inbox", "/do/inbox/change", &fields).await
    };
    for (to, done) in
        [("unread", "marked_unread"), ("tomorrow", "put_off"), ("open", "back_in_inbox"), ("done", "marked_done")]
    {
        let answer = act(to).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(answer.header("location"), format!("/inbox?state=later&cursor=x&done={done}"), "the same list");
    }
    assert_eq!(act("nonsense").await.status, 422);
    let done = cast.app.page(Some(&cast.author), "/inbox?state=done").await;
    assert!(done.body.contains("Mia Member commented"));
    assert!(done.body.contains(r#"name="back" value="/inbox?state=done""#), "{}", done.body);
    let answer = cast.app.form(Some(&cast.author), "/inbox", "/do/inbox/read-all", &[("seen", "")]).await;
    assert_eq!(answer.status, 303);
    assert!(!cast.app.page(Some(&cast.author), "/rfcs").await.body.contains("unread"));
}

#[tokio::test]
async fn the_page_of_preferences_keeps_what_was_chosen() {
    let cast = Cast::new().await;
    let mut fields = vec![
        ("version", "1"),
        ("channels[comment]", "inbox"),
        ("channels[mention]", "none"),
        ("quiet_from", "22:00"),
        ("quiet_until", ""),
    ];
    let save = async |fields: &[(&str, &str)]| {
        cast.app.form(Some(&cast.author), "/account/notices", "/do/account/edit-notices", fields).await
    };
    for (person, offered) in [(&cast.author, false), (&cast.admin, true)] {
        let page = cast.app.page(Some(person), "/account/notices").await;
        assert_eq!(page.body.contains("Webhooks that stopped"), offered);
    }
    let refused = save(&fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Say when the quiet hours end") && refused.body.contains("22:00"));
    fields[4].1 = "06:30";
    let saved = save(&fields).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let found = cast.get(&cast.author, "/me/preferences").await.json();
    assert_eq!(found["channels"]["comment"], json!({ "inbox": true, "mail": false }));
    assert_eq!(found["channels"]["mention"], json!({ "inbox": false, "mail": false }));
    assert_eq!((&found["quiet_from"], &found["quiet_until"]), (&json!("22:00"), &json!("06:30")));
    assert_eq!(found["digest"], false, "a box that is not ticked is not sent");
    assert_eq!(save(&fields).await.status, 412, "somebody else was quicker");
}
