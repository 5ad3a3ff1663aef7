//! What imports and hooks say about incidents, many at a time: new ones are recorded, known ones (by source and external
//! id) take over what their source says differently from last time. What people corrected here stays as long as the
//! source says about it what it always said.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::incident::{self, Severity};
use domain::refusal::Fields;
use domain::{Actor, Refusal};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde_json::{Value, json};

use super::content::{Content, Times, refused};
use super::names::{self, Meaning};
use super::record;
use super::said::Said;
use crate::{Result, Subject, Tx};

/// What became of what was said about one incident.
#[derive(Debug)]
pub(super) enum Became {
    /// It is new: its key (0 when nothing was to be written) and what it says.
    Recorded(i64, Box<Content>),
    /// It was known and says something else now: what it said, and what it says.
    Changed(i64, Box<(Content, Content)>),
    /// It was known and says what it said; or it is voided, so that nothing that is said changes it.
    Unchanged(i64),
    /// It breaks a rule.
    Refused(Refusal),
}

/// How what was said is to be taken over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct How {
    /// How grave a new incident is of which that was not said.
    pub(super) severity: Option<Severity>,
    /// Nobody is told of the incidents one by one.
    pub(super) quietly: bool,
    /// Nothing is written: what would become of it.
    pub(super) plan: bool,
}

/// An incident that a source and external id name.
struct Known {
    id: i64,
    content: Content,
    imported: Said,
    voided: bool,
}

/// What is to be written of one incident.
struct Write {
    /// Its place in what was said.
    place: usize,
    /// Unless it is new.
    id: Option<i64>,
    before: Option<Content>,
    content: Content,
    type_id: i64,
    imported: Value,
    /// Unless they stay as they are.
    touched: Option<Touched>,
    /// The incident stays as it is; only what was said is remembered.
    silent: bool,
}

/// The services of an incident as rows.
struct Touched {
    /// Each with the word by which it was found.
    services: Vec<(i64, Option<String>)>,
    /// The words that are no service's address.
    words: Vec<String>,
}

/// Takes over what was said, in one transaction; what became of each of `said`, in order. `None`: somebody else recorded
/// one of them at the same moment, so nothing may be committed; try again. No two of `said` may be about one incident.
pub(super) async fn upsert(tx: &mut Tx<'_>, actor: &Actor, said: Vec<Said>, how: How) -> Result<Option<Vec<Became>>> {
    let now = tx.now();
    let words: BTreeSet<String> = said.iter().filter_map(|said| said.services.clone()).flatten().collect();
    let words: Vec<String> = words.into_iter().collect();
    let meanings: HashMap<String, Meaning> = words.iter().cloned().zip(names::meanings(tx, &words).await?).collect();
    // After the meanings: from then on nobody adds a type that one of the words stands for.
    let types = Types::read(tx).await?;
    let mut known = known(tx, &said).await?;
    let mut became = Vec::with_capacity(said.len());
    let mut writes = Vec::new();
    for (place, said) in said.into_iter().enumerate() {
        let known = known.remove(&(said.source.clone(), said.external_id.clone()));
        let id = known.as_ref().map(|known| known.id);
        became.push(match decide(said, known, &types, &meanings, how.severity, now) {
            Ok(write) => {
                writes.extend(write.map(|write| Write { place, id, ..write }));
                Became::Unchanged(id.unwrap_or_default())
            }
            Err(refusal) => Became::Refused(refusal),
        });
    }
    if !how.plan {
        if !insert(tx, actor, &mut writes).await? {
            return Ok(None);
        }
        update(tx, &writes).await?;
        write_services(tx, &writes).await?;
        write_events(tx, &writes, how.quietly).await?;
    }
    for write in writes.into_iter().filter(|write| !write.silent) {
        let id = write.id.unwrap_or_default();
        became[write.place] = match write.before {
            None => Became::Recorded(id, Box::new(write.content)),
            Some(before) => Became::Changed(id, Box::new((before, write.content))),
        };
    }
    Ok(Some(became))
}

