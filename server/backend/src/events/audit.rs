//! The audit log: everything that happened, for admins.
//!
//! What mattered before and after is shown too, except of RFCs that the admin may not read: a draft says nothing to
//! anybody but its authors and those it is shared with. That something happened in it, when and by whom, is shown.

use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::text::csv_cell;
use domain::{Actor, Refusal, limits};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Event, Position, Row};
use crate::page::{Page, PageRequest};
use crate::{Backend, Error, Result, Subject, rfcs};

/// Rows that an export reads at once.
const EXPORTED_AT_ONCE: i64 = 1000;

/// Which events; what is empty filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Done by the person with this address; `-`: by the product itself.
    pub actor: String,
    /// The verb, or its beginning.
    pub verb: String,
    /// The noun of what it happened to.
    pub kind: String,
    /// The name that has in the API.
    pub subject: String,
    /// From the beginning of this day (`2026-11-24`) in the organisation's zone.
    pub from: String,
    /// To the end of this day.
    pub to: String,
    /// Done by this request.
    pub request: String,
}

/// An event in the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// What happened.
    pub event: Event,
    /// Its place in the order of events.
    pub position: Position,
    /// What mattered before and after is not shown: it happened in an RFC that the reader may not read.
    pub withheld: bool,
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    id: i64,
}

/// A filter as SQL wants it.
struct Checked {
    filter: Filter,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Filter {
    fn check(&self, backend: &Backend) -> Result<Checked, Refusal> {
        let mut fields = Fields::default();
        for (name, value) in [
            ("actor", &self.actor),
            ("verb", &self.verb),
            ("kind", &self.kind),
            ("subject", &self.subject),
            ("request", &self.request),
        ] {
            if value.chars().count() > limits::SEARCH_CHARS {
                fields.complain(name, format!("At most {} characters.", limits::SEARCH_CHARS));
            }
        }
        // A NUL, which cannot be sent to Postgres, stands in no event.
        let clean = |text: &String| text.trim().replace('\0', "\u{fffd}");
        let from = fields.take(day(backend, "from", &self.from, 0))?;
        let until = fields.take(day(backend, "to", &self.to, 1))?;
        let (from, until) = fields.finish((from, until))?;
        let filter = Self {
            actor: clean(&self.actor),
            verb: clean(&self.verb),
            kind: clean(&self.kind),
            subject: clean(&self.subject),
            from: clean(&self.from),
            to: clean(&self.to),
            request: clean(&self.request),
        };
        Ok(Checked { filter, from, until })
    }
}

/// The beginning of a day, or of one `later`.
fn day(backend: &Backend, field: &str, text: &str, later: i64) -> Result<Option<Timestamp>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || Refusal::field(field, "Give a day like 2026-11-24.");
    let date: Date = text.trim().parse().map_err(|_| wrong())?;
    let date = date.checked_add(jiff::Span::new().days(later)).map_err(|_| wrong())?;
    let begins = date.to_zoned(backend.time_zone().clone()).map_err(|_| wrong())?;
    Ok(Some(begins.timestamp()))
}

/// One page of the audit log, the newest first.
pub async fn list(backend: &Backend, actor: &Actor, filter: &Filter, page: &PageRequest) -> Result<Page<Audited>> {
    policy::allows(actor, Action::Administer)?;
    let rows = page.rows()?;
    let after: Option<Cursor> = page.after()?;
    read(backend, actor, &filter.check(backend)?, rows, after).await
}

/// The events after a place in their order, the oldest first: for a program that keeps a copy and misses nothing.
/// The cursor of the next page is the place of the last event.
pub async fn after(backend: &Backend, actor: &Actor, place: Position, limit: Option<i64>) -> Result<Page<Audited>> {
    policy::allows(actor, Action::Administer)?;
    let rows = PageRequest { limit, cursor: None }.rows()?;
    let mut events = super::after(backend, place, rows + 1).await?;
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let more = events.len() > rows;
    events.truncate(rows);
    let next_cursor = events.last().filter(|_| more).map(|(position, _)| position.to_string());
    Ok(Page { items: withhold(backend, actor, events).await?, next_cursor })
}

