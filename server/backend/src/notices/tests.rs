//! Who is told what, where and when; and a month of it.

mod month;
mod rules;
mod waiting;

use domain::{Actor, Role};
use jiff::SignedDuration;

use super::inbox::{self, Item, State};
use super::mail::{MailMessage, WrittenMail};
use crate::outbox::{self, Kind as Work};
use crate::rfcs::create::{self, NewRfc};
use crate::rfcs::status::{self, ChangeStatus};
use crate::rfcs::threads::{self, NewThread};
use crate::rfcs::update::{self, UpdateRfc};
use crate::testing::{self, TestBackend};
use crate::{Backend, Expected, PageRequest, jobs};

/// The product and some people.
struct Cast {
    test: TestBackend,
    ada: Actor,
    grace: Actor,
    linus: Actor,
    sam: Actor,
}

impl Cast {
    async fn new() -> Self {
        Self::after(SignedDuration::ZERO).await
    }

    /// The same people, who joined so long after the usual beginning.
    async fn after(time: SignedDuration) -> Self {
        let test = testing::backend().await;
        test.clock.advance(time);
        Self {
            ada: testing::person(&test, "Ada", Role::Member, Some("core")).await,
            grace: testing::person(&test, "Grace", Role::Sre, None).await,
            linus: testing::person(&test, "Linus", Role::Member, None).await,
            sam: testing::person(&test, "Sam", Role::Reader, None).await,
            test,
        }
    }

    /// A draft of Ada's.
    async fn draft(&self) -> i64 {
        let new = NewRfc {
            title: "Shard the ledger".to_owned(),
            kind: "architecture".to_owned(),
            body: "One sentence.\n".to_owned(),
            services: Vec::new(),
        };
        create::create(&self.test, &self.ada, new).await.unwrap().number
    }

    /// An RFC of Ada's in review, of which everybody has been told.
    async fn rfc(&self) -> i64 {
        let number = self.draft().await;
        self.status(number, "in_review").await;
        settle(&self.test).await;
        number
    }

    async fn status(&self, number: i64, to: &str) {
        let change = ChangeStatus { to: to.to_owned(), reason: None };
        status::change_status(&self.test, &self.ada, number, change).await.unwrap();
    }

    /// A thread; its id.
    async fn thread(&self, by: &Actor, number: i64, says: &str) -> String {
        let new = NewThread { revision: 1, start: None, end: None, body: says.to_owned(), severity: "note".to_owned() };
        threads::open(&self.test, by, number, new).await.unwrap().id
    }

    async fn update(&self, number: i64, change: UpdateRfc) {
        update::update(&self.test, &self.ada, number, Expected::Any, change).await.unwrap();
    }

    /// Settles what happened and answers what each person was told since the last time, one sentence a notice, each with
    /// its kind: those whom nothing concerns are left out.
    async fn told(&self) -> Vec<String> {
        settle(&self.test).await;
        let told = sqlx::query!(
            r#"delete from notices using people where people.id = person_id
               returning notices.id, people.name, kind, reason, text"#
        );
        let mut told = told.fetch_all(self.test.pool()).await.unwrap();
        told.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        told.into_iter().map(|row| format!("{}: {} [{} {}]", row.name, row.text, row.kind, row.reason)).collect()
    }

    async fn inbox(&self, actor: &Actor, state: State) -> Vec<Item> {
        settle(&self.test).await;
        inbox::list(&self.test, actor, state, &PageRequest::default()).await.unwrap().items
    }

    fn pass(&self, time: SignedDuration) {
        self.test.clock.advance(time);
    }
}

/// Plans what has come due and settles everything.
async fn settle(backend: &Backend) {
    jobs::plan(backend).await.unwrap();
    while outbox::settle(backend).await.unwrap() > 0 {}
    let failed =
        sqlx::query_scalar!("select last_error from outbox where kind in ('event', 'job') and last_error <> ''");
    assert_eq!(failed.fetch_all(backend.pool()).await.unwrap(), Vec::<String>::new());
}

/// The mails that are due, as a worker without a mail server takes them.
async fn mails(backend: &Backend) -> Vec<(String, WrittenMail)> {
    let mut written = Vec::new();
    for work in outbox::claim(backend, Work::Mail, "test", 1000).await.unwrap() {
        outbox::finish(backend, &[work.id]).await.unwrap();
        let mail = MailMessage::of(&work).unwrap().write(backend, &work.key).await.unwrap();
        written.push((work.key, mail));
    }
    written
}

/// The newest mail to somebody, sent or not.
async fn mail_of(backend: &Backend, person: i64) -> MailMessage {
    let payload = sqlx::query_scalar!(
        "select payload from outbox where kind = 'mail' and payload ->> 'person' = $1 order by id desc limit 1",
        person.to_string(),
    );
    serde_json::from_value(payload.fetch_one(backend.pool()).await.unwrap()).unwrap()
}
