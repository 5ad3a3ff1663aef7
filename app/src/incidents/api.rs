//! Server functions about incidents.

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session,
    crate::ui::{Done, Fold, NotAnInstant, read_typed},
    crate::urls,
    backend::Expected,
    backend::incidents::types::{self, TypeInput},
    backend::incidents::{self, Incident, IncidentInput, names, read},
    domain::policy::{Action, allows},
    domain::refusal::Fields,
    domain::{FieldError, Refusal, incident, text},
    jiff::Timestamp,
    jiff::tz::TimeZone,
};

/// Records an incident. Times are those of the clocks in `zone`; `fold` says which one is meant of a time that came twice.
#[server(prefix = "/do", endpoint = "incidents/record")]
pub async fn record(
    title: String,
    incident_type: String,
    severity: i64,
    services: Option<String>,
    zone: String,
    started_at: String,
    detected_at: Option<String>,
    mitigated_at: Option<String>,
    ended_at: Option<String>,
    fold: Option<String>,
    summary: Option<String>,
    postmortem_url: Option<String>,
    postmortem: Option<String>,
    source: Option<String>,
    external_id: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let times = TypedTimes { zone, started_at, detected_at, mitigated_at, ended_at, fold };
    let words =
        Words { title, incident_type, severity, services, summary, postmortem_url, postmortem, source, external_id };
    let input = words.with(times.read(None)?);
    let recorded = incidents::record(&backend, &actor, input).await.map_err(in_form)?;
    session::done(&urls::incident(recorded.id), Done::IncidentRecorded);
    Ok(())
}

/// Changes an incident. `version` is the one the form was made from.
#[server(prefix = "/do", endpoint = "incidents/change")]
pub async fn change(
    id: String,
    version: i64,
    title: String,
    incident_type: String,
    severity: i64,
    services: Option<String>,
    zone: String,
    started_at: String,
    detected_at: Option<String>,
    mitigated_at: Option<String>,
    ended_at: Option<String>,
    fold: Option<String>,
    summary: Option<String>,
    postmortem_url: Option<String>,
    postmortem: Option<String>,
    source: Option<String>,
    external_id: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let id = read::id(&id)?;
    let before = incidents::get(&backend, &actor, id).await?;
    let times = TypedTimes { zone, started_at, detected_at, mitigated_at, ended_at, fold };
    let words =
        Words { title, incident_type, severity, services, summary, postmortem_url, postmortem, source, external_id };
    let input = words.with(times.read(Some(&before))?);
    let expected = Expected::Version(version);
    incidents::change(&backend, &actor, id, expected, input.into()).await.map_err(in_form)?;
    session::done(&urls::incident(id), Done::Saved);
    Ok(())
}

/// Takes an incident out of every count.
#[server(prefix = "/do", endpoint = "incidents/void")]
pub async fn void(id: String, reason: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let id = read::id(&id)?;
    incidents::void(&backend, &actor, id, reason.as_deref().unwrap_or_default()).await?;
    session::done(&urls::incident(id), Done::Voided);
    Ok(())
}

/// Makes a voided incident count again.
#[server(prefix = "/do", endpoint = "incidents/restore")]
pub async fn restore(id: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let id = read::id(&id)?;
    incidents::restore(&backend, &actor, id).await?;
    session::done(&urls::incident(id), Done::Restored);
    Ok(())
}

/// Adds a type of incident. Without a `slug` it is made from the name.
#[server(prefix = "/do", endpoint = "incidents/add-type")]
pub async fn add_type(name: String, slug: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let slug = slug.map(|slug| slug.trim().to_owned()).filter(|slug| !slug.is_empty());
    let slug = slug.unwrap_or_else(|| incident::type_word(&name));
    let input = TypeInput { name, ..TypeInput::default() };
    types::put(&backend, &actor, &slug, Expected::Absent, input).await?;
    session::done(&urls::incident_types(), Done::Created);
    Ok(())
}

/// Changes a type of incident: its name, its place, whether it is in use.
#[server(prefix = "/do", endpoint = "incidents/edit-type")]
pub async fn edit_type(
    slug: String,
    version: i64,
    name: String,
    position: Option<i64>,
    archived: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let input = TypeInput { name, position, archived: archived.is_some() };
    types::put(&backend, &actor, &slug, Expected::Version(version), input).await?;
    session::done(&urls::incident_types(), Done::Saved);
    Ok(())
}

/// Says what a name in incidents stands for: the service with this slug, or with `intent=ignore` none of ours. `back` is
/// the list it was said on.
#[server(prefix = "/do", endpoint = "incidents/map-service")]
pub async fn map_service(
    name: String,
    service: Option<String>,
    intent: Option<String>,
    back: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let service = service.map(|slug| slug.trim().to_owned()).unwrap_or_default();
    let ignored = intent.as_deref() == Some("ignore");
    if service.is_empty() && !ignored {
        allows(&actor, Action::MapServiceNames)?;
        return Err(Refusal::field("service", "Say which service it is, or that it is none of yours.").into());
    }
    names::decide(&backend, &actor, &name, (!ignored).then_some(service.as_str())).await?;
    let back = back.unwrap_or_else(urls::unknown_services);
    session::done(&back, if ignored { Done::NameIgnored } else { Done::NameMapped });
    Ok(())
}

