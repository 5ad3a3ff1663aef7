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
    let import = imports::hand_in(&backend, &actor, new, content.as_bytes()).await.map_err(|error| match error {
        // The form's field has another name than a file's.
        backend::Error::Refused(domain::Refusal::Invalid { mut fields }) => {
            for field in fields.iter_mut().filter(|field| field.field == "file") {
                "content".clone_into(&mut field.field);
            }
            domain::Refusal::Invalid { fields }.into()
        }
        error => error,
    })?;
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
