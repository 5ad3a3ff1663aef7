//! `/imports` and the pages for them: from a file that is handed in to its report.

use axum::body::Body;
use axum::http::{Request, header};
use backend::outbox::{self, Kind};
use domain::limits;
use serde_json::{Value, json};

use super::support::BASE_URL;
use super::*;

const FILE: &str = "\
services:
  - name: ledger
    tier: db
    technical: {dependencies: [{service: mail}]}
  - name: checkout
    friendly_name: Checkout <b>
    technical: {dependencies: [{service: ledger}]}
";

/// Does the work that waits, as the server's worker would.
async fn work(cast: &Cast) {
    for claimed in outbox::claim(&cast.app.backend, Kind::Import, "test", 10).await.unwrap() {
        backend::imports::work(&cast.app.backend, &claimed.payload).await.unwrap();
        outbox::finish(&cast.app.backend, &[claimed.id]).await.unwrap();
    }
}

/// A form with a file, as a browser sends it.
async fn upload(cast: &Cast, who: &Persona, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    if let Some((name, bytes)) = file {
        let head = format!(
            "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/yaml\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--X--\r\n");
    let request = Request::post("/do/imports/upload")
        .header(header::ACCEPT, "text/html")
        .header(header::HOST, "plumbline.test")
        .header(header::ORIGIN, BASE_URL)
        .header(header::REFERER, format!("{BASE_URL}/admin/imports/new?kind=catalog"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=X")
        .header(header::COOKIE, &who.cookie);
    cast.app.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_file_is_compared_shown_applied_and_reported() {
    let cast = Cast::new().await;
    let once = [("kind", "catalog"), ("once", "u-1"), ("options.tier", "2")];
    let answer = upload(&cast, &cast.admin, &once, Some(("C:\\files\\catalog.yml", FILE.as_bytes()))).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = answer.header("location").to_owned();
    let again = upload(&cast, &cast.admin, &once, Some(("catalog.yml", FILE.as_bytes()))).await;
    assert_eq!(again.header("location"), page, "a second click is the same import");

    let shown = cast.app.page(Some(&cast.admin), &page).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.header("refresh"), format!("5; url={page}"));
    let read = cast.app.page(Some(&cast.admin), &format!("{page}?show=noted")).await;
    assert_eq!((read.status.as_u16(), read.header("refresh")), (200, ""), "nobody is taken away from what they read");
    assert_eq!(texts(&read.body, "main p a"), ["Load again"]);
    work(&cast).await;
    let shown = cast.app.page(Some(&cast.admin), &page).await;
    assert_eq!(shown.header("refresh"), "");
    for words in ["catalog.yml", "Ready to apply", "ledger", "Tier 2", "line 2"] {
        assert!(shown.body.contains(words), "{words}");
    }
    let noted = cast.app.page(Some(&cast.admin), &format!("{page}?show=noted")).await;
    assert!(noted.body.contains("It needs mail"), "{}", noted.body);
    assert_eq!(cast.get(&cast.reader, "/services/ledger").await.status, 404);

    let id = page.rsplit('/').next().unwrap();
    let stale = cast.app.form(Some(&cast.admin), &page, "/do/imports/apply", &[("import", id), ("version", "1")]).await;
    assert_eq!(stale.status, 412);
    let version = cast.get(&cast.admin, &format!("/imports/{id}")).await.json()["version"].to_string();
    let form = [("import", id), ("version", &*version)];
    let answer = cast.app.form(Some(&cast.admin), &page, "/do/imports/apply", &form).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, &*page));
    let applying = cast.app.page(Some(&cast.admin), &page).await;
    assert_eq!(texts(&applying.body, "main [autofocus] button"), ["Stop"], "each load leads the keyboard there");
    work(&cast).await;
    let report = cast.app.page(Some(&cast.admin), &page).await;
    assert!(report.body.contains("Applied") && report.body.contains("href=\"/services/checkout\""), "{}", report.body);
    let checkout = cast.get(&cast.reader, "/services/checkout").await.json();
    assert_eq!(
        (&checkout["name"], &checkout["tier"], &checkout["depends_on"]),
        (&json!("Checkout <b>"), &json!(2), &json!(["ledger"]))
    );
    let twice = cast.app.form(Some(&cast.admin), &page, "/do/imports/apply", &form).await;
    assert!(twice.status == 409 || twice.status == 412, "{}", twice.status);
    let list = cast.app.page(Some(&cast.admin), "/admin/imports").await;
    assert!(list.body.contains("catalog.yml") && list.body.contains("Applied"));
}

#[tokio::test]
async fn a_refused_file_comes_back_to_its_form() {
    let cast = Cast::new().await;
    let kind = [("kind", "catalog")];
    for (fields, file, status, words) in [
        (&kind[..], None, 422, "Choose a file"),
        (&kind[..], Some(("empty.yml", &b""[..])), 422, "The file is empty"),
        (&[][..], Some(("a.yml", &b"a: b"[..])), 422, "does not say what"),
        (&[("kind", "catalog"), ("options.tier", "9")][..], Some(("a.yml", &b"a: b"[..])), 422, "The tier is 1"),
        (&kind[..], Some(("large.yml", &vec![b'#'; 10 * 1024 * 1024 + 1][..])), 413, "too long"),
    ] {
        let answer = upload(&cast, &cast.admin, fields, file).await;
        assert_eq!(answer.status, status, "{words}");
        assert!(answer.body.contains(words) && answer.body.contains("Import a catalogue"), "{words}: {}", answer.body);
    }
    for who in [&cast.reader, &cast.member, &cast.sre] {
        assert_eq!(upload(&cast, who, &kind, Some(("a.yml", b"a: b"))).await.status, 403);
    }
    let nobody = Persona { cookie: String::new(), ..cast.admin.clone() };
    assert_eq!(upload(&cast, &nobody, &kind, Some(("a.yml", b"a: b"))).await.status, 401);
    let left = cast.get(&cast.admin, "/imports").await.json();
    assert_eq!(left["items"], json!([]), "nothing stays of what was refused");

    let pasted = [("content", " "), ("name", "a.yml"), ("tier", "3")];
    let answer = cast.app.form(Some(&cast.admin), "/admin/imports/new", "/do/imports/paste-catalog", &pasted).await;
    assert_eq!(answer.status, 303, "what a file says is found when it is compared");
    let pasted = [("content", FILE), ("name", "a\u{1}b"), ("tier", "3")];
    let answer = cast.app.form(Some(&cast.admin), "/admin/imports/new", "/do/imports/paste-catalog", &pasted).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("Checkout &lt;b&gt;"), "what was pasted comes back");
}

