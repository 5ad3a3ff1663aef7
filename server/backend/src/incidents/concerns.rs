//! Whom the events of incidents concern: the members of the teams whose services a grave one touched, and who recorded
//! it. They are told of the incident, of its mitigation and its end, of another severity, and that it was a mistake; not
//! of every word that is changed. What was over long ago is history that somebody enters: nobody is told. Nor of one that
//! is voided.

use domain::PersonId;
use domain::incident::Severity;
use domain::notice::{Kind, Reason};
use jiff::SignedDuration;
use serde_json::Value;

use super::record::severity;
use crate::events::Event;
use crate::notices::{About, Concern, Told, excerpt, who};
use crate::rfcs::render::plain;
use crate::{Error, Result, Tx};

/// What was over longer ago than this when it is told of is no news.
const NEWS: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Whom an event about an incident concerns.
pub(crate) async fn of(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Told>> {
    let id: i64 = event.subject_key.parse().map_err(Error::internal)?;
    let row = sqlx::query!(
        r#"select title, severity, started_at, mitigated_at, ended_at, voided_at, created_at, summary, recorded_by,
             array(select distinct team_members.person_id from incident_services
                   join services on services.id = service_id join team_members using (team_id)
                   where incident_id = incidents.id order by 1) as "team!: Vec<PersonId>"
           from incidents where id = $1"#,
        id,
    );
    let Some(row) = row.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let name = who(event);
    let (before, after) = (event.before.as_ref().unwrap_or(&Value::Null), event.after.as_ref().unwrap_or(&Value::Null));
    let came = |field: &str| before[field].is_null() && !after[field].is_null();
    let text = match event.verb.as_str() {
        "incident.recorded" | "incident.changed" if row.voided_at.is_some() => None,
        "incident.recorded" => Some(format!("{name} recorded it: severity {}", row.severity)),
        "incident.changed" if came("ended_at") => Some("It is over".to_owned()),
        "incident.changed" if came("mitigated_at") => Some("It is mitigated".to_owned()),
        "incident.changed" if before["severity"] != after["severity"] => {
            Some(format!("{name} made it severity {}", row.severity))
        }
        "incident.voided" => Some(format!("{name} says it was no incident")),
        _ => None,
    };
    let started_at = row.started_at.to_jiff();
    let over = row.ended_at.or(row.mitigated_at).map_or(started_at, jiff_sqlx::Timestamp::to_jiff);
    // One that goes on is followed to its end, however long it takes, if its beginning was news.
    let goes_on = row.ended_at.is_none() && row.created_at.to_jiff().duration_since(started_at) <= NEWS;
    let news = goes_on || event.at.duration_since(over) <= NEWS;
    let was_grave = before["severity"].as_i64().is_some_and(|was| Severity::parse(was).is_ok_and(Severity::is_grave));
    let grave = was_grave || severity(row.severity)?.is_grave();
    let said = if event.verb == "incident.recorded" { excerpt(&plain(&row.summary)) } else { String::new() };
    let team = row.team.into_iter().filter(|_| grave).map(|person| (person, Reason::Team));
    let people = team.chain(row.recorded_by.map(|person| (person, Reason::Author)));
    let concerns = people.filter(|_| news).filter_map(|(person, reason)| {
        let (place, excerpt) = (String::new(), said.clone());
        Some(Concern { person, kind: Kind::Incident, reason, text: text.clone()?, excerpt, place })
    });
    let concerns = concerns.collect();
    let about =
        About { tag: format!("Incident {id}"), title: row.title, path: format!("/incidents/{id}"), access: None };
    Ok(Some(Told { about, concerns }))
}
