//! Mail as a mail server takes it, and the links in it.

use axum::body::Body;
use axum::http::Request;
use backend::notices::mail::KEPT;
use backend::{jobs, outbox};
use jiff::SignedDuration;
use mail_parser::{Message, MessageParser};
use serde_json::json;
use server::config::Config;
use server::jobs::mail::MailSender;
use server::jobs::worker::Sender as _;

use super::*;
use crate::smtp::{Smtp, Taken};

/// The product, a mail server and who sends it mail.
struct Post {
    cast: Cast,
    smtp: Smtp,
    sender: MailSender,
}

impl Post {
    async fn new() -> Self {
        let (cast, smtp) = (Cast::new().await, Smtp::start().await);
        let vars = [
            ("PLUMBLINE_BASE_URL", support::BASE_URL.to_owned()),
            ("PLUMBLINE_SMTP_URL", smtp.url()),
            ("PLUMBLINE_MAIL_FROM", "Plumbline <plumbline@plumbline.test>".to_owned()),
        ];
        let vars = vars.map(|(name, value)| (name.to_owned(), value));
        let config = Config::from_vars(vars, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        let base_url = config.base_url(([127, 0, 0, 1], 3000).into());
        let sender = MailSender::new(config.mail.as_ref(), &base_url).unwrap();
        let post = Self { cast, smtp, sender };
        // What making the people told them is no part of a test.
        post.deliver().await;
        post
    }

    /// Settles, lets the time go by in which mails wait for more news, and sends what is due. What was taken.
    async fn deliver(&self) -> Vec<Taken> {
        self.settle().await;
        self.cast.app.backend.clock.advance(SignedDuration::from_mins(2));
        self.send().await
    }

    /// An RFC in review, of which everybody was told; its number.
    async fn rfc(&self) -> i64 {
        let number = self.cast.rfc("One sentence.\n").await;
        self.deliver().await;
        number
    }

    async fn settle(&self) {
        jobs::plan(&self.cast.app.backend).await.unwrap();
        while outbox::settle(&self.cast.app.backend).await.unwrap() > 0 {}
    }

    async fn send(&self) -> Vec<Taken> {
        work(&self.cast.app, &self.sender).await;
        self.smtp.take()
    }
}

/// Does what the worker does.
async fn work(app: &TestApp, sender: &MailSender) {
    let backend = &app.backend.backend;
    for work in outbox::claim(backend, sender.kind(), "test", 100).await.unwrap() {
        match sender.send(backend, &work).await {
            Ok(()) => outbox::finish(backend, &[work.id]).await.unwrap(),
            Err(error) => outbox::fail(backend, &work, &error.why, error.failed).await.unwrap(),
        }
    }
}

fn parse(taken: &Taken) -> Message<'_> {
    let message = MessageParser::default().parse(&taken.raw).unwrap();
    for line in String::from_utf8_lossy(&taken.raw).split("\r\n") {
        assert!(line.len() <= 998 && !line.contains('\n'), "{line}");
    }
    message
}