#[tokio::test]
async fn the_form_of_a_file_that_was_refused_takes_a_better_one() {
    let cast = Cast::new().await;
    let hand_in = async |bytes: &[u8]| {
        let fields = [("kind", "catalog"), ("once", "u-1")];
        upload(&cast, &cast.admin, &fields, Some(("catalog.yml", bytes))).await
    };
    assert_eq!(hand_in(b"").await.status, 422);
    let good = hand_in(FILE.as_bytes()).await.header("location").to_owned();
    let other = hand_in(b"services: []\n").await.header("location").to_owned();
    assert_eq!(hand_in(FILE.as_bytes()).await.header("location"), good, "the same once more");
    work(&cast).await;
    let shown = cast.app.page(Some(&cast.admin), &good).await;
    assert!(shown.body.contains("Ready to apply") && shown.body.contains("ledger"), "{}", shown.body);
    assert_ne!(other, good);
    assert_eq!(cast.get(&cast.admin, "/imports").await.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_says_why() {
    let cast = Cast::new().await;
    let answer =
        upload(&cast, &cast.admin, &[("kind", "catalog")], Some(("bad.yml", b"services:\n\t- name: a\n"))).await;
    let page = answer.header("location").to_owned();
    work(&cast).await;
    let shown = cast.app.page(Some(&cast.admin), &page).await;
    assert!(shown.body.contains("cannot be taken over") && shown.body.contains("Line 2"), "{}", shown.body);
    let id = page.rsplit('/').next().unwrap();
    assert_eq!(cast.get(&cast.admin, &format!("/imports/{id}")).await.json()["state"], "failed");
}

#[tokio::test]
async fn the_api_does_the_same() {
    let cast = Cast::new().await;
    let new = json!({ "kind": "catalog", "name": "catalog.yml", "content": FILE, "options": { "tier": 1 } });
    let answer = cast.post(&cast.admin, "/imports", new).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"2\""), "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["state"], "checking");
    let early = cast.post(&cast.admin, &format!("/imports/{id}/apply"), Value::Null).await;
    assert_eq!(early.status, 409);
    work(&cast).await;
    let ready = cast.get(&cast.admin, &format!("/imports/{id}")).await;
    assert_eq!(
        (ready.json()["state"].clone(), ready.json()["found"]["new service"].clone()),
        (json!("ready"), json!(2))
    );
    let lines = cast.get(&cast.admin, &format!("/imports/{id}/lines?outcome=noted")).await.json();
    assert_eq!((lines["items"][0]["sort"].clone(), lines["items"][0]["line"].clone()), (json!("dependency"), json!(4)));
    assert_eq!(wrong_fields(&cast.get(&cast.admin, &format!("/imports/{id}/lines?outcome=x")).await), ["outcome"]);
    let version = ready.header("etag").to_owned();
    assert_eq!(
        cast.change(&cast.admin, "POST", &format!("/imports/{id}/apply"), "\"1\"", Value::Null).await.status,
        412
    );
    let applying = cast.change(&cast.admin, "POST", &format!("/imports/{id}/apply"), &version, Value::Null).await;
    assert_eq!(applying.json()["state"], "applying");
    work(&cast).await;
    let applied = cast.get(&cast.admin, &format!("/imports/{id}")).await.json();
    assert_eq!((&applied["state"], &applied["did"]["new service"]), (&json!("applied"), &json!(2)));
    assert_eq!(cast.get(&cast.reader, "/services/ledger").await.json()["tier"], 1);
    for (body, field) in [
        (json!({ "kind": "x", "name": "a", "content": "b" }), "kind"),
        (json!({ "kind": "catalog", "name": "", "content": "b" }), "name"),
        (json!({ "kind": "catalog", "name": "a", "content": "" }), "file"),
        (json!({ "kind": "catalog", "name": "a", "content": "b", "tier": 1 }), "tier"),
    ] {
        assert_eq!(wrong_fields(&cast.post(&cast.admin, "/imports", body).await), [field]);
    }
}

#[tokio::test]
async fn the_api_reads_a_file_of_incidents_in_another_way() {
    let cast = Cast::new().await;
    let content = "No;What;Sev;When it was\n7;Checkout is down;2;2025-11-03 14:05\n";
    let new = |options: Value| json!({ "kind": "incidents", "name": "a.csv", "content": content, "options": options });
    let wrong = cast.post(&cast.admin, "/imports", new(json!({ "zone": "Mars/Base" }))).await;
    assert_eq!(wrong_fields(&wrong), ["options.zone"]);
    let id = cast.post(&cast.admin, "/imports", new(json!({}))).await.json()["id"].as_str().unwrap().to_owned();
    work(&cast).await;
    let path = format!("/imports/{id}");
    let found = cast.get(&cast.admin, &path).await;
    assert_eq!(found.json()["found"]["new incident"], Value::Null, "{}", found.body);
    let columns = cast.get(&cast.admin, &format!("{path}/columns")).await.json();
    assert!(columns["read_as"].as_str().unwrap().starts_with("CSV separated by semicolons"), "{columns}");
    let when = json!({ "heading": "When it was", "field": null, "samples": ["2025-11-03 14:05"] });
    assert_eq!(columns["columns"][3], when);

    let again = format!("{path}/read-again");
    let map = json!({ "#1": "external_id", "#2": "title", "#3": "severity", "When it was": "started_at" });
    let options = json!({ "options": { "source": "tickets", "map": map } });
    let version = found.header("etag").to_owned();
    let read =
        async |version: &str, body: &Value| cast.change(&cast.admin, "POST", &again, version, body.clone()).await;
    assert_eq!(read("\"1\"", &options).await.status, 412);
    assert_eq!(wrong_fields(&read(&version, &json!({ "options": { "dates": "x" } })).await), ["options.dates"]);
    let reading = read(&version, &options).await;
    assert_eq!(reading.json()["state"], "checking", "{}", reading.body);
    work(&cast).await;
    let ready = cast.get(&cast.admin, &path).await.json();
    assert_eq!((&ready["state"], &ready["found"]["new incident"]), (&json!("ready"), &json!(1)), "{ready}");
    let columns = cast.get(&cast.admin, &format!("{path}/columns")).await.json();
    assert_eq!(columns["columns"][3]["field"], "started_at");
    let catalog = json!({ "kind": "catalog", "name": "a.yml", "content": FILE });
    let catalog = cast.post(&cast.admin, "/imports", catalog).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(cast.get(&cast.admin, &format!("/imports/{catalog}/columns")).await.status, 409);
}

#[tokio::test]
async fn a_fault_while_a_file_is_applied_is_not_said_of_the_file() {
    let cast = Cast::new().await;
    let new = json!({ "kind": "catalog", "name": "catalog.yml", "content": FILE });
    let id = cast.post(&cast.admin, "/imports", new).await.json()["id"].as_str().unwrap().to_owned();
    work(&cast).await;
    let path = format!("/imports/{id}");
    let version = cast.get(&cast.admin, &path).await.header("etag").to_owned();
    let applying = cast.change(&cast.admin, "POST", &format!("{path}/apply"), &version, Value::Null).await;
    assert_eq!(applying.status, 200, "{}", applying.body);
    for claimed in outbox::claim(&cast.app.backend, Kind::Import, "test", 10).await.unwrap() {
        let why = "The database stayed away.";
        backend::imports::give_up_work(&cast.app.backend, &claimed.payload, why).await.unwrap();
    }
    let page = format!("/admin/imports/{id}");
    let shown = cast.app.page(Some(&cast.admin), &page).await;
    for words in ["Stopped by a fault", "The database stayed away.", "Nothing of it was applied."] {
        assert!(shown.body.contains(words), "{words}: {}", shown.body);
    }
    assert!(!shown.body.contains("cannot be taken over"));
    assert!(cast.app.page(Some(&cast.admin), "/admin/imports").await.body.contains("Stopped by a fault"));
    assert!(shown.body.contains("action=\"/do/imports/discard\""), "{}", shown.body);
    let discarded = cast.app.form(Some(&cast.admin), &page, "/do/imports/discard", &[("import", id.as_str())]).await;
    assert_eq!(discarded.status, 303);
}

#[tokio::test]
async fn a_file_of_incidents_is_read_as_somebody_says() {
    let cast = Cast::new().await;
    let file = b"No;What;Sev;When\n7;Checkout is <down>;2;03/11/2025 14:05\n";
    let fields = [("kind", "incidents"), ("options.source", "tickets"), ("options.severity", "")];
    let answer = upload(&cast, &cast.admin, &fields, Some(("incidents.csv", file))).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = answer.header("location").to_owned();
    work(&cast).await;
    let shown = cast.app.page(Some(&cast.admin), &page).await;
    for words in [
        "How this file is read",
        "CSV separated by semicolons",
        "Checkout is &lt;down&gt;",
        "columns[3]",
        "already is refused",
    ] {
        assert!(shown.body.contains(words), "{words}: {}", shown.body);
    }
    let id = page.rsplit('/').next().unwrap();
    let read = async |fields: &[(&str, &str)]| {
        let version = cast.get(&cast.admin, &format!("/imports/{id}")).await.json()["version"].to_string();
        let own = [("import", id), ("version", version.as_str()), ("source", "tickets")];
        let fields: Vec<_> = own.iter().chain(fields).copied().collect();
        cast.app.form(Some(&cast.admin), &page, "/do/imports/read-incidents", &fields).await
    };
    let columns = [
        ("columns[0]", "external_id"),
        ("columns[1]", "title"),
        ("columns[2]", "severity"),
        ("columns[3]", "started_at"),
    ];
    let wrong = read(&[&columns[..], &[("zone", "Mars/Base")]].concat()).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("Give a time zone") && wrong.body.contains("Mars/Base"), "{}", wrong.body);
    // Day or month? The page says that it cannot be told.
    assert_eq!(read(&columns).await.status, 303);
    work(&cast).await;
    let shown = cast.app.page(Some(&cast.admin), &page).await;
    assert!(shown.body.contains("Not understood yet") && shown.body.contains("Say which it is"), "{}", shown.body);
    assert_eq!(read(&[&columns[..], &[("dates", "day-first"), ("zone", "Europe/Berlin")]].concat()).await.status, 303);
    work(&cast).await;
    let shown = cast.app.page(Some(&cast.admin), &page).await;
    assert!(shown.body.contains("Ready to apply") && shown.body.contains("Checkout is"), "{}", shown.body);
    let version = cast.get(&cast.admin, &format!("/imports/{id}")).await.json()["version"].to_string();
    let fields = [("import", id), ("version", version.as_str())];
    assert_eq!(cast.app.form(Some(&cast.admin), &page, "/do/imports/apply", &fields).await.status, 303);
    work(&cast).await;
    let report = cast.app.page(Some(&cast.admin), &page).await;
    assert!(report.body.contains("href=\"/incidents?period=all&amp;q=7\""), "{}", report.body);
    let found = cast.app.page(Some(&cast.admin), "/incidents?period=all&q=7").await;
    assert_eq!(texts(&found.body, ".rows .row-title"), ["Checkout is <down>"]);
    let found = cast.get(&cast.reader, "/incidents").await.json();
    assert_eq!(
        (found["items"][0]["external_id"].as_str(), found["items"][0]["started_at"].as_str()),
        (Some("7"), Some("2025-11-03T13:05:00Z"))
    );
    let new = cast.app.page(Some(&cast.admin), "/admin/imports/new?kind=incidents").await;
    assert!(new.status == 200 && new.body.contains("options.zone"), "{}", new.body);
}

