//! `/webhooks`, `/deliveries`, and the calls themselves: a receiver of ours that answers as it is told, on the loopback
//! address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use backend::outbox::{self, Claimed, Failed, Kind};
use backend::{Backend, SystemClock, SystemEntropy};
use jiff::SignedDuration;
use serde_json::{Value, json};
use server::config::{Config, Networks};
use server::jobs::news::News;
use server::jobs::webhooks::Webhooks;
use server::jobs::worker::{self, SendError, Sender as _};
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What a receiver does with a call.
#[derive(Clone, Copy)]
enum Does {
    /// Answers with this head and body.
    Answer(&'static str),
    /// Nothing, for ever.
    Hang,
    /// Answers with a status, then its body never ends.
    HangInBody,
    /// Closes the connection.
    Reset,
    /// Answers 200 and sends ten million bytes, unless nobody listens any more.
    Flood,
}

const OK: Does = Does::Answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const BROKEN: Does = Does::Answer("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 9\r\n\r\nOh \x1b[0m\x00!");

/// Head and body of a call.
type Seen = (HeaderMap, Vec<u8>);

/// A receiver with what it was sent.
#[derive(Clone)]
struct Receiver {
    address: SocketAddr,
    does: Arc<Mutex<Does>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    flooded: Arc<Mutex<usize>>,
}

impl Receiver {
    async fn new(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let receiver =
            Self { address, does: Arc::new(Mutex::new(does)), seen: Arc::default(), flooded: Arc::default() };
        let inner = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(inner.clone().answer(stream));
            }
        });
        receiver
    }

    /// One call on one connection.
    async fn answer(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let (head, length) = loop {
            let mut chunk = [0; 4096];
            let read = stream.read(&mut chunk).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            bytes.extend(&chunk[..read]);
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let mut headers = HeaderMap::new();
            for line in String::from_utf8_lossy(&bytes[..end]).lines().skip(1) {
                let (name, value) = line.split_once(": ").unwrap();
                headers.insert(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
            }
            let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
            if bytes.len() >= end + 4 + length {
                bytes.drain(..end + 4);
                break (headers, length);
            }
        };
        bytes.truncate(length);
        self.seen.lock().unwrap().push((head, bytes));
        let does = *self.does.lock().unwrap();
        match does {
            Does::Answer(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
            }
            Does::Hang => tokio::time::sleep(Duration::from_mins(1)).await,
            Does::HangInBody => {
                let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\nwait").await;
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            Does::Reset => {}
            Does::Flood => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n").await;
                let chunk = [b'x'; 10_000];
                for _ in 0..1000 {
                    if stream.write_all(&chunk).await.is_err() {
                        break;
                    }
                    *self.flooded.lock().unwrap() += chunk.len();
                }
            }
        }
    }

    fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }
}

fn networks(allowed: &str) -> Networks {
    let vars = [("PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS".to_owned(), allowed.to_owned())];
    Config::from_vars(vars, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap().webhook_allowed_networks
}

fn sender(allowed: &str, time: Duration) -> Webhooks {
    Webhooks::with_time(&support::BASE_URL.parse().unwrap(), &networks(allowed), time)
}

/// A webhook to this address, made by the admin; its id and secret.
async fn webhook(cast: &Cast, url: &str, format: &str) -> (String, String) {
    let new = json!({ "name": url, "url": url, "format": format, "events": ["team", "rfc", "incident"] });
    let answer = cast.post(&cast.admin, "/webhooks", new).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""), "{}", answer.body);
    (answer.json()["id"].as_str().unwrap().to_owned(), answer.json()["secret"].as_str().unwrap().to_owned())
}

/// Something that goes out happens.
async fn happens(cast: &Cast, team: &str) {
    let headers: &[(&str, &str)] = &[];
    let answer =
        cast.app.call_with(Some(&cast.admin), "PUT", &format!("/teams/{team}"), json!({ "name": team }), headers).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
}

/// The calls that are due.
async fn due(cast: &Cast) -> Vec<Claimed> {
    let mut claimed = outbox::claim(&cast.app.backend, Kind::Webhook, "me", 50).await.unwrap();
    claimed.sort_by_key(|work| work.id);
    claimed
}

/// Sends one and records what became of it, as the worker does.
async fn send(cast: &Cast, sender: &Webhooks, work: &Claimed) -> Result<(), SendError> {
    let result = sender.send(&cast.app.backend, work).await;
    match &result {
        Ok(()) => outbox::finish(&cast.app.backend, &[work.id]).await.unwrap(),
        Err(error) => outbox::fail(&cast.app.backend, work, &error.why, error.failed).await.unwrap(),
    }
    result
}