async fn write_events(tx: &mut Tx<'_>, writes: &[Write], quietly: bool) -> Result<()> {
    let (mut recorded, mut changed) = (Vec::new(), Vec::new());
    for write in writes.iter().filter(|write| !write.silent) {
        let Some(id) = write.id else { continue };
        let before = write.before.as_ref().map(serde_json::to_value).transpose()?;
        let list = if before.is_some() { &mut changed } else { &mut recorded };
        list.push((id, before, Some(serde_json::to_value(&write.content)?)));
    }
    for (verb, changes) in [("incident.recorded", recorded), ("incident.changed", changed)] {
        if quietly {
            tx.quiet_events(verb, "incident", changes).await?;
            continue;
        }
        for (id, before, after) in changes {
            tx.event(verb, &Subject::incident(id), before, after).await?;
        }
    }
    Ok(())
}

/// The types by their slugs and names.
struct Types(Vec<(i64, String, String)>);

impl Types {
    async fn read(tx: &mut Tx<'_>) -> Result<Self> {
        let types =
            sqlx::query!("select id, slug, lower(name) as \"name!\" from incident_types").fetch_all(&mut **tx).await?;
        Ok(Self(types.into_iter().map(|found| (found.id, found.slug, found.name)).collect()))
    }

    /// The type that a word stands for: its key and slug.
    fn find(&self, word: &str) -> Option<(i64, &str)> {
        let slug = incident::type_word(word);
        let name = word.trim().to_lowercase();
        let found = self.0.iter().find(|(_, own, _)| *own == slug).or_else(|| self.0.iter().find(|own| own.2 == name));
        found.map(|(id, slug, _)| (*id, slug.as_str()))
    }

    fn unknown(&self) -> Result<(i64, &str), Refusal> {
        self.find(incident::UNKNOWN_TYPE).ok_or_else(|| Refusal::conflict("There is no type \"unknown\"."))
    }
}

/// What is to be written for what was said; nothing when it says what it said.
fn decide(
    said: Said,
    known: Option<Known>,
    types: &Types,
    meanings: &HashMap<String, Meaning>,
    severity: Option<Severity>,
    now: Timestamp,
) -> Result<Option<Write>, Refusal> {
    let missing = |field: &str, what: &str| Refusal::field(field, format!("{what} is missing."));
    let (mut content, news, imported, before) = match known {
        None => {
            let started_at = said.started_at.ok_or_else(|| missing("started_at", "The start"))?;
            let content = Content {
                title: said.title.clone().ok_or_else(|| missing("title", "The title"))?,
                incident_type: incident::UNKNOWN_TYPE.to_owned(),
                type_word: String::new(),
                severity: said.severity.or(severity).ok_or_else(|| missing("severity", "The severity"))?,
                services: Vec::new(),
                unknown_services: Vec::new(),
                times: Times { started_at, detected_at: None, mitigated_at: None, ended_at: None },
                summary: String::new(),
                postmortem_url: None,
                postmortem: String::new(),
                source: said.source.clone(),
                external_id: Some(said.external_id.clone()),
            };
            (content, said.clone(), said, None)
        }
        // It counts nowhere. What is said meanwhile is news when somebody has restored it.
        Some(known) if known.voided => return Ok(None),
        Some(known) => {
            let news = said.news(&known.imported.clone().over(Said::blank()));
            let imported = said.over(known.imported);
            (known.content.clone(), news, imported, Some(known.content))
        }
    };
    let nothing = Said { source: news.source.clone(), external_id: news.external_id.clone(), ..Said::default() };
    if before.is_some() && news == nothing {
        return Ok(None);
    }
    let Said {
        source: _,
        external_id: _,
        title,
        type_word,
        severity,
        services,
        started_at,
        detected_at,
        mitigated_at,
        ended_at,
        summary,
        postmortem_url,
        postmortem,
    } = news;
    content.title = title.unwrap_or(content.title);
    if let Some(word) = type_word {
        let found = types.find(&word);
        content.type_word = if found.is_some() { String::new() } else { word.trim().to_owned() };
        found.map_or_else(|| types.unknown(), Ok)?.1.clone_into(&mut content.incident_type);
    }
    content.severity = severity.unwrap_or(content.severity);
    content.times = Times {
        started_at: started_at.unwrap_or(content.times.started_at),
        detected_at: detected_at.unwrap_or(content.times.detected_at),
        mitigated_at: mitigated_at.unwrap_or(content.times.mitigated_at),
        ended_at: ended_at.unwrap_or(content.times.ended_at),
    };
    content.summary = summary.unwrap_or(content.summary);
    content.postmortem_url = postmortem_url.unwrap_or(content.postmortem_url);
    content.postmortem = postmortem.unwrap_or(content.postmortem);
    let touched = services.map(|words| touch(&mut content, words, meanings));
    let silent = before.as_ref() == Some(&content);
    let mut fields = Fields::default();
    content.times.check(&mut fields, now);
    fields.finish(Some(()))?;
    let type_id = types.find(&content.incident_type).map_or_else(|| types.unknown(), Ok)?.0;
    let imported = serde_json::to_value(&imported).map_err(|_| Refusal::conflict("This cannot be kept."))?;
    Ok(Some(Write { place: 0, id: None, before, content, type_id, imported, touched, silent }))
}