#[tokio::test]
async fn a_refused_file_leaves_what_was_said_with_it() {
    let cast = Cast::new().await;
    let said = [
        ("kind", "incidents"),
        ("once", "u-1"),
        // As a form that is shown again says it: the browser's address is then that of the upload.
        ("page", "/admin/imports/new?kind=incidents"),
        ("options.source", "pager <b>"),
        ("options.zone", "America/Santiago"),
        ("options.dates", "month-first"),
        ("options.severity", "3"),
    ];
    let value = |page: &str, field: &str| {
        let selector = scraper::Selector::parse(field).unwrap();
        let page = scraper::Html::parse_document(page);
        page.select(&selector).next().and_then(|found| found.attr("value")).unwrap_or_default().to_owned()
    };
    let answer = upload(&cast, &cast.admin, &said, Some(("pager.csv", b""))).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("Import incidents"), "{}", answer.body);
    for (field, expected) in [
        ("[name='options.source']", "pager <b>"),
        ("[name='options.zone']", "America/Santiago"),
        ("[name='options.dates'] [selected]", "month-first"),
        ("[name='options.severity'] [selected]", "3"),
    ] {
        assert_eq!(value(&answer.body, field), expected, "{field}");
    }
    let large = vec![b'#'; limits::CATALOG_FILE_BYTES + 1];
    let said = [("kind", "catalog"), ("options.tier", "1")];
    let answer = upload(&cast, &cast.admin, &said, Some(("large.yml", &large))).await;
    assert_eq!((answer.status.as_u16(), value(&answer.body, "[name='options.tier'] [selected]").as_str()), (413, "1"));
    let many = vec![("options.source", "pager"); 60];
    let answer = upload(&cast, &cast.admin, &many, None).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("too many fields"), "{}", answer.body);
}