/// One call to a receiver that does this, and how long it took.
async fn one(cast: &Cast, does: Does) -> (Receiver, Result<(), SendError>, Value) {
    let receiver = Receiver::new(does).await;
    webhook(cast, &receiver.url(), "standard").await;
    happens(cast, &format!("team-{}", receiver.address.port())).await;
    let work = due(cast).await.into_iter().next_back().unwrap();
    let begun = std::time::Instant::now();
    let result = send(cast, &sender("127.0.0.0/8", Duration::from_secs(1)), &work).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let detail = cast.get(&cast.admin, &format!("/deliveries/{}", work.id)).await.json();
    (receiver, result, detail)
}

#[tokio::test]
async fn an_independent_library_verifies_the_signature_and_redelivery_keeps_the_id() {
    let cast = Cast::new().await;
    // The library looks at the machine's clock.
    let real = Backend::new(cast.app.backend.pool().clone(), Arc::new(SystemClock), Arc::new(SystemEntropy));
    let receiver = Receiver::new(BROKEN).await;
    let (id, secret) = webhook(&cast, &receiver.url(), "standard").await;
    let rotated = cast.post(&cast.admin, &format!("/webhooks/{id}/rotate"), Value::Null).await;
    assert_eq!((rotated.status.as_u16(), rotated.header("etag")), (200, "\"2\""));
    happens(&cast, "payments").await;
    let sender = sender("127.0.0.0/8", Duration::from_secs(5));
    for attempt in 1..=3 {
        let mut work = due(&cast).await.remove(0);
        assert_eq!(work.attempt, attempt);
        if attempt == 3 {
            *receiver.does.lock().unwrap() = OK;
        }
        // The old secret is valid by the clock of the test, so both sign as long as that one stands still.
        let result = sender.send(&real, &work).await;
        match result {
            Ok(()) => outbox::finish(&cast.app.backend, &[work.id]).await.unwrap(),
            Err(error) => {
                assert_eq!((error.why.as_str(), error.failed), ("answered 500", Failed::Later));
                work.attempt = attempt;
                outbox::fail(&cast.app.backend, &work, &error.why, error.failed).await.unwrap();
            }
        }
        cast.app.backend.clock.advance(SignedDuration::from_mins(10));
    }
    let seen = receiver.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 3);
    let new = rotated.json()["secret"].as_str().unwrap().to_owned();
    for (headers, body) in &seen {
        Webhook::new(&new).unwrap().verify(body, headers).unwrap();
        assert_eq!(headers["webhook-id"], seen[0].0["webhook-id"]);
        assert_eq!(body, &seen[0].1, "the same at every try");
        assert_eq!(headers["content-type"], "application/json");
        assert!(!headers.contains_key("referer") && !headers.contains_key("cookie"));
        let mut altered = body.clone();
        altered.push(b' ');
        assert!(Webhook::new(&new).unwrap().verify(&altered, headers).is_err());
        let signatures = headers["webhook-signature"].to_str().unwrap().split(' ').count();
        if signatures == 2 {
            Webhook::new(&secret).unwrap().verify(body, headers).unwrap();
        }
    }
    let body: Value = serde_json::from_slice(&seen[0].1).unwrap();
    assert_eq!(
        (body["type"].as_str(), body["data"]["subject"]["key"].as_str()),
        (Some("team.created"), Some("payments"))
    );
    assert_eq!(body["data"]["subject"]["url"], "http://plumbline.test/teams/payments");
    assert!(body["timestamp"].is_string() && seen[0].1.len() < 20_000);
    let listed = cast.get(&cast.admin, "/deliveries?kind=webhook&state=done").await.json();
    let delivery =
        cast.get(&cast.admin, &format!("/deliveries/{}", listed["items"][0]["id"].as_str().unwrap())).await.json();
    let statuses: Vec<_> =
        delivery["tries"].as_array().unwrap().iter().map(|one| one["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [200, 500, 500]);
    assert_eq!(delivery["tries"][1]["answer"], "Oh [0m!");
}

#[tokio::test]
async fn slack_gets_a_sentence_and_no_signature() {
    let cast = Cast::new().await;
    let receiver = Receiver::new(OK).await;
    let (id, _) = webhook(&cast, &receiver.url(), "slack").await;
    let rotated = cast.post(&cast.admin, &format!("/webhooks/{id}/rotate"), Value::Null).await;
    assert_eq!(rotated.status, 409);
    happens(&cast, "payments").await;
    let new = json!({ "title": "Checkout is slow", "type": "data", "severity": 2, "services": [],
                      "started_at": "2026-10-01T10:00:00Z" });
    let answer = cast.post(&cast.admin, "/incidents", new).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let incident = answer.json()["id"].as_str().unwrap().to_owned();
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    for work in due(&cast).await {
        send(&cast, &sender("127.0.0.0/8", Duration::from_secs(5)), &work).await.unwrap();
    }
    let seen = receiver.seen.lock().unwrap();
    let expected = [
        "Ada Admin added <http://plumbline.test/teams/payments|team payments>.".to_owned(),
        format!("Ada Admin recorded <http://plumbline.test/incidents/{incident}|incident Checkout is slow>."),
    ];
    assert_eq!(seen.len(), expected.len());
    for ((headers, body), expected) in seen.iter().zip(expected) {
        assert!(!headers.keys().any(|name| name.as_str().starts_with("webhook-")));
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["text"], expected);
        assert_eq!(body["blocks"][0]["text"]["type"], "mrkdwn");
    }
}

