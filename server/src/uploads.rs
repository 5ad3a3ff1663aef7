//! Files that come with a form: streamed into the database piece by piece, so that no file is ever in memory whole.
//!
//! It answers as a server function does, so that `middleware/form_errors.rs` shows a refused form again.

use app::error::AppError;
use app::imports::api::UPLOAD;
use app::session::Visit;
use app::urls;
use axum::Router;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::post;
use backend::Once;
use backend::imports::{self, Kind, NewImport, PART};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::policy::{Action, allows};
use domain::{Actor, Refusal};
use leptos::prelude::FromServerFnError as _;
use serde_json::Map;
use server_fn::error::SERVER_FN_ERROR_HEADER;
use sha2::{Digest as _, Sha256};

use crate::middleware::form_errors::Sent;

/// Fields other than the file are words.
const LONGEST_FIELD: usize = 20_000;
/// And no form of ours has as many.
const MOST_FIELDS: usize = 50;

/// The route. How large and how slow a file may be: `middleware/timeouts.rs`.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(UPLOAD, post(take)).layer(DefaultBodyLimit::disable())
}

async fn take(Extension(visit): Extension<Visit>, form: Multipart) -> Response {
    let mut sent = Vec::new();
    let received = receive(&visit, form, &mut sent).await;
    match received {
        Ok(import) => Redirect::to(&urls::import(import)).into_response(),
        Err(error) => {
            let error = match error {
                backend::Error::Refused(refusal) => AppError::from(refusal),
                backend::Error::Internal(cause) => {
                    tracing::error!(request_id = visit.request_id, %cause, "a file could not be taken in");
                    AppError::Internal { request_id: visit.request_id }
                }
            };
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Extension(Sent(sent)), [(SERVER_FN_ERROR_HEADER, UPLOAD)], error.ser()).into_response()
        }
    }
}

/// Takes in the file of the form; the import it became. What the form says before its file is kept in `sent`.
async fn receive(visit: &Visit, mut form: Multipart, sent: &mut Vec<(String, String)>) -> backend::Result<i64> {
    let actor = visit.actor.as_ref().ok_or(Refusal::SignInNeeded)?;
    allows(actor, Action::Administer)?;
    let (mut kind, mut options, mut once) = (None, Map::new(), None);
    while let Some(field) = form.next_field().await.map_err(|error| cut_off(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let kind = kind.ok_or_else(|| Refusal::field("kind", "The form does not say what the file holds."))?;
            let file = file_name(&field);
            return keep(visit, actor, NewImport { kind, name: file, options }, once, field).await;
        }
        let value = words(field).await?;
        if sent.len() == MOST_FIELDS {
            return Err(Refusal::field("form", "This form has too many fields.").into());
        }
        sent.push((name.clone(), value.clone()));
        match name.as_str() {
            "kind" => kind = Kind::parse(&value),
            app::form_echo::ONCE => once = Some(value),
            _ => {
                if let Some(option) = name.strip_prefix("options.") {
                    options.insert(option.to_owned(), value.into());
                }
            }
        }
    }
    Err(Refusal::field("file", "Choose a file.").into())
}

/// Streams the file's bytes into the database; the import that they are. `once` is what the form calls this request.
async fn keep(
    visit: &Visit,
    actor: &Actor,
    new: NewImport,
    once: Option<String>,
    mut file: Field<'_>,
) -> backend::Result<i64> {
    let (kind, backend) = (new.kind, &visit.backend);
    let mut asked = Sha256::new().chain_update(UPLOAD);
    for said in [kind.as_str(), &new.name, &serde_json::to_string(&new.options)?] {
        asked = asked.chain_update(said.len().to_le_bytes()).chain_update(said);
    }
    let id = match imports::begin(backend, actor, new).await {
        Ok(id) => id,
        Err(error) => {
            pass_over(&mut file).await;
            return Err(error);
        }
    };
    let kept = async {
        let (mut buffer, mut part, mut bytes) = (Vec::with_capacity(PART), 0, 0_usize);
        while let Some(chunk) = file.chunk().await.map_err(|error| cut_off(&error))? {
            asked.update(&chunk);
            bytes += chunk.len();
            if bytes > kind.max_bytes() {
                pass_over(&mut file).await;
                return Err(imports::too_large(kind).into());
            }
            let mut rest = &chunk[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(PART - buffer.len()));
                buffer.extend_from_slice(now);
                rest = later;
                if buffer.len() == PART {
                    imports::add_part(backend, id, part, &buffer).await?;
                    buffer.clear();
                    part += 1;
                }
            }
        }
        if !buffer.is_empty() {
            imports::add_part(backend, id, part, &buffer).await?;
        }
        let once = once.and_then(|name| once_of(&name, asked.finalize().into()));
        imports::received(&backend.for_request(&visit.request_id, once), actor, id).await
    };
    let kept = kept.await;
    if kept.is_err() {
        imports::give_up(backend, id).await?;
    }
    kept
}

/// The rest of a file that is refused: browsers read the answer only after they have sent everything.
async fn pass_over(file: &mut Field<'_>) {
    while let Ok(Some(_)) = file.chunk().await {}
}

/// A short field's value.
async fn words(mut field: Field<'_>) -> backend::Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| cut_off(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_FIELD {
            return Err(Refusal::field("form", "A field of this form is too long.").into());
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What the file is called, without folders, and without what a line of text cannot have.
fn file_name(field: &Field<'_>) -> String {
    let name = field.file_name().unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|character| !character.is_control()).take(200).collect();
    let name = name.trim();
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

/// The form's own name for this request: a second click has no second effect. Another file with the same form is
/// another request, as in `middleware/form_errors.rs`.
fn once_of(name: &str, asked: [u8; 32]) -> Option<Once> {
    let good = !name.is_empty() && name.len() <= 100;
    good.then(|| Once { key: format!("form:{name}:{}", URL_SAFE_NO_PAD.encode(&asked[..9])), request_hash: asked })
}

fn cut_off(error: &MultipartError) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return imports::too_large(Kind::Incidents);
    }
    Refusal::field("file", "The file did not arrive whole. Try again.")
}
