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
    domain::{Refusal, limits, text},
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
    let form = ServiceForm { name, tier, team, description, depends_on, links, labels };
    services::put(&backend, &actor, &slug, Expected::Absent, form.read()).await?;
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
    let form = ServiceForm { name, tier, team, description, depends_on, links, labels };
    services::put(&backend, &actor, &slug, Expected::Version(version), form.read()).await?;
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

/// What the form says about a service.
#[cfg(feature = "ssr")]
#[derive(Debug, Default)]
struct ServiceForm {
    name: String,
    tier: i64,
    team: Option<String>,
    description: Option<String>,
    /// Short names, apart by commas or lines.
    depends_on: Option<String>,
    /// One a line: a title, then the address.
    links: Option<String>,
    /// Apart by commas or lines.
    labels: Option<String>,
}

#[cfg(feature = "ssr")]
impl ServiceForm {
    /// As the use case wants it.
    fn read(self) -> ServiceInput {
        let pieces = |typed: &Option<String>, separators: &[char]| {
            text::pieces(typed.as_deref().unwrap_or_default(), separators)
        };
        ServiceInput {
            name: self.name,
            tier: self.tier,
            team: self.team.filter(|team| !team.is_empty()),
            description: self.description.unwrap_or_default(),
            depends_on: pieces(&self.depends_on, &[',', '\n']),
            links: pieces(&self.links, &['\n']).iter().map(|line| link(line)).collect(),
            labels: pieces(&self.labels, &[',', '\n']),
        }
    }
}

/// A link from its line. A bare address gets a title that fits: itself, without what every address begins with.
#[cfg(feature = "ssr")]
fn link(line: &str) -> Link {
    if let Some((title, url)) = line.rsplit_once(char::is_whitespace) {
        return Link { title: title.trim().to_owned(), url: url.to_owned() };
    }
    let address = line.trim_start_matches("https://").trim_start_matches("http://");
    let title = match address.char_indices().nth(limits::NAME_CHARS) {
        Some(_) => address.chars().take(limits::NAME_CHARS - 1).chain(['…']).collect(),
        None => address.to_owned(),
    };
    Link { title, url: line.to_owned() }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart() {
        let form = ServiceForm {
            depends_on: Some("identity, ledger\n event-bus ".into()),
            links: Some("The runbook https://wiki.example.com/a\n\nhttps://status.example.com/b\n".into()),
            labels: Some(" , batch".into()),
            ..ServiceForm::default()
        };
        let input = form.read();
        assert_eq!(input.depends_on, ["identity", "ledger", "event-bus"]);
        assert_eq!(input.labels, ["batch"]);
        let links: Vec<_> = input.links.iter().map(|link| (link.title.as_str(), link.url.as_str())).collect();
        let bare = ("status.example.com/b", "https://status.example.com/b");
        assert_eq!(links, [("The runbook", "https://wiki.example.com/a"), bare]);
    }

    #[test]
    fn a_long_bare_address_gets_a_title_that_fits() {
        let url = format!("https://example.com/{}", "ä".repeat(300));
        let link = link(&url);
        assert_eq!(link.title.chars().count(), limits::NAME_CHARS);
        assert!(link.title.starts_with("example.com/ä") && link.title.ends_with('…'));
        assert_eq!(link.url, url);
    }
}