#[tokio::test]
async fn gone_disables_the_webhook_until_an_admin_enables_it() {
    let cast = Cast::new().await;
    let (receiver, result, _) = one(&cast, Does::Answer("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")).await;
    assert_eq!(result.unwrap_err().failed, Failed::ForGood);
    let webhook = cast.get(&cast.admin, "/webhooks").await.json()["items"][0].clone();
    assert_eq!((&webhook["active"], &webhook["version"]), (&json!(false), &json!(2)));
    assert!(webhook["disabled_reason"].as_str().unwrap().contains("410"));
    happens(&cast, "later").await;
    assert!(due(&cast).await.is_empty(), "nothing more for it");
    let dead = cast.get(&cast.admin, "/deliveries?state=dead").await.json()["items"][0].clone();
    let again = format!("/deliveries/{}/retry", dead["id"].as_str().unwrap());
    assert_eq!(cast.post(&cast.admin, &again, Value::Null).await.status, 202);
    let sender = sender("127.0.0.0/8", Duration::from_secs(5));
    let refused = send(&cast, &sender, &due(&cast).await[0]).await.unwrap_err();
    assert!(refused.why.contains("disabled"), "{}", refused.why);

    let path = format!("/webhooks/{}", webhook["id"].as_str().unwrap());
    let put = json!({ "name": "On again", "url": receiver.url() });
    let enabled = cast.change(&cast.admin, "PUT", &path, "\"2\"", put).await;
    assert_eq!((&enabled.json()["active"], &enabled.json()["disabled_reason"]), (&json!(true), &json!("")));
    *receiver.does.lock().unwrap() = OK;
    assert_eq!(cast.post(&cast.admin, "/deliveries/retry", json!({ "kind": "webhook" })).await.json()["sent_again"], 1);
    send(&cast, &sender, &due(&cast).await[0]).await.unwrap();
    let seen = receiver.seen.lock().unwrap();
    assert_eq!(seen[0].0["webhook-id"], seen[1].0["webhook-id"], "the same message under the same id");
}

