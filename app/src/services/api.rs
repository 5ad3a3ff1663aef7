//! Server functions about services.

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session,
    crate::ui::Done,
    crate::urls,
    backend::services::{self, Link, ServiceInput},
    backend::version::Expected,
    domain::{Refusal, text},
};

/// Describes a new service.
#[server(prefix = "/do", endpoint = "services/create")]
pub async fn create(
    name: String,
    slug: Option<String>,
    tier: i64,
    team: Option<String>,
    description: Option<String>,
    depends_on: Option<String>,
    links: Option<String>,
    labels: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let slug = slug.filter(|slug| !slug.is_empty()).unwrap_or_else(|| text::slugify(&name, "service"));
    let input = input(name, tier, team, description, depends_on.as_deref(), links.as_deref(), labels.as_deref());
    services::put(&backend, &actor, &slug, Expected::Absent, input).await?;
    session::done(&urls::service(&slug), Done::Created);
    Ok(())
}

/// Changes a service. `version` is the one the form was made from.
#[server(prefix = "/do", endpoint = "services/edit")]
pub async fn edit(
    slug: String,
    version: i64,
    name: String,
    tier: i64,
    team: Option<String>,
    description: Option<String>,
    depends_on: Option<String>,
    links: Option<String>,
    labels: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let input = input(name, tier, team, description, depends_on.as_deref(), links.as_deref(), labels.as_deref());
    services::put(&backend, &actor, &slug, Expected::Version(version), input).await?;
    session::done(&urls::service(&slug), Done::Saved);
    Ok(())
}

/// Gives a service another address.
#[server(prefix = "/do", endpoint = "services/rename")]
pub async fn rename(slug: String, new_slug: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let service = services::rename(&backend, &actor, &slug, new_slug.trim()).await.map_err(|error| match error {
        // The form calls the field by another name than the use case.
        backend::Error::Refused(Refusal::Invalid { fields }) => Refusal::Invalid {
            fields: fields
                .into_iter()
                .map(|wrong| domain::FieldError { field: "new_slug".to_owned(), ..wrong })
                .collect(),
        }
        .into(),
        other => AppError::from(other),
    })?;
    session::done(&urls::service(&service.slug), Done::Renamed);
    Ok(())
}

/// Takes a service out of the lists; nothing that belongs to it is lost.
#[server(prefix = "/do", endpoint = "services/archive")]
pub async fn archive(slug: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    services::archive(&backend, &actor, &slug).await?;
    session::done(&urls::service(&slug), Done::Archived);
    Ok(())
}

/// Brings an archived service back.
#[server(prefix = "/do", endpoint = "services/unarchive")]
pub async fn unarchive(slug: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    services::unarchive(&backend, &actor, &slug).await?;
    session::done(&urls::service(&slug), Done::Restored);
    Ok(())
}

/// What the form says, as the use case wants it: slugs and labels apart by commas or lines, one link a line with its
/// address last.
#[cfg(feature = "ssr")]
fn input(
    name: String,
    tier: i64,
    team: Option<String>,
    description: Option<String>,
    depends_on: Option<&str>,
    links: Option<&str>,
    labels: Option<&str>,
) -> ServiceInput {
    let words = |text: Option<&str>| {
        text.unwrap_or_default()
            .split([',', '\n'])
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let links = links.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let (title, url) = line.rsplit_once(char::is_whitespace).unwrap_or((line, line));
        Link { title: title.trim().to_owned(), url: url.to_owned() }
    });
    ServiceInput {
        name,
        tier,
        team: team.filter(|team| !team.is_empty()),
        description: description.unwrap_or_default(),
        depends_on: words(depends_on),
        links: links.collect(),
        labels: words(labels),
    }
}
