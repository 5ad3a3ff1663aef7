//! Server functions about imports. Admins only, says the policy. A file itself is posted to [`UPLOAD`].

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session,
    crate::ui::Done,
    crate::urls,
    backend::imports::{self, Kind, NewImport},
    backend::version::Expected,
};

/// Where forms with a file go: `multipart/form-data` with `kind`, `options.…` and last the `file`.
pub const UPLOAD: &str = "/do/imports/upload";

/// Takes in a catalogue that was pasted.
#[server(prefix = "/do", endpoint = "imports/paste-catalog")]
pub async fn paste_catalog(content: String, name: Option<String>, tier: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "pasted.yaml".to_owned());
    let options = tier.map(|tier| ("tier".to_owned(), tier.into())).into_iter().collect();
    let new = NewImport { kind: Kind::Catalog, name, options };
    let import = imports::hand_in(&backend, &actor, new, content.as_bytes()).await.map_err(in_form)?;
    session::redirect(&urls::import(import.id));
    Ok(())
}

/// Applies an import whose differences were read.
#[server(prefix = "/do", endpoint = "imports/apply")]
pub async fn apply(import: i64, version: i64) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    imports::apply(&backend.expecting(Expected::Version(version)), &actor, import).await?;
    session::redirect(&urls::import(import));
    Ok(())
}

/// Stops an import that is being applied; what was done stays.
#[server(prefix = "/do", endpoint = "imports/cancel")]
pub async fn cancel(import: i64) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    imports::cancel(&backend, &actor, import).await?;
    session::done(&urls::import(import), Done::ImportStopped);
    Ok(())
}

/// Decides against an import.
#[server(prefix = "/do", endpoint = "imports/discard")]
pub async fn discard(import: i64) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    imports::discard(&backend, &actor, import).await?;
    session::done(&urls::imports(), Done::ImportDiscarded);
    Ok(())
}

/// Compares a file of incidents anew, with its columns and words read as said. `columns` has what each column is, in the
/// file's order.
#[server(prefix = "/do", endpoint = "imports/read-incidents")]
pub async fn read_incidents(
    import: i64,
    version: i64,
    #[server(default)] columns: Vec<String>,
    source: Option<String>,
    severity: Option<String>,
    zone: Option<String>,
    dates: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let map = (1..).zip(columns).map(|(number, field)| format!("#{number}={field}")).collect::<Vec<_>>().join("\n");
    let words = [("source", source), ("severity", severity), ("zone", zone), ("dates", dates), ("map", Some(map))];
    let said = words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word?)));
    let options = said.filter(|(_, word)| !word.trim().is_empty()).map(|(name, word)| (name, word.into())).collect();
    let backend = backend.expecting(Expected::Version(version));
    imports::read_again(&backend, &actor, import, options).await.map_err(in_form)?;
    session::redirect(&urls::import(import));
    Ok(())
}

/// The forms' fields have other names than those of a file and its options.
#[cfg(feature = "ssr")]
fn in_form(error: backend::Error) -> AppError {
    let mut error = AppError::from(error);
    if let AppError::Refused { refusal: domain::Refusal::Invalid { fields } } = &mut error {
        for wrong in fields {
            wrong.field = match wrong.field.as_str() {
                "file" => "content".to_owned(),
                field => field.strip_prefix("options.").unwrap_or(field).to_owned(),
            };
        }
    }
    error
}