#[tokio::test]
async fn a_hostile_receiver_is_named_and_bounded() {
    let cast = Cast::new().await;
    let failed = |result: Result<(), SendError>| result.unwrap_err().why;
    let (_, result, detail) = one(&cast, Does::Hang).await;
    assert_eq!(failed(result), "no answer in time");
    assert_eq!(
        (&detail["tries"][0]["status"], &detail["tries"][0]["error"]),
        (&Value::Null, &json!("no answer in time"))
    );
    assert!(detail["tries"][0]["duration_ms"].as_i64().unwrap() >= 900, "{detail}");

    // It has said that it took it.
    let (_, result, detail) = one(&cast, Does::HangInBody).await;
    result.unwrap();
    assert_eq!((&detail["tries"][0]["status"], &detail["tries"][0]["answer"]), (&json!(202), &json!("wait")));

    let (_, result, detail) = one(&cast, Does::Reset).await;
    assert!(!failed(result).is_empty());
    assert_eq!(detail["state"], "failed");

    let (receiver, result, detail) = one(&cast, Does::Flood).await;
    result.unwrap();
    assert_eq!(detail["tries"][0]["answer"].as_str().unwrap().len(), 1024);
    let flooded = *receiver.flooded.lock().unwrap();
    assert!(flooded < 9_000_000, "{flooded} bytes were taken");

    let redirect =
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n";
    let (receiver, result, _) = one(&cast, Does::Answer(redirect)).await;
    assert_eq!(failed(result), "answered 307, a redirect to http://169.254.169.254/latest, which is not followed");
    assert_eq!(receiver.seen.lock().unwrap().len(), 1);

    let busy = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n";
    let (_, result, detail) = one(&cast, Does::Answer(busy)).await;
    assert_eq!(result.unwrap_err().failed, Failed::After(SignedDuration::from_hours(1)));
    let due: jiff::Timestamp = detail["due_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(due.duration_since(cast.app.backend.now()), SignedDuration::from_hours(1));

    let nonsense = Does::Answer("SSH-2.0-OpenSSH_9.2\r\n");
    let (_, result, _) = one(&cast, nonsense).await;
    assert!(!failed(result).is_empty());
    let (_, result, _) = one(&cast, OK).await;
    result.unwrap();
}

#[tokio::test]
async fn inner_addresses_are_refused_whatever_they_are_called() {
    let cast = Cast::new().await;
    let receiver = Receiver::new(OK).await;
    let port = receiver.address.port();
    let addresses = [
        format!("https://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("https://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "https://[::1]/".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "http://8.8.8.8/".to_owned(),
    ];
    for address in &addresses {
        webhook(&cast, address, "standard").await;
    }
    happens(&cast, "payments").await;
    let sender = sender("none", Duration::from_secs(5));
    let works = due(&cast).await;
    assert_eq!(works.len(), addresses.len());
    for (address, work) in addresses.iter().zip(&works) {
        let why = send(&cast, &sender, work).await.unwrap_err().why;
        assert!(why.contains("PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS"), "{address}: {why}");
    }
    assert!(receiver.seen.lock().unwrap().is_empty(), "nothing reached it");
    // With the network allowed the name leads there.
    let by_name = works.iter().zip(&addresses).find(|(_, address)| address.starts_with("http://localhost")).unwrap().0;
    super::webhooks::sender("127.0.0.0/8, ::1", Duration::from_secs(5)).send(&cast.app.backend, by_name).await.unwrap();
    assert_eq!(receiver.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_but_itself() {
    let cast = Cast::new().await;
    let (slow, quick) = (Receiver::new(Does::Hang).await, Receiver::new(OK).await);
    // As many as it takes to fill all hands of a process, and one more.
    for number in 0..5 {
        let url = format!("{}/{number}", slow.url());
        webhook(&cast, &url, "standard").await;
    }
    webhook(&cast, &quick.url(), "standard").await;
    happens(&cast, "first").await;
    // Much more waits for each slow one than a process has hands, and all of it waits longer.
    sqlx::query!(
        "insert into outbox (key, kind, payload, due_at, created_at)
         select key || number, kind, payload, due_at - interval '1 hour', created_at
         from outbox, generate_series(1, 100) as number
         where kind = 'webhook' and (payload ->> 'webhook')::bigint
               in (select id from webhooks where url like $1 || '/%')",
        slow.url(),
    )
    .execute(cast.app.backend.pool())
    .await
    .unwrap();
    let sender = Arc::new(sender("127.0.0.0/8", Duration::from_secs(1)));
    let stopping = tokio_util::sync::CancellationToken::new();
    let backend = cast.app.backend.backend.clone();
    let working = tokio::spawn(worker::send(backend, sender, "me".to_owned(), News::default(), stopping.clone()));
    let eventually = async |calls: usize| {
        let begun = std::time::Instant::now();
        while quick.seen.lock().unwrap().len() < calls {
            assert!(begun.elapsed() < Duration::from_secs(10), "the quick one waits for the slow ones");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    eventually(1).await;
    for team in 0..20 {
        happens(&cast, &format!("team-{team}")).await;
    }
    eventually(21).await;
    assert!(slow.seen.lock().unwrap().len() >= 20, "they are called all the same");
    working.abort();
    stopping.cancel();
}

#[tokio::test]
async fn a_webhook_over_rest() {
    let cast = Cast::new().await;
    let (id, secret) = webhook(&cast, "https://hooks.example.com/in", "standard").await;
    assert!(secret.starts_with("whsec_"));
    let path = format!("/webhooks/{id}");
    let read = cast.get(&cast.admin, &path).await;
    assert!(!read.body.contains("whsec") && read.header("etag") == "\"1\"");
    let wrong = json!({ "name": "", "url": "ftp://x", "format": "xml", "events": ["token"] });
    assert_eq!(wrong_fields(&cast.post(&cast.admin, "/webhooks", wrong).await), ["name", "url", "format", "events"]);
    let key = [("idempotency-key", "k")];
    let new = json!({ "name": "Twice", "url": "https://hooks.example.com/two" });
    let made = cast.app.call_with(Some(&cast.admin), "POST", "/webhooks", new.clone(), &key).await;
    assert_eq!(made.status, 201);
    let again = cast.app.call_with(Some(&cast.admin), "POST", "/webhooks", new.clone(), &key).await;
    assert_eq!(again.status, 409, "the secret was shown; {}", again.body);
    let mut off = read.json();
    off["active"] = json!(false);
    for said in ["previous_secret_until", "disabled_at", "disabled_reason", "id"] {
        off.as_object_mut().unwrap().remove(said);
    }
    assert_eq!(cast.app.call(Some(&cast.admin), "PUT", &path, off.clone()).await.status, 428);
    assert_eq!(cast.change(&cast.admin, "PUT", &path, "\"9\"", off.clone()).await.status, 412);
    assert_eq!(cast.change(&cast.admin, "PUT", &path, "\"1\"", off).await.json()["active"], false);
    assert_eq!(cast.post(&cast.admin, &format!("{path}/test"), Value::Null).await.status, 409);
    assert_eq!(cast.change(&cast.admin, "DELETE", &path, "\"2\"", Value::Null).await.status, 204);
    assert_eq!(cast.get(&cast.admin, &path).await.status, 404);
    assert_eq!(cast.get(&cast.admin, "/webhooks/x").await.status, 404);
    assert_eq!(wrong_fields(&cast.get(&cast.admin, "/deliveries?state=lost").await), ["state"]);
    assert_eq!(wrong_fields(&cast.get(&cast.admin, "/deliveries?kind=pigeon").await), ["kind"]);
}

#[tokio::test]
async fn a_test_call_is_tried_once() {
    let cast = Cast::new().await;
    let receiver = Receiver::new(BROKEN).await;
    let (id, _) = webhook(&cast, &receiver.url(), "standard").await;
    assert_eq!(cast.post(&cast.admin, &format!("/webhooks/{id}/test"), Value::Null).await.status, 202);
    let work = due(&cast).await.remove(0);
    let error = send(&cast, &sender("127.0.0.0/8", Duration::from_secs(5)), &work).await.unwrap_err();
    assert_eq!((error.why.as_str(), error.failed), ("answered 500", Failed::ForGood));
    let body: Value = serde_json::from_slice(&receiver.seen.lock().unwrap()[0].1).unwrap();
    assert_eq!((body["type"].as_str(), &body["data"]["subject"]), (Some("webhook.test"), &Value::Null));
    let listed = cast.get(&cast.admin, &format!("/deliveries?webhook={id}&state=dead")).await.json();
    assert_eq!(listed["items"][0]["about"], "This is a test of Plumbline, by Ada Admin. Nothing happened.");
    assert_eq!(listed["items"][0]["webhook"], receiver.url());
}

/// What a page shows of a secret, if it does.
fn shown_secret(page: &Answer) -> Option<String> {
    let start = page.body.find("whsec_")?;
    Some(page.body[start..].chars().take_while(|character| !matches!(character, '"' | '<')).collect())
}

#[tokio::test]
async fn an_admin_makes_a_webhook_on_pages_and_sees_its_secret_once() {
    let cast = Cast::new().await;
    let admin = Some(&cast.admin);
    let post = async |action: &str, fields: &[(&str, &str)]| {
        cast.app.form(admin, "/admin/webhooks/new", &format!("/do/admin/{action}"), fields).await
    };
    let refused =
        post("create-webhook", &[("name", "Chat"), ("url", "ftp://x"), ("format", "slack"), ("nouns[]", "rfc")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("A link starts with https://") && refused.body.contains(r#"value="ftp://x""#));
    let fields = [
        ("name", "Chat"),
        ("url", "https://hooks.example.com/in/secret-path"),
        ("format", "standard"),
        ("nouns[]", "rfc"),
        ("nouns[]", "incident"),
        ("events", "service.archived, service.renamed"),
    ];
    let make = async |fields: &[(&str, &str)]| {
        let made = post("create-webhook", fields).await;
        let address = made.header("location").split('?').next().unwrap().to_owned();
        assert!(address.starts_with("/admin/webhooks/"), "{} {}", made.status, made.body);
        address
    };
    let address = make(&fields).await;
    // A secret waits for the page of its own webhook.
    let other = [("name", "Pager"), ("url", "https://pager.example.com"), ("format", "standard")];
    let elsewhere = make(&other).await;
    let page = cast.app.page(admin, &address).await;
    let secret = shown_secret(&page).unwrap();
    assert_eq!(secret.len(), "whsec_".len() + 44);
    assert!(shown_secret(&cast.app.page(admin, &elsewhere).await).is_some_and(|other| other != secret));
    assert!(page.body.contains("RFCs, Incidents, service.archived, service.renamed"), "{}", page.body);
    assert_eq!(shown_secret(&cast.app.page(admin, &address).await), None, "once");
    let list = cast.app.page(admin, "/admin/webhooks").await;
    assert!(list.body.contains("hooks.example.com") && !list.body.contains("secret-path"));

    let id = address.rsplit('/').next().unwrap();
    let tested = post("test-webhook", &[("webhook", id)]).await;
    assert_eq!(tested.header("location"), format!("{address}?done=webhook_tested"));
    assert!(cast.app.page(admin, &address).await.body.contains("This is a test of Plumbline"));
    post("rotate-webhook", &[("webhook", id)]).await;
    let rotated = cast.app.page(admin, &address).await;
    assert!(shown_secret(&rotated).is_some_and(|new| new != secret));
    assert!(rotated.body.contains("Signed with two secrets until"));
    assert_eq!(
        post("switch-webhook", &[("webhook", id), ("active", "false")]).await.header("location"),
        format!("{address}?done=switched_off")
    );
    assert!(cast.app.page(admin, &address).await.body.contains("Not called since"));
    let version = cast.get(&cast.admin, &format!("/webhooks/{id}")).await.json()["version"].to_string();
    let gone = post("delete-webhook", &[("webhook", id), ("version", &version)]).await;
    assert_eq!(gone.header("location"), "/admin/webhooks?done=webhook_deleted");
    assert_eq!(cast.app.page(admin, &address).await.status, 404);
}

#[tokio::test]
async fn the_outbox_shows_mails_as_text_and_sends_again() {
    let cast = Cast::new().await;
    let admin = Some(&cast.admin);
    let empty = cast.app.page(admin, "/admin/outbox?kind=mail&state=dead").await;
    assert!(empty.body.contains("Nothing was given up"), "{}", empty.body);
    let mail = json!({
        "to": "ines@example.com", "to_name": "Ines", "subject": "[Incident 7] <b>Shard</b>", "person": 999, "zone": "UTC",
        "thread": "incident:7", "title": { "words": "Shard", "path": "/incidents/7" },
        "news": [{ "kind": "incident", "reason": "team", "text": "Ada wrote", "excerpt": "<script>alert(1)</script>",
                   "place": "", "at": "2026-11-02T09:00:00Z" }],
    });
    let mut tx = cast.app.backend.begin_unsigned().await.unwrap();
    let due_at = cast.app.backend.now();
    tx.put(&outbox::Work { key: "mail:1".into(), kind: Kind::Mail, payload: mail, due_at }).await.unwrap();
    tx.commit(()).await.unwrap();
    let work = outbox::claim(&cast.app.backend, Kind::Mail, "me", 1).await.unwrap().remove(0);
    outbox::fail(&cast.app.backend, &work, "550 no such <mailbox>", Failed::ForGood).await.unwrap();

    let list = cast.app.page(admin, "/admin/outbox?state=dead").await;
    assert!(
        list.body.contains("[Incident 7] &lt;b&gt;Shard") && list.body.contains("550 no such &lt;mailbox"),
        "{}",
        list.body
    );
    assert!(list.body.contains("Send all again") && list.body.contains("to ines@example.com"));
    let address = format!("/admin/outbox/{}", work.id);
    let page = cast.app.page(admin, &address).await;
    assert!(page.body.contains("&lt;script&gt;alert(1)") && !page.body.contains("&lt;!doctype"), "{}", page.body);
    assert!(page.body.contains("List-Id") && page.body.contains("ines@example.com"));
    assert!(page.body.contains("Last error") && page.body.contains("Let it go"), "{}", page.body);
    let id = work.id.to_string();
    let again = cast.app.form(admin, &address, "/do/admin/retry-delivery", &[("delivery", &id)]).await;
    assert_eq!(again.header("location"), format!("{address}?done=sent_again"));
    let work = outbox::claim(&cast.app.backend, Kind::Mail, "me", 1).await.unwrap().remove(0);
    assert_eq!(work.key, "mail:1");
    let refused = cast.app.form(admin, &address, "/do/admin/retry-delivery", &[("delivery", &id)]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("on its way"), "{}", refused.body);
    let let_go = format!("/deliveries/{id}/let-go");
    assert_eq!(cast.post(&cast.admin, &let_go, Value::Null).await.status, 409);
    outbox::fail(&cast.app.backend, &work, "550 no such <mailbox>", Failed::ForGood).await.unwrap();
    let gone = cast.app.form(admin, &address, "/do/admin/let-go-delivery", &[("delivery", &id)]).await;
    assert_eq!(gone.header("location"), format!("{address}?done=let_go"));
    let page = cast.app.page(admin, &address).await;
    assert!(texts(&page.body, "dt").contains(&"Note".to_owned()) && page.body.contains("550 no such"), "{}", page.body);
    assert!(!page.body.contains("Last error") && !page.body.contains("Let it go"), "{}", page.body);
    let empty = cast.app.page(admin, "/admin/outbox?state=dead").await;
    assert!(empty.body.contains("until somebody sends it again or lets it go"), "{}", empty.body);
    let hook = cast
        .app
        .form(admin, "/admin/webhooks", "/do/admin/create-hook", &[("name", "Pager"), ("purpose", "incidents")])
        .await;
    assert_eq!(hook.header("location"), "/admin/webhooks#hooks");
    let shown = cast.app.page(admin, "/admin/webhooks").await;
    assert!(shown_secret(&shown).is_some() && shown.body.contains("http://plumbline.test/hooks/"));
    assert_eq!(shown_secret(&cast.app.page(admin, "/admin/webhooks").await), None);
}

#[tokio::test]
async fn a_call_that_was_given_up_is_news_to_the_admins() {
    let cast = Cast::new().await;
    let receiver = Receiver::new(BROKEN).await;
    webhook(&cast, &receiver.url(), "standard").await;
    happens(&cast, "payments").await;
    sqlx::query!("update outbox set attempts = $1 where kind = 'webhook'", outbox::TRIES - 1)
        .execute(cast.app.backend.pool())
        .await
        .unwrap();
    let work = due(&cast).await.remove(0);
    send(&cast, &sender("127.0.0.0/8", Duration::from_secs(5)), &work).await.unwrap_err();
    let listed = cast.get(&cast.admin, "/deliveries?state=dead&kind=webhook").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    let inbox = cast.get(&cast.admin, "/inbox").await;
    assert!(inbox.body.contains(&receiver.url()) && inbox.body.contains("was given up"), "{}", inbox.body);
    assert!(!cast.get(&cast.sre, "/inbox").await.body.contains("was given up"));
}

#[tokio::test]
async fn what_mails_say_of_a_draft_is_not_shown_to_other_admins() {
    let cast = Cast::new().await;
    let number = cast.draft("One sentence.\n").await;
    let path = format!("/rfcs/{number}");
    let version = cast.get(&cast.author, &path).await.json()["version"].clone();
    let share = json!({ "shared_with": ["mia@example.com"] });
    let shared = cast.change(&cast.author, "PATCH", &path, &format!("\"{version}\""), share).await;
    assert_eq!(shared.status, 200, "{}", shared.body);
    cast.thread(number).await;
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    let listed = cast.get(&cast.admin, "/deliveries?kind=mail").await;
    assert!(!listed.body.contains("Shard the ledger"), "{}", listed.body);
    let listed = listed.json();
    let mails = listed["items"].as_array().unwrap();
    let mail = mails.iter().find(|mail| mail["withheld"] == true && mail["to"] == "ana@example.com").unwrap();
    assert_eq!(mail["about"], "A mail about a draft");
    let id = mail["id"].as_str().unwrap();
    let shown = cast.get(&cast.admin, &format!("/deliveries/{id}")).await.json();
    assert_eq!((&shown["withheld"], &shown["payload"]), (&json!(true), &json!({ "to": "ana@example.com" })));
    let page = cast.app.page(Some(&cast.admin), &format!("/admin/outbox/{id}")).await;
    assert!(page.body.contains("Not shown: it is about a draft") && page.body.contains("ana@example.com"));
    assert!(!page.body.contains("Shard the ledger") && !page.body.contains("Mia Member"), "{}", page.body);
    let list = cast.app.page(Some(&cast.admin), "/admin/outbox?kind=mail").await;
    assert!(list.body.contains("A mail about a draft") && !list.body.contains("Shard the ledger"), "{}", list.body);

    let published = cast.post(&cast.author, &format!("{path}/status"), json!({ "to": "in_review" })).await;
    assert_eq!(published.status, 200, "{}", published.body);
    let shown = cast.get(&cast.admin, &format!("/deliveries/{id}")).await.json();
    assert_eq!(shown["withheld"], false);
    assert!(shown["payload"]["text"].as_str().unwrap().contains("Mia Member commented"), "{shown}");
}

#[tokio::test]
async fn what_was_given_up_for_one_webhook_is_sent_again_for_that_one_only() {
    let cast = Cast::new().await;
    let admin = Some(&cast.admin);
    let (chat, _) = webhook(&cast, "https://chat.example.com/in", "standard").await;
    let (pager, _) = webhook(&cast, "https://pager.example.com/in", "standard").await;
    happens(&cast, "payments").await;
    for work in due(&cast).await {
        outbox::fail(&cast.app.backend, &work, "away", Failed::ForGood).await.unwrap();
    }
    let both = cast.app.page(admin, "/admin/outbox?state=dead").await;
    assert!(both.body.contains("Send 2 deliveries again?"), "{}", both.body);
    let back = format!("/admin/outbox?kind=webhook&webhook={chat}");
    let list = cast.app.page(admin, &format!("{back}&state=dead")).await;
    assert!(list.body.contains("Send 1 delivery again?"), "{}", list.body);
    let action = "/do/admin/retry-dead";
    let fields = [("kind", "webhook"), ("webhook", chat.as_str()), ("back", back.as_str())];
    for (name, value) in fields {
        let hidden = format!("main form[action='{action}'] input[name={name}][value='{value}']");
        assert_eq!(texts(&list.body, &hidden).len(), 1, "{hidden}: {}", list.body);
    }
    let again = cast.app.form(admin, &back, action, &fields).await;
    assert_eq!(again.header("location"), format!("{back}&done=sent_again"), "{}", again.body);
    let left = cast.get(&cast.admin, "/deliveries?state=dead").await.json();
    let left: Vec<_> = left["items"].as_array().unwrap().iter().map(|item| item["webhook"].clone()).collect();
    assert_eq!(left, ["https://pager.example.com/in"]);
    let list = cast.app.page(admin, &format!("{back}&state=dead")).await;
    assert!(list.body.contains("Nothing was given up") && !list.body.contains("Send all again"), "{}", list.body);

    assert_eq!(cast.app.form(admin, &back, action, &[("kind", "pigeon")]).await.status, 422);
    assert_eq!(cast.app.page(admin, "/admin/outbox?kind=pigeon").await.status, 422);
    let retry = async |body: Value| cast.post(&cast.admin, "/deliveries/retry", body).await;
    assert_eq!(wrong_fields(&retry(json!({ "kind": "pigeon" })).await), ["kind"]);
    assert_eq!(retry(json!({ "webhook": "x" })).await.status, 404);
    for (webhook, expected) in [(&chat, 0), (&pager, 1)] {
        let sent = retry(json!({ "kind": "webhook", "webhook": webhook })).await.json();
        assert_eq!(sent["sent_again"], expected, "{webhook}");
    }
}

#[tokio::test]
async fn a_webhook_that_is_signed_from_now_on_shows_its_secret() {
    let cast = Cast::new().await;
    let admin = Some(&cast.admin);
    let said = [("name", "Chat"), ("url", "https://chat.example.com/in"), ("events", "")];
    let slack = [&said[..], &[("format", "slack")]].concat();
    let made = cast.app.form(admin, "/admin/webhooks/new", "/do/admin/create-webhook", &slack).await;
    let address = made.header("location").split('?').next().unwrap().to_owned();
    assert_eq!(shown_secret(&cast.app.page(admin, &address).await), None);
    let own = [("webhook", address.rsplit('/').next().unwrap()), ("version", "1"), ("active", "true"), ("once", "w-1")];
    let signed = [&own[..], &said, &[("format", "standard")]].concat();
    // Impatience shows it as well.
    for _ in 0..2 {
        let changed = cast.app.form(admin, &address, "/do/admin/edit-webhook", &signed).await;
        assert_eq!(changed.header("location"), format!("{address}?done=saved"), "{}", changed.body);
    }
    assert!(shown_secret(&cast.app.page(admin, &address).await).is_some());
}
