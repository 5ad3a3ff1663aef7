//! Whom the events of incidents concern: the members of the teams whose services it touched, and who recorded it. They
//! are told of the incident, of its mitigation and its end, of another severity, and that it was a mistake; not of every
//! word that is changed. What began long ago is history that somebody enters: nobody is told.

use domain::PersonId;
use domain::notice::{Kind, Reason};
use jiff::SignedDuration;
use serde_json::Value;

use crate::events::Event;
use crate::notices::{About, Concern, Told, excerpt, who};
use crate::rfcs::render::plain;
use crate::{Error, Result, Tx};

/// What began longer ago than this when it is told of is no news.
const NEWS: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Whom an event about an incident concerns.
pub(crate) async fn of(tx: &mut Tx<'_>, event: &Event) -> Result<Option<Told>> {
    let id: i64 = event.subject_key.parse().map_err(Error::internal)?;
    let row = sqlx::query!(
        r#"select title, severity, started_at, summary, recorded_by,
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
        "incident.recorded" => Some(format!("{name} recorded it: severity {}", row.severity)),
        "incident.changed" if came("ended_at") => Some("It is over".to_owned()),
        "incident.changed" if came("mitigated_at") => Some("It is mitigated".to_owned()),
        "incident.changed" if before["severity"] != after["severity"] => {
            Some(format!("{name} made it severity {}", row.severity))
        }
        "incident.voided" => Some(format!("{name} says it was no incident")),
        _ => None,
    };
    let news = event.at.duration_since(row.started_at.to_jiff()) <= NEWS;
    let said = if event.verb == "incident.recorded" { excerpt(&plain(&row.summary)) } else { String::new() };
    let team = row.team.into_iter().map(|person| (person, Reason::Team));
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