/// Puts what the words stand for into the content; the rows to write.
fn touch(content: &mut Content, words: BTreeSet<String>, meanings: &HashMap<String, Meaning>) -> Touched {
    let (mut services, mut unsettled) = (BTreeMap::new(), Vec::new());
    let mut slugs = BTreeSet::new();
    content.unknown_services.clear();
    for word in words {
        match meanings.get(&word) {
            Some(Meaning::Service { id, slug }) => {
                services.insert(*id, None);
                slugs.insert(slug.clone());
            }
            Some(Meaning::Alias { id, slug }) => {
                services.entry(*id).or_insert_with(|| Some(word.clone()));
                slugs.insert(slug.clone());
                unsettled.push(word);
            }
            Some(Meaning::Ignored) => unsettled.push(word),
            Some(Meaning::Unknown) | None => {
                content.unknown_services.push(word.clone());
                unsettled.push(word);
            }
        }
    }
    content.services = slugs.into_iter().collect();
    Touched { services: services.into_iter().collect(), words: unsettled }
}

/// The incidents that were said something about and are known, held until the transaction ends.
async fn known(tx: &mut Tx<'_>, said: &[Said]) -> Result<HashMap<(String, String), Known>> {
    let (sources, ids): (Vec<String>, Vec<String>) =
        said.iter().map(|said| (said.source.clone(), said.external_id.clone())).unzip();
    let held = sqlx::query_scalar!(
        "select id from incidents
          where (source, external_id) in (select * from unnest($1::text[], $2::text[]))
          order by id for no key update",
        &sources,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let rows = sqlx::query!(
        r#"select incidents.id, source, external_id as "external_id!", title, incident_types.slug as type_slug, type_word,
                  severity, started_at, detected_at, mitigated_at, ended_at, summary, postmortem_url, postmortem,
                  imported, voided_at is not null as "voided!",
                  array(select services.slug from incident_services join services on services.id = service_id
                         where incident_id = incidents.id order by services.slug) as "services!",
                  array(select name from incident_service_names left join incident_service_aliases using (name)
                         where incident_id = incidents.id and decided_at is null order by name) as "unknown_services!"
             from incidents join incident_types on incident_types.id = type_id
            where incidents.id = any($1)"#,
        &held,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let imported: Said = row.imported.map(serde_json::from_value).transpose()?.unwrap_or_default();
        let content = Content {
            title: row.title,
            incident_type: row.type_slug,
            type_word: row.type_word,
            severity: record::severity(row.severity)?,
            services: row.services,
            unknown_services: row.unknown_services,
            times: Times {
                started_at: row.started_at.to_jiff(),
                detected_at: row.detected_at.map(jiff_sqlx::Timestamp::to_jiff),
                mitigated_at: row.mitigated_at.map(jiff_sqlx::Timestamp::to_jiff),
                ended_at: row.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
            },
            summary: row.summary,
            postmortem_url: row.postmortem_url,
            postmortem: row.postmortem,
            source: row.source.clone(),
            external_id: Some(row.external_id.clone()),
        };
        known.insert((row.source, row.external_id), Known { id: row.id, content, imported, voided: row.voided });
    }
    Ok(known)
}

/// The row of an incident, as `jsonb_to_recordset` reads it.
fn row(write: &Write) -> Value {
    let Content {
        title,
        incident_type: _,
        type_word,
        severity,
        services: _,
        unknown_services: _,
        times,
        summary,
        postmortem_url,
        postmortem,
        source,
        external_id,
    } = &write.content;
    json!({
        "id": write.id, "source": source, "external_id": external_id, "title": title, "type_id": write.type_id,
        "type_word": type_word, "severity": severity, "started_at": times.started_at, "detected_at": times.detected_at,
        "mitigated_at": times.mitigated_at, "ended_at": times.ended_at, "summary": summary,
        "postmortem_url": postmortem_url, "postmortem": postmortem, "imported": write.imported, "silent": write.silent,
    })
}

/// Writes the new ones and their ids. False: one of them was recorded by somebody else meanwhile.
async fn insert(tx: &mut Tx<'_>, actor: &Actor, writes: &mut [Write]) -> Result<bool> {
    let rows: Vec<Value> = writes.iter().filter(|write| write.id.is_none()).map(row).collect();
    if rows.is_empty() {
        return Ok(true);
    }
    let wanted = rows.len();
    let inserted = sqlx::query!(
        r#"insert into incidents (source, external_id, title, type_id, type_word, severity, started_at, detected_at,
                                  mitigated_at, ended_at, summary, postmortem_url, postmortem, imported, recorded_by,
                                  created_at, updated_at)
           select source, external_id, title, type_id, type_word, severity, started_at, detected_at, mitigated_at,
                  ended_at, summary, postmortem_url, postmortem, imported, $2, $3, $3
             from jsonb_to_recordset($1) as row (
                    source text, external_id text, title text, type_id bigint, type_word text, severity smallint,
                    started_at timestamptz, detected_at timestamptz, mitigated_at timestamptz, ended_at timestamptz,
                    summary text, postmortem_url text, postmortem text, imported jsonb)
           on conflict on constraint incidents_external_id_unique do nothing
           returning id, source, external_id as "external_id!""#,
        Value::Array(rows),
        actor.recorded_as(),
        tx.now().to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(refused)?;
    if inserted.len() < wanted {
        return Ok(false);
    }
    let ids: HashMap<_, _> = inserted.into_iter().map(|row| ((row.source, row.external_id), row.id)).collect();
    for write in writes.iter_mut().filter(|write| write.id.is_none()) {
        let name = (write.content.source.clone(), write.content.external_id.clone().unwrap_or_default());
        write.id = ids.get(&name).copied();
    }
    Ok(true)
}

/// Writes what known ones say now.
async fn update(tx: &mut Tx<'_>, writes: &[Write]) -> Result<()> {
    let rows: Vec<Value> = writes.iter().filter(|write| write.before.is_some()).map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update incidents
            set title = row.title, type_id = row.type_id, type_word = row.type_word, severity = row.severity,
                started_at = row.started_at, detected_at = row.detected_at, mitigated_at = row.mitigated_at,
                ended_at = row.ended_at, summary = row.summary, postmortem_url = row.postmortem_url,
                postmortem = row.postmortem, imported = row.imported,
                version = version + (not silent)::integer, updated_at = case when silent then updated_at else $2 end
           from jsonb_to_recordset($1) as row (
                  id bigint, title text, type_id bigint, type_word text, severity smallint, started_at timestamptz,
                  detected_at timestamptz, mitigated_at timestamptz, ended_at timestamptz, summary text,
                  postmortem_url text, postmortem text, imported jsonb, silent boolean)
          where incidents.id = row.id",
        Value::Array(rows),
        tx.now().to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(refused)?;
    Ok(())
}

/// Replaces the services and words of those whose source says others.
async fn write_services(tx: &mut Tx<'_>, writes: &[Write]) -> Result<()> {
    let (mut incidents, mut touched, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for write in writes {
        let (Some(id), Some(own)) = (write.id, &write.touched) else { continue };
        if write.before.is_some() {
            incidents.push(id);
        }
        touched.extend(own.services.iter().map(|(service, name)| json!({ "i": id, "s": service, "n": name })));
        words.extend(own.words.iter().map(|name| json!({ "i": id, "n": name })));
    }
    if !incidents.is_empty() {
        sqlx::query!("delete from incident_services where incident_id = any($1)", &incidents)
            .execute(&mut **tx)
            .await?;
        sqlx::query!("delete from incident_service_names where incident_id = any($1)", &incidents)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query!(
        "insert into incident_services (incident_id, service_id, name)
         select i, s, n from jsonb_to_recordset($1) as row (i bigint, s bigint, n text)",
        Value::Array(touched),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into incident_service_names (incident_id, name)
         select i, n from jsonb_to_recordset($1) as row (i bigint, n text)",
        Value::Array(words),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