fn header(message: &Message<'_>, name: &str) -> String {
    message.header_raw(name).unwrap_or_else(|| panic!("no {name}")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn mails_about_one_rfc_are_one_thread() {
    let post = Post::new().await;
    let cast = &post.cast;
    let number = post.rfc().await;
    let thread = cast.thread(number).await;
    let first = post.deliver().await;
    assert_eq!(first.len(), 1);
    assert!(first[0].to.contains("<ana@example.com>"), "{}", first[0].to);
    cast.post(&cast.sre, &format!("/threads/{thread}/comments"), json!({ "body": "Käse & <b>*bread*</b>" })).await;
    let more = post.deliver().await;
    let to_author = more.iter().find(|mail| mail.to.contains("ana@")).unwrap();
    let to_opener = more.iter().find(|mail| mail.to.contains("mia@")).unwrap();
    let (one, two, three) = (parse(&first[0]), parse(to_author), parse(to_opener));

    let root = header(&one, "References");
    for mail in [&one, &two, &three] {
        assert_eq!(mail.subject(), Some(format!("[RFC-{number}] Shard the ledger").as_str()));
        assert_eq!((header(mail, "References"), header(mail, "In-Reply-To")), (root.clone(), root.clone()));
        assert_eq!(header(mail, "List-Id"), "Plumbline <rfc.plumbline.test>");
        assert_eq!(header(mail, "Precedence"), "bulk");
        assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
        assert_eq!(header(mail, "X-Auto-Response-Suppress"), "All");
        assert_eq!(header(mail, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        assert!(header(mail, "List-Unsubscribe").starts_with("<http://plumbline.test/unsubscribe/"));
        let from = mail.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Plumbline"), Some("plumbline@plumbline.test")));
        assert!(mail.message_id().unwrap().ends_with("@plumbline.test"));
        assert_eq!((mail.text_body_count(), mail.html_body_count()), (1, 1));
    }
    assert!(one.message_id() != two.message_id() && two.message_id() != three.message_id());
    assert_eq!(header(&two, "X-Plumbline-Reason"), "author");
    assert_eq!(header(&three, "X-Plumbline-Reason"), "opener");
    assert_eq!(three.to().unwrap().first().unwrap().name(), Some("Mia Member"));
    let (text, html) = (three.body_text(0).unwrap(), three.body_html(0).unwrap());
    assert!(text.contains("Sam Sre replied") && text.contains("> Käse & <b>bread</b>"), "{text}");
    assert!(text.contains("You get this because you opened the thread"), "{text}");
    assert!(html.contains("Käse &amp; &lt;b&gt;bread&lt;/b&gt;"), "{html}");
    assert!(html.contains(&format!("http://plumbline.test/rfcs/{number}#comment-")), "{html}");
    assert_eq!(three.date().unwrap().to_timestamp(), cast.app.backend.now().as_second());
}

#[tokio::test]
async fn nothing_that_people_are_called_begins_a_header() {
    let post = Post::new().await;
    let cast = &post.cast;
    let names = [
        "Ana \"The Author\" <evil@example.com>, \u{1f9ca}",
        "Ana\r\nBcc: evil@example.com\r\n\r\nBody",
        "Ünïcödé =?utf-8?q?x?= \\\" ; : @ ,",
    ];
    let titles = [
        "\"Quoted\" title, <b>",
        "Zweites\r\nX-Evil: yes",
        "日本語のタイトル \u{1f980} with a long tail that goes on and on and on until the line is full",
    ];
    let plain = |text: &str| {
        let words = text.split(|character: char| character.is_control() || character == ' ');
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    for (name, title) in names.into_iter().zip(titles) {
        let number = post.rfc().await;
        let pool = cast.app.backend.pool();
        let called = sqlx::query!("update people set name = $1 where email = 'ana@example.com'", name);
        called.execute(pool).await.unwrap();
        let called = sqlx::query!("update rfcs set title = $1 where number = $2", title, number);
        called.execute(pool).await.unwrap();
        cast.thread(number).await;
        let mails = post.deliver().await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to.matches('@').count(), 1, "{}", mails[0].to);
        let mail = parse(&mails[0]);
        assert_eq!(plain(mail.subject().unwrap()), plain(&format!("[RFC-{number}] {title}")));
        let to = mail.to().unwrap();
        assert_eq!(to.iter().count(), 1, "{to:?}");
        assert_eq!(to.first().unwrap().address(), Some("ana@example.com"));
        assert_eq!(plain(to.first().unwrap().name().unwrap()), plain(name));
        assert!(mail.bcc().is_none() && mail.header_raw("X-Evil").is_none());
    }
}

#[tokio::test]
async fn a_link_turns_mail_off_by_post_and_never_by_get() {
    let post = Post::new().await;
    let cast = &post.cast;
    let number = post.rfc().await;
    cast.thread(number).await;
    let mails = post.deliver().await;
    let link = header(&parse(&mails[0]), "List-Unsubscribe");
    let path = link.trim_matches(['<', '>']).strip_prefix(support::BASE_URL).unwrap().to_owned();
    let comes = async || {
        let found = cast.get(&cast.author, "/me/preferences").await.json();
        found["channels"]["comment"]["mail"].as_bool().unwrap()
    };
    // Mail scanners look at every link, and nobody is signed in.
    for method in ["GET", "HEAD"] {
        let request = Request::builder().method(method).uri(&path).header("accept", "text/html");
        let answer = cast.app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200);
        assert!(method == "HEAD" || answer.body.contains("Send no more of it"), "{}", answer.body);
    }
    assert!(comes().await);
    // A mail program posts from its own site, without a cookie; twice is as good as once.
    for _ in 0..2 {
        let request = Request::post(&path)
            .header("origin", "https://mail.example")
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("List-Unsubscribe=One-Click"));
        let answer = cast.app.send(request.unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.contains("No more mail goes to"), "{}", answer.body);
        assert!(!comes().await);
    }
    for forged in [format!("{path}x"), path.replace("comment", "revision"), "/unsubscribe/x".to_owned()] {
        for method in ["GET", "POST"] {
            let request = Request::builder().method(method).uri(&forged).body(Body::empty()).unwrap();
            assert_eq!(cast.app.send(request).await.status, 404, "{method} {forged}");
        }
    }
    cast.thread(number).await;
    assert!(post.deliver().await.is_empty());
}

#[tokio::test]
async fn a_mail_comes_again_after_a_passing_refusal_and_is_the_same() {
    let post = Post::new().await;
    let cast = &post.cast;
    let number = post.rfc().await;
    cast.thread(number).await;
    post.smtp.reply("451 come back later");
    let first = post.deliver().await;
    assert_eq!(first.len(), 1);
    assert!(post.send().await.is_empty(), "not at once");
    // What comes meanwhile is another mail: the server may have kept the first one.
    cast.thread(number).await;
    post.settle().await;
    cast.app.backend.clock.advance(SignedDuration::from_secs(10));
    let again = post.send().await;
    assert_eq!(again.len(), 1);
    let (one, two) = (parse(&first[0]), parse(&again[0]));
    assert_eq!(one.message_id(), two.message_id());
    assert_eq!(one.body_text(0), two.body_text(0));
    let other = post.deliver().await;
    assert_eq!(other.len(), 1);
    assert_ne!(parse(&other[0]).message_id(), one.message_id());

    // For good: it is dead, and the next one is sent all the same.
    cast.thread(number).await;
    post.smtp.reply("550 no such person");
    post.deliver().await;
    cast.app.backend.clock.advance(SignedDuration::from_hours(100));
    assert!(post.send().await.is_empty());
    let dead = sqlx::query_scalar!("select last_error from outbox where kind = 'mail' and state = 'dead'");
    let dead = dead.fetch_all(cast.app.backend.pool()).await.unwrap();
    assert!(dead.len() == 1 && dead[0].contains("no such person"), "{dead:?}");
    cast.thread(number).await;
    assert_eq!(post.deliver().await.len(), 1);
}

#[tokio::test]
async fn without_a_mail_server_mail_is_kept_to_be_read() {
    let cast = Cast::new().await;
    let base_url = support::BASE_URL.parse().unwrap();
    let sender = MailSender::new(None, &base_url).unwrap();
    let number = cast.rfc("One sentence.\n").await;
    cast.thread(number).await;
    while outbox::settle(&cast.app.backend).await.unwrap() > 0 {}
    cast.app.backend.clock.advance(SignedDuration::from_mins(2));
    work(&cast.app, &sender).await;
    let row = sqlx::query!(
        "select id, state, last_error from outbox
         where kind = 'mail' and payload ->> 'to' = 'ana@example.com' order by id desc limit 1",
    );
    let row = row.fetch_one(cast.app.backend.pool()).await.unwrap();
    assert_eq!((row.state.as_str(), row.last_error.as_str()), ("done", KEPT));
    let shown = cast.get(&cast.admin, &format!("/deliveries/{}", row.id)).await.json();
    assert!(shown["payload"]["text"].as_str().unwrap().contains("Mia Member commented"), "{shown}");
    let page = cast.app.page(Some(&cast.admin), &format!("/admin/outbox/{}", row.id)).await;
    assert!(page.body.contains("Mia Member commented") && page.body.contains("List-Unsubscribe"), "{}", page.body);
}