/// A whole export, page after page. Begin it with [`export`].
pub struct Export {
    backend: Backend,
    actor: Actor,
    filter: Checked,
    rest: Rest,
}

/// What is still to be read.
#[derive(Clone, Copy)]
enum Rest {
    All,
    After(Cursor),
    Nothing,
}

/// Records that somebody takes the audit log with them, and begins to read it.
pub async fn export(backend: &Backend, actor: &Actor, filter: &Filter) -> Result<Export> {
    policy::allows(actor, Action::Administer)?;
    let checked = filter.check(backend)?;
    let mut tx = backend.begin(actor).await?;
    let after = json!({ "filter": checked.filter });
    tx.event("audit.exported", &Subject::product("audit"), None, Some(after)).await?;
    tx.commit(()).await?;
    Ok(Export { backend: backend.clone(), actor: actor.clone(), filter: checked, rest: Rest::All })
}

impl Export {
    /// The next lines of the file, with the header before the first; nothing at the end.
    pub async fn next_lines(&mut self) -> Result<Option<Vec<u8>>> {
        let first = matches!(self.rest, Rest::All);
        match self.next().await? {
            Some(events) => lines(first, &events).map(Some),
            None => Ok(None),
        }
    }

    /// The next events; nothing at the end.
    async fn next(&mut self) -> Result<Option<Vec<Audited>>> {
        let after = match self.rest {
            Rest::All => None,
            Rest::After(cursor) => Some(cursor),
            Rest::Nothing => return Ok(None),
        };
        let page = read(&self.backend, &self.actor, &self.filter, EXPORTED_AT_ONCE, after).await?;
        self.rest = match page.items.last().filter(|_| page.next_cursor.is_some()) {
            Some(last) => Rest::After(Cursor { id: last.event.id }),
            None => Rest::Nothing,
        };
        Ok(Some(page.items))
    }
}