/// Instants as the form sends them.
#[cfg(feature = "ssr")]
struct TypedTimes {
    zone: String,
    started_at: String,
    detected_at: Option<String>,
    mitigated_at: Option<String>,
    ended_at: Option<String>,
    fold: Option<String>,
}

/// The same, read.
#[cfg(feature = "ssr")]
struct Times {
    started: Timestamp,
    detected: Option<Timestamp>,
    mitigated: Option<Timestamp>,
    ended: Option<Timestamp>,
}

#[cfg(feature = "ssr")]
impl TypedTimes {
    /// `before`: the incident as it was when the form was made.
    fn read(self, before: Option<&Incident>) -> Result<Times, Refusal> {
        let unknown = |_| Refusal::field("zone", "This time zone is not known; load the page again.");
        let zone = TimeZone::get(&self.zone).map_err(unknown)?;
        let fold = self.fold.as_deref().and_then(Fold::parse);
        let mut fields = Fields::default();
        let mut twice = false;
        let mut one = |field: &str, typed: Option<String>, was: Option<Timestamp>| {
            let typed = typed.filter(|typed| !typed.trim().is_empty())?;
            match read_typed(&typed, &zone, was, fold) {
                Ok(at) => Some(at),
                Err(why) => {
                    twice |= matches!(why, NotAnInstant::Twice(_));
                    fields.complain(field, why.message());
                    None
                }
            }
        };
        let started = one("started_at", Some(self.started_at.clone()), before.map(|was| was.started_at));
        let detected = one("detected_at", self.detected_at, before.and_then(|was| was.detected_at));
        let mitigated = one("mitigated_at", self.mitigated_at, before.and_then(|was| was.mitigated_at));
        let ended = one("ended_at", self.ended_at, before.and_then(|was| was.ended_at));
        if self.started_at.trim().is_empty() {
            fields.complain("started_at", "Say when it started.");
        }
        if twice {
            fields.complain("fold", "Say which of the two is meant.");
        }
        let started = fields.finish(started)?;
        Ok(Times { started, detected, mitigated, ended })
    }
}

/// Everything else that the form sends.
#[cfg(feature = "ssr")]
struct Words {
    title: String,
    incident_type: String,
    severity: i64,
    services: Option<String>,
    summary: Option<String>,
    postmortem_url: Option<String>,
    postmortem: Option<String>,
    source: Option<String>,
    external_id: Option<String>,
}

#[cfg(feature = "ssr")]
impl Words {
    fn with(self, times: Times) -> IncidentInput {
        IncidentInput {
            title: self.title,
            incident_type: self.incident_type,
            severity: self.severity,
            services: text::pieces(self.services.as_deref().unwrap_or_default(), &[',', '\n']),
            started_at: times.started,
            detected_at: times.detected,
            mitigated_at: times.mitigated,
            ended_at: times.ended,
            summary: self.summary.unwrap_or_default(),
            postmortem_url: self.postmortem_url,
            postmortem: self.postmortem.unwrap_or_default(),
            source: self.source.unwrap_or_default(),
            external_id: self.external_id,
        }
    }
}

/// The form calls the type by another name than the use case.
#[cfg(feature = "ssr")]
fn in_form(error: backend::Error) -> AppError {
    match error {
        backend::Error::Refused(Refusal::Invalid { fields }) => {
            let renamed = fields.into_iter().map(|wrong| match wrong.field.as_str() {
                "type" => FieldError { field: "incident_type".to_owned(), ..wrong },
                _ => wrong,
            });
            Refusal::Invalid { fields: renamed.collect() }.into()
        }
        error => error.into(),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn typed(started_at: &str, ended_at: &str, fold: Option<&str>) -> TypedTimes {
        TypedTimes {
            zone: "Europe/Berlin".into(),
            started_at: started_at.into(),
            detected_at: Some(String::new()),
            mitigated_at: None,
            ended_at: Some(ended_at.into()),
            fold: fold.map(str::to_owned),
        }
    }

    fn wrong(times: TypedTimes) -> Vec<String> {
        match times.read(None) {
            Err(Refusal::Invalid { fields }) => fields.into_iter().map(|wrong| wrong.field).collect(),
            Err(other) => panic!("{other}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let times = typed("2026-11-03T14:05", "", None).read(None).unwrap();
        assert_eq!((times.started.to_string().as_str(), times.ended), ("2026-11-03T13:05:00Z", None));
        assert_eq!(wrong(typed(" ", "x", None)), ["ended_at", "started_at"]);
        assert_eq!(wrong(TypedTimes { zone: "Mars/Base".into(), ..typed("2026-11-03T14:05", "", None) }), ["zone"]);
    }

    #[test]
    fn a_time_that_came_twice_asks_which_one() {
        let night = "2026-10-25T02:30";
        assert_eq!(wrong(typed(night, "2026-10-25T02:45", None)), ["started_at", "ended_at", "fold"]);
        let times = typed(night, "2026-10-25T02:45", Some("second")).read(None).unwrap();
        assert_eq!(times.started.to_string(), "2026-10-25T01:30:00Z");
        assert_eq!(wrong(typed("2026-03-29T02:30", "", Some("first"))), ["started_at"]);
    }
}
