//! `/incidents`.

use super::*;

async fn checkout(cast: &Cast) {
    let service = json!({ "name": "Checkout", "tier": 1, "team": "core" });
    let answer = cast.app.call(Some(&cast.sre), "PUT", "/services/checkout", service).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

fn incident() -> Value {
    json!({
        "title": "Checkout answered 500", "type": "config_change", "severity": 1, "services": ["checkout"],
        "started_at": "2026-10-01T12:00:00+02:00", "detected_at": "2026-10-01T10:04:00Z",
        "mitigated_at": "2026-10-01T10:30:00Z", "ended_at": null, "summary": "A *flag*.", "external_id": "INC-1",
    })
}

#[tokio::test]
async fn an_incident_is_recorded_read_changed_and_voided() {
    let cast = Cast::new().await;
    checkout(&cast).await;
    let recorded = cast.post(&cast.member, "/incidents", incident()).await;
    assert_eq!((recorded.status.as_u16(), recorded.header("etag")), (201, "\"1\""), "{}", recorded.body);
    let (id, body) = (recorded.json()["id"].as_str().unwrap().to_owned(), recorded.json());
    assert_eq!((body["started_at"].as_str(), body["severity"].as_i64()), (Some("2026-10-01T10:00:00Z"), Some(1)));
    assert!(body["summary_html"].as_str().unwrap().contains("<em>flag</em>"));
    let path = format!("/incidents/{id}");
    assert_eq!(cast.get(&cast.reader, &path).await.json(), body);
    assert_eq!(wrong_fields(&cast.post(&cast.member, "/incidents", incident()).await), ["external_id"]);

    let change =
        async |who: &Persona, if_match: &str, body: Value| cast.change(who, "PATCH", &path, if_match, body).await;
    assert_eq!(change(&cast.reader, "*", json!({ "title": "x" })).await.status, 403);
    assert_eq!(change(&cast.author, "\"9\"", json!({ "title": "x" })).await.status, 412);
    let unstated = cast.app.call(Some(&cast.author), "PATCH", &path, json!({ "title": "x" })).await;
    assert_eq!((unstated.status.as_u16(), unstated.header("etag")), (428, "\"1\""));
    let changed = change(&cast.author, "\"1\"", json!({ "detected_at": null, "severity": 2 })).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.body);
    assert_eq!((&changed.json()["detected_at"], &changed.json()["severity"]), (&Value::Null, &json!(2)));
    let late = change(&cast.author, "\"2\"", json!({ "ended_at": "2026-10-01T10:10:00Z" })).await;
    assert_eq!(wrong_fields(&late), ["ended_at"]);

    assert_eq!(
        wrong_fields(&cast.post(&cast.author, &format!("{path}/void"), json!({ "reason": "" })).await),
        ["reason"]
    );
    let voided = cast.post(&cast.author, &format!("{path}/void"), json!({ "reason": "Twice." })).await;
    assert_eq!(voided.json()["voided_reason"], "Twice.");
    assert_eq!(cast.get(&cast.reader, "/incidents").await.json()["items"], json!([]));
    assert_eq!(cast.get(&cast.reader, "/incidents?voided=true").await.json()["items"][0]["id"], id.as_str());
    let restored = cast.post(&cast.author, &format!("{path}/restore"), Value::Null).await;
    assert_eq!((restored.status.as_u16(), restored.header("etag")), (200, "\"4\""));
    let found = cast.get(&cast.reader, "/incidents?service=checkout&type=config_change&from=2026-10-01&q=500").await;
    assert_eq!(found.json()["items"][0]["title"], "Checkout answered 500");
    for missing in ["/incidents/99", "/incidents/x", "/incidents/01"] {
        assert_eq!(cast.get(&cast.reader, missing).await.status, 404);
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_incident_is_said_field_by_field() {
    let cast = Cast::new().await;
    checkout(&cast).await;
    for (field, value, named) in [
        ("title", json!(" "), "title"),
        ("type", json!("luck"), "type"),
        ("severity", json!(7), "severity"),
        ("severity", json!("high"), "severity"),
        ("services", json!(["nothing"]), "services"),
        ("started_at", json!("yesterday"), "started_at"),
        ("started_at", Value::Null, "started_at"),
        ("ended_at", json!("2026-10-01T09:00:00Z"), "ended_at"),
        ("owner", json!("core"), "owner"),
    ] {
        let mut body = incident();
        body[field] = value;
        assert_eq!(wrong_fields(&cast.post(&cast.member, "/incidents", body).await), [named]);
    }
    assert_eq!(wrong_fields(&cast.get(&cast.member, "/incidents?from=soon").await), ["from"]);
    assert_eq!(wrong_fields(&cast.get(&cast.member, "/incidents/aggregate?by=colour").await), ["by"]);
}

#[tokio::test]
async fn a_repeated_request_records_one_incident() {
    let cast = Cast::new().await;
    checkout(&cast).await;
    let send = async || {
        let key = [("idempotency-key", "one")];
        cast.app.call_with(Some(&cast.member), "POST", "/incidents", incident(), &key).await
    };
    let (one, two) = tokio::join!(send(), send());
    assert_eq!((one.status.as_u16(), one.json()), (201, two.json()));
    assert_eq!(cast.get(&cast.reader, "/incidents").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn incidents_are_counted() {
    let cast = Cast::new().await;
    checkout(&cast).await;
    for (external_id, kind) in [("1", "config_change"), ("2", "config_change"), ("3", "data")] {
        let mut body = incident();
        (body["external_id"], body["type"]) = (json!(external_id), json!(kind));
        assert_eq!(cast.post(&cast.member, "/incidents", body).await.status, 201);
    }
    let counted =
        cast.get(&cast.reader, "/incidents/aggregate?by=type,team&from=2026-10-01&to=2026-10-31").await.json();
    assert_eq!(
        counted["items"][0],
        json!({ "type": "config_change", "service": null, "team": "core", "month": null, "severity": null, "count": 2,
                "median_seconds_to_detect": 240.0, "median_seconds_to_mitigate": 1800.0 })
    );
    assert_eq!((&counted["items"][1]["type"], &counted["total"]["count"]), (&json!("data"), &json!(3)));
    let months = cast.get(&cast.reader, "/incidents/aggregate?by=month,service,severity").await.json();
    assert_eq!(months["items"][0]["month"], "2026-10");
    let empty = cast.get(&cast.reader, "/incidents/aggregate?by=type&from=2030-01-01").await.json();
    assert_eq!(
        empty["total"],
        json!({ "count": 0, "median_seconds_to_detect": null, "median_seconds_to_mitigate": null })
    );
    let second = cast.get(&cast.reader, "/incidents?type=config_change&limit=1").await.json();
    assert_eq!(second["items"][0]["repeats"], json!([{ "service": "checkout", "nth": 2 }]));
}

#[tokio::test]
async fn leads_add_and_archive_types() {
    let cast = Cast::new().await;
    let lead = cast.app.person("Lea Lead", Role::Lead, None).await;
    let put = async |who: &Persona, if_match: Option<&str>, body: Value| {
        let headers: Vec<_> = if_match.map(|version| ("if-match", version)).into_iter().collect();
        cast.app.call_with(Some(who), "PUT", "/incidents/types/dns", body, &headers).await
    };
    assert_eq!(put(&cast.sre, None, json!({ "name": "DNS" })).await.status, 403);
    let added = put(&lead, None, json!({ "name": "DNS", "position": 1 })).await;
    assert_eq!((added.status.as_u16(), added.header("etag")), (201, "\"1\""), "{}", added.body);
    assert_eq!(cast.get(&cast.reader, "/incidents/types").await.json()["items"][0]["slug"], "dns");
    assert_eq!(put(&lead, None, json!({ "name": "Names" })).await.status, 428);
    let archived = put(&lead, Some("\"1\""), json!({ "name": "DNS", "archived": true })).await;
    assert_eq!(archived.status, 200);
    assert_eq!(cast.get(&cast.reader, "/incidents/types").await.json()["items"].as_array().unwrap().len(), 9);
    let found = cast.get(&cast.reader, "/incidents/types/dns").await;
    assert_eq!(found.header("etag"), archived.header("etag"));
    assert_eq!(cast.get(&cast.reader, "/incidents/types?archived=true").await.json()["items"][9]["slug"], "dns");
    assert_eq!(wrong_fields(&put(&lead, Some("*"), json!({ "name": "Deploy" })).await), ["name"]);
}

#[tokio::test]
async fn a_name_that_nobody_knows_waits_and_is_mapped() {
    let cast = Cast::new().await;
    checkout(&cast).await;
    let body = json!({ "external_id": "7", "title": "T", "severity": 3, "started_at": "2026-10-01T00:00:00Z",
                       "services": ["Old shop"] });
    let received = backend::incidents::receive::receive(&cast.app.backend, "pager", body.to_string().as_bytes()).await;
    let path = format!("/incidents/{}", received.unwrap().id);
    assert_eq!(cast.get(&cast.reader, &path).await.json()["unknown_services"], json!(["old shop"]));
    let waiting = cast.get(&cast.reader, "/incidents/service-names").await.json();
    assert_eq!((&waiting["items"][0]["name"], &waiting["items"][0]["incidents"]), (&json!("old shop"), &json!(1)));
    let say = async |who: &Persona, body: Value| cast.post(who, "/incidents/service-names", body).await;
    assert_eq!(say(&cast.member, json!({ "name": "old shop", "ignore": true })).await.status, 403);
    assert_eq!(wrong_fields(&say(&cast.sre, json!({ "name": "old shop" })).await), ["service"]);
    assert_eq!(wrong_fields(&say(&cast.sre, json!({ "name": "old shop", "service": "nothing" })).await), ["service"]);
    let decided = say(&cast.sre, json!({ "name": "Old Shop", "service": "checkout" })).await;
    assert_eq!(decided.json(), json!({ "name": "old shop", "service": "checkout", "incidents": 1 }));
    assert_eq!(cast.get(&cast.reader, &path).await.json()["services"], json!(["checkout"]));
    let mapped = cast.get(&cast.reader, "/incidents/service-names?state=mapped").await.json();
    assert_eq!(mapped["items"][0]["service"], "checkout");
    assert_eq!(wrong_fields(&cast.get(&cast.reader, "/incidents/service-names?state=lost").await), ["state"]);
}