#[tokio::test]
async fn whoever_says_what_a_name_stands_for_stays_in_the_list() {
    let cast = Cast::new().await;
    let content = "external_id,title,severity,started_at,services\n1,Down,2,2025-11-03T14:05:00Z,harbour wi-fi\n";
    let new = json!({ "kind": "incidents", "name": "a.csv", "content": content, "options": { "source": "pager" } });
    let id = cast.post(&cast.admin, "/imports", new).await.json()["id"].as_str().unwrap().to_owned();
    work(&cast).await;
    let path = format!("/imports/{id}");
    let version = cast.get(&cast.admin, &path).await.header("etag").to_owned();
    let applied = cast.change(&cast.admin, "POST", &format!("{path}/apply"), &version, Value::Null).await;
    assert_eq!(applied.status, 200, "{}", applied.body);
    work(&cast).await;
    let report = cast.app.page(Some(&cast.admin), &format!("/admin/imports/{id}?show=noted")).await;
    assert_eq!(texts(&report.body, "td ~ th a[href='/incidents/unknown-services']"), ["harbour wi-fi"]);
    let list = cast.app.page(Some(&cast.admin), "/incidents/unknown-services").await;
    assert!(list.body.contains(r#"name="back" value="/incidents/unknown-services""#), "{}", list.body);
    let back = "/incidents/unknown-services?state=mapped&cursor=x";
    let fields = [("name", "harbour wi-fi"), ("service", ""), ("intent", "ignore"), ("back", back)];
    let set_aside = cast.app.form(Some(&cast.admin), back, "/do/incidents/map-service", &fields).await;
    assert_eq!(set_aside.header("location"), format!("{back}&done=name_ignored"), "{}", set_aside.body);
}