/// Events as lines of CSV. A spreadsheet takes no cell for a formula.
fn lines(header: bool, events: &[Audited]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if header {
        writer
            .write_record([
                "position",
                "at",
                "actor",
                "actor_name",
                "verb",
                "subject_kind",
                "subject_key",
                "before",
                "after",
                "request_id",
            ])
            .map_err(Error::internal)?;
    }
    for Audited { event, position, withheld } in events {
        let json = |value: Option<&Value>| match value {
            _ if *withheld => "not shown".to_owned(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let cells = [
            position.to_string(),
            event.at.to_string(),
            event.actor.clone().unwrap_or_default(),
            event.actor_name.clone().unwrap_or_default(),
            event.verb.clone(),
            event.subject_kind.clone(),
            event.subject_key.clone(),
            json(event.before.as_ref()),
            json(event.after.as_ref()),
            event.request_id.clone(),
        ];
        writer.write_record(cells.iter().map(|cell| csv_cell(cell).into_owned())).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|error| Error::internal(error.into_error()))
}

async fn read(
    backend: &Backend,
    actor: &Actor,
    checked: &Checked,
    rows: i64,
    after: Option<Cursor>,
) -> Result<Page<Audited>> {
    let Filter { actor: by, verb, kind, subject, request, .. } = &checked.filter;
    let found = sqlx::query_as!(
        Row,
        r#"select events.id, events.position::text as "position!", events.at, events.actor_id,
                  people.name as "actor_name?", people.email as "actor?: String", events.verb, events.subject_kind,
                  events.subject_key, events.before, events.after, events.request_id
           from events left join people on people.id = events.actor_id
           where ($1 = '' or ($1 = '-' and events.actor_id is null)
                  or events.actor_id = (select id from people where email = $1::text::citext))
             and ($2 = '' or starts_with(events.verb, $2))
             and ($3 = '' or events.subject_kind = $3)
             and ($4 = '' or events.subject_key = $4)
             and ($5 = '' or events.request_id = $5)
             and ($6::timestamptz is null or events.at >= $6)
             and ($7::timestamptz is null or events.at < $7)
             and ($8::bigint is null or events.id < $8)
           order by events.id desc limit $9::bigint + 1"#,
        by,
        verb,
        kind,
        subject,
        request,
        checked.from.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        checked.until.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        after.map(|after| after.id),
        rows,
    )
    .fetch_all(backend.pool())
    .await?;
    let items = withhold(backend, actor, found.into_iter().map(Row::placed).collect()).await?;
    Page::new(items, rows, |last| Cursor { id: last.event.id })
}

/// Takes out what happened inside RFCs that this reader may not read.
async fn withhold(backend: &Backend, actor: &Actor, events: Vec<(Position, Event)>) -> Result<Vec<Audited>> {
    let asked: Vec<i64> = events.iter().filter_map(|(_, event)| event.rfc()).collect();
    let readable = rfcs::readable(backend, actor, &asked).await?;
    let audited = events.into_iter().map(|(position, mut event)| {
        let withheld = event.subject_kind == "rfc" && !event.rfc().is_some_and(|number| readable.contains(&number));
        if withheld {
            (event.before, event.after) = (None, None);
        }
        Audited { event, position, withheld }
    });
    Ok(audited.collect())
}

/// What mattered, member by member, where it is not the same: name, before, after.
pub fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<(String, String, String)> {
    let members = |value: Option<&Value>| match value {
        None | Some(Value::Null) => serde_json::Map::new(),
        Some(Value::Object(members)) => members.clone(),
        Some(other) => [("value".to_owned(), other.clone())].into_iter().collect(),
    };
    let (mut before, after) = (members(before), members(after));
    let mut rows = Vec::new();
    for (name, is) in after {
        let was = before.remove(&name);
        if was.as_ref() != Some(&is) {
            rows.push((name, was.as_ref().map(in_words).unwrap_or_default(), in_words(&is)));
        }
    }
    rows.extend(before.into_iter().map(|(name, was)| (name, in_words(&was), String::new())));
    rows.retain(|(_, was, is)| !was.is_empty() || !is.is_empty());
    rows
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(in_words).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use domain::Role;
    use jiff::SignedDuration;

    use super::*;
    use crate::Expected;
    use crate::rfcs::create::{NewRfc, create};
    use crate::services::{self, ServiceInput};
    use crate::testing::{self, person};

    #[tokio::test]
    async fn admins_find_what_happened_by_who_what_when_and_request() {
        let test = testing::backend().await;
        let sam = person(&test, "Sam", Role::Sre, None).await;
        let root = person(&test, "Root", Role::Admin, None).await;
        let input = |name: &str| ServiceInput { name: name.into(), tier: 3, ..ServiceInput::default() };
        services::put(&test, &sam, "tides", Expected::Absent, input("Tides")).await.unwrap();
        test.clock.advance(SignedDuration::from_hours(48));
        let request = test.for_request("r-7", None);
        services::put(&request, &root, "tides", Expected::Version(1), input("High tides")).await.unwrap();
        let mut tx = test.begin_unsigned().await.unwrap();
        tx.event("setup.done", &Subject::product("setup"), None, None).await.unwrap();
        tx.commit(()).await.unwrap();
        let verbs = async |filter: Filter| {
            let page = list(&test, &root, &filter, &PageRequest::default()).await.unwrap();
            page.items.into_iter().map(|audited| audited.event.verb).collect::<Vec<_>>()
        };
        let (setup, changed, created) = ("setup.done", "service.changed", "service.created");
        assert_eq!(verbs(Filter::default()).await, [setup, changed, created]);
        for (filter, expected) in [
            (Filter { actor: "SAM@example.com".into(), ..Filter::default() }, vec![created]),
            (Filter { actor: "-".into(), ..Filter::default() }, vec![setup]),
            (Filter { actor: "nobody@example.com".into(), ..Filter::default() }, vec![]),
            (Filter { verb: "service.".into(), ..Filter::default() }, vec![changed, created]),
            (Filter { kind: "service".into(), subject: "tides".into(), ..Filter::default() }, vec![changed, created]),
            (Filter { request: "r-7".into(), ..Filter::default() }, vec![changed]),
            (Filter { to: "2026-11-02".into(), ..Filter::default() }, vec![created]),
            (Filter { from: "2026-11-03".into(), to: "2026-11-04".into(), ..Filter::default() }, vec![setup, changed]),
            (Filter { verb: "\0%".into(), ..Filter::default() }, vec![]),
        ] {
            assert_eq!(verbs(filter.clone()).await, expected, "{filter:?}");
        }
        let wrong = Filter { from: "yesterday".into(), to: "9999-12-31".into(), ..Filter::default() };
        let Err(crate::Error::Refused(refusal)) = list(&test, &root, &wrong, &PageRequest::default()).await else {
            panic!("refused")
        };
        assert!(refusal.message_for("from").is_some() && refusal.message_for("to").is_some(), "{refusal}");
        assert!(list(&test, &sam, &Filter::default(), &PageRequest::default()).await.is_err());
    }

    #[tokio::test]
    async fn a_draft_is_hidden_from_admins_too_but_not_that_something_happened() {
        let test = testing::backend().await;
        let ana = person(&test, "Ana", Role::Member, None).await;
        let root = person(&test, "Root", Role::Admin, None).await;
        let new = NewRfc { title: "Secret".into(), kind: "slo".into(), body: "B".into(), services: vec![] };
        create(&test, &ana, new).await.unwrap();
        let page = list(&test, &root, &Filter::default(), &PageRequest::default()).await.unwrap();
        let [Audited { event, withheld: true, .. }] = &page.items[..] else { panic!("{page:?}") };
        assert_eq!((event.verb.as_str(), &event.after), ("rfc.created", &None));
        // Transactions of other databases in the cluster hold the order up too.
        let mut read = after(&test, &root, Position::default(), None).await.unwrap();
        while read.items.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            read = after(&test, &root, Position::default(), None).await.unwrap();
        }
        assert!(read.items[0].withheld && read.items[0].event.after.is_none() && read.next_cursor.is_none());
        assert_eq!(after(&test, &root, read.items[0].position, None).await.unwrap().items, []);
    }

    #[tokio::test]
    async fn an_export_has_everything_and_is_itself_recorded() {
        let test = testing::backend().await;
        let root = person(&test, "Root", Role::Admin, None).await;
        let mut tx = test.begin(&root).await.unwrap();
        for _ in 0..EXPORTED_AT_ONCE + 5 {
            tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
        }
        tx.commit(()).await.unwrap();
        let team = Filter { kind: "team".into(), ..Filter::default() };
        let mut export = export(&test, &root, &team).await.unwrap();
        let mut read = 0;
        while let Some(events) = export.next().await.unwrap() {
            read += events.len();
        }
        assert_eq!(i64::try_from(read).unwrap(), EXPORTED_AT_ONCE + 5);
        let newest = list(&test, &root, &Filter::default(), &PageRequest::default()).await.unwrap().items.remove(0);
        assert_eq!(newest.event.verb, "audit.exported");
        assert_eq!(newest.event.after.unwrap()["filter"]["kind"], "team");
    }

    #[test]
    fn a_line_has_no_formula() {
        let event = Event {
            id: 1,
            at: testing::BEGINNING.parse().unwrap(),
            actor_id: None,
            actor_name: Some("=HYPERLINK(\"x\"),".into()),
            actor: None,
            verb: "a.b".into(),
            subject_kind: "team".into(),
            subject_key: "-x".into(),
            before: None,
            after: Some(json!({ "a": "b\nc" })),
            request_id: "@r".into(),
        };
        let audited = Audited { event, position: Position::default(), withheld: false };
        let lines = String::from_utf8(lines(false, &[audited]).unwrap()).unwrap();
        let expected =
            "0-0,2026-11-02T09:00:00Z,,\"'=HYPERLINK(\"\"x\"\"),\",a.b,team,'-x,,\"{\"\"a\"\":\"\"b\\nc\"\"}\",'@r\n";
        assert_eq!(lines, expected);
    }

    #[test]
    fn only_what_is_not_the_same_is_shown() {
        let (before, after) =
            (json!({ "a": 1, "b": "x", "gone": true }), json!({ "a": 2, "b": "x", "new": ["y", "z"] }));
        let rows = differences(Some(&before), Some(&after));
        let row = |name: &str, was: &str, is: &str| (name.to_owned(), was.to_owned(), is.to_owned());
        assert_eq!(rows, [row("a", "1", "2"), row("new", "", "y, z"), row("gone", "true", "")]);
        assert_eq!(differences(None, Some(&json!(7))), [row("value", "", "7")]);
        assert_eq!(differences(None, None), []);
    }
}
