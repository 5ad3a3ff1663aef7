//! `/imports`: files that are handed in, compared, and applied when somebody says so. Admins only.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::imports::{self, Change, Counts, Import, Kind, Line, NewImport, Outcome, Phase};
use backend::incidents::import::{Preview, preview};
use domain::Refusal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, versioned};
use super::input::{Json, Paging, Path, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get))
        .routes(routes!(lines))
        .routes(routes!(columns))
        .routes(routes!(read_again))
        .routes(routes!(apply))
        .routes(routes!(cancel))
        .routes(routes!(discard))
}

/// A file that was handed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
struct ImportBody {
    id: String,
    /// `catalog` or `incidents`.
    kind: String,
    name: String,
    #[schema(value_type = Object)]
    options: Map<String, Value>,
    /// `receiving`, `checking`, `ready`, `applying`, `applied`, `cancelled`, `discarded` or `failed`.
    state: String,
    /// Its size.
    bytes: i64,
    /// Units done of the present state's work.
    done: i64,
    /// Units in all, once that is known.
    total: Option<i64>,
    /// Why it failed.
    problem: Option<String>,
    /// How many lines of each sort the comparison found, for example `new service`; `unchanged …` and `counted …` have no
    /// lines.
    #[schema(value_type = Object)]
    found: Counts,
    /// How many lines of each sort came of applying it.
    #[schema(value_type = Object)]
    did: Counts,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    applied_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    version: i64,
}

impl From<Import> for ImportBody {
    fn from(import: Import) -> Self {
        Self {
            id: import.id.to_string(),
            kind: import.kind.as_str().to_owned(),
            name: import.name,
            options: import.options,
            state: import.state.as_str().to_owned(),
            bytes: import.bytes,
            done: import.done,
            total: import.total,
            problem: Some(import.problem).filter(|problem| !problem.is_empty()),
            found: import.found,
            did: import.did,
            created_by: import.created_by,
            created_at: import.created_at,
            applied_by: import.applied_by,
            finished_at: import.finished_at,
            version: import.version,
        }
    }
}

/// Something that an import found or did.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportLine)]
struct LineBody {
    /// `new`, `changed`, `kept`, `refused` or `noted`.
    outcome: String,
    /// The sort of thing, for example `service`.
    sort: String,
    subject: String,
    file: String,
    /// The line of the file, from 1; null when it is about the whole file.
    line: Option<u64>,
    message: String,
    changes: Vec<ChangeBody>,
}

/// One value that differs.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportChange)]
struct ChangeBody {
    field: String,
    /// What is here.
    before: String,
    /// What the file says.
    after: String,
}

impl From<Line> for LineBody {
    fn from(line: Line) -> Self {
        let change = |Change { field, before, after }: Change| ChangeBody { field, before, after };
        Self {
            outcome: line.outcome.as_str().to_owned(),
            sort: line.sort,
            subject: line.subject,
            file: line.place.file,
            line: (line.place.line > 0).then_some(line.place.line),
            message: line.message,
            changes: line.changes.into_iter().map(change).collect(),
        }
    }
}

/// How the file of an import is read.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportColumns)]
struct ColumnsBody {
    /// The file in words: its format and encoding.
    read_as: String,
    /// In the file's order.
    columns: Vec<ColumnBody>,
}

/// One column.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportColumn)]
struct ColumnBody {
    heading: String,
    /// What it is read as; null: it is not read.
    field: Option<String>,
    /// The first texts in it.
    samples: Vec<String>,
}

impl From<Preview> for ColumnsBody {
    fn from(Preview { read_as, columns }: Preview) -> Self {
        let columns = columns.into_iter().map(|(heading, field, samples)| ColumnBody {
            heading,
            field: field.map(|field| field.as_str().to_owned()),
            samples,
        });
        Self { read_as, columns: columns.collect() }
    }
}

/// A file to hand in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportPost {
    /// `catalog` or `incidents`.
    kind: String,
    /// What it is called.
    name: String,
    /// The file's text. A larger file than a request may be: by the page or the command line.
    content: String,
    /// What its kind has to know to read it. A catalogue: `tier` of new services. Incidents: `source`; `severity`, for
    /// rows that say none; `zone`, for times that name none; `dates`, `day-first` or `month-first`; `map`, the field of
    /// each column by its heading or as `#3`.
    #[schema(value_type = Option<Object>)]
    options: Option<Map<String, Value>>,
}

/// How to read a file from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadAgainPost {
    /// As when a file is handed in, instead of those it has.
    #[schema(value_type = Option<Object>)]
    options: Option<Map<String, Value>>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `check`: what the comparison found (the default). `apply`: what was done.
    phase: Option<String>,
    /// Only this outcome: `new`, `changed`, `kept`, `refused` or `noted`.
    outcome: Option<String>,
}

/// All imports
#[utoipa::path(get, path = "/imports", tag = "Imports", params(Paging),
    responses((status = 200, body = List<ImportBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<ImportBody>>, Failure> {
    let page = imports::list(&backend, &actor, &paging.into()).await?;
    Ok(PlainJson(List::of(page, ImportBody::from)))
}

/// Hand in a file
#[utoipa::path(post, path = "/imports", tag = "Imports", request_body = ImportPost,
    responses((status = 201, body = ImportBody, headers(("ETag", description = "The version"))), Refused))]
async fn create(Caller { backend, actor }: Caller, Json(sent): Json<ImportPost>) -> Result<impl IntoResponse, Failure> {
    let kind =
        Kind::parse(&sent.kind).ok_or_else(|| Refusal::field("kind", "The kind is \"catalog\" or \"incidents\"."))?;
    let new = NewImport { kind, name: sent.name, options: sent.options.unwrap_or_default() };
    let import = imports::hand_in(&backend, &actor, new, sent.content.as_bytes()).await?;
    Ok((StatusCode::CREATED, versioned(import.version, ImportBody::from(import))))
}

/// One import
#[utoipa::path(get, path = "/imports/{id}", tag = "Imports", params(("id", description = "The import")),
    responses((status = 200, body = ImportBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Failure> {
    let import = imports::get(&backend, &actor, id).await?;
    Ok(versioned(import.version, ImportBody::from(import)))
}

/// What an import found or did
#[utoipa::path(get, path = "/imports/{id}/lines", tag = "Imports", params(("id", description = "The import"), Wanted, Paging),
    responses((status = 200, body = List<LineBody>), Refused))]
async fn lines(
    Caller { backend, actor }: Caller,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<LineBody>>, Failure> {
    let phase = match wanted.phase.as_deref() {
        None | Some("check") => Phase::Check,
        Some("apply") => Phase::Apply,
        Some(_) => return Err(Refusal::field("phase", "The phase is \"check\" or \"apply\".").into()),
    };
    let outcome = match &wanted.outcome {
        None => None,
        Some(word) => Some(Outcome::parse(word).ok_or_else(|| {
            Refusal::field("outcome", "The outcome is \"new\", \"changed\", \"kept\", \"refused\" or \"noted\".")
        })?),
    };
    imports::get(&backend, &actor, id).await?;
    let page = imports::lines(&backend, &actor, id, phase, outcome, &paging.into()).await?;
    Ok(PlainJson(List::of(page, LineBody::from)))
}

/// The columns of a file of incidents, and what each is read as
#[utoipa::path(get, path = "/imports/{id}/columns", tag = "Imports", params(("id", description = "The import")),
    responses((status = 200, body = ColumnsBody), Refused))]
async fn columns(Caller { backend, actor }: Caller, Path(id): Path<i64>) -> Result<PlainJson<ColumnsBody>, Failure> {
    let import = imports::get(&backend, &actor, id).await?;
    if import.kind != Kind::Incidents {
        return Err(Refusal::conflict("Only a file of incidents has columns.").into());
    }
    if !import.has_file {
        return Err(Refusal::conflict("The file is no longer kept; hand it in again.").into());
    }
    Ok(PlainJson(preview(&backend, &actor, id).await?.into()))
}

/// Compare a file anew, read in another way
#[utoipa::path(post, path = "/imports/{id}/read-again", tag = "Imports", request_body = ReadAgainPost,
    params(("id", description = "The import"), ("If-Match" = Option<String>, Header, description = "The version to read anew")),
    responses((status = 200, body = ImportBody, headers(("ETag", description = "The version"))), Refused))]
async fn read_again(
    Caller { backend, actor }: Caller,
    Path(id): Path<i64>,
    Json(sent): Json<ReadAgainPost>,
) -> Result<impl IntoResponse, Failure> {
    let import = imports::read_again(&backend, &actor, id, sent.options.unwrap_or_default()).await?;
    Ok(versioned(import.version, ImportBody::from(import)))
}

/// Apply an import that is ready
#[utoipa::path(post, path = "/imports/{id}/apply", tag = "Imports",
    params(("id", description = "The import"), ("If-Match" = Option<String>, Header, description = "The version to apply")),
    responses((status = 200, body = ImportBody, headers(("ETag", description = "The version"))), Refused))]
async fn apply(Caller { backend, actor }: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Failure> {
    let import = imports::apply(&backend, &actor, id).await?;
    Ok(versioned(import.version, ImportBody::from(import)))
}

/// Stop an import that is being applied
#[utoipa::path(post, path = "/imports/{id}/cancel", tag = "Imports",
    params(("id", description = "The import"), ("If-Match" = Option<String>, Header, description = "The version to stop")),
    responses((status = 200, body = ImportBody, headers(("ETag", description = "The version"))), Refused))]
async fn cancel(Caller { backend, actor }: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Failure> {
    let import = imports::cancel(&backend, &actor, id).await?;
    Ok(versioned(import.version, ImportBody::from(import)))
}

/// Decide against an import
#[utoipa::path(post, path = "/imports/{id}/discard", tag = "Imports",
    params(("id", description = "The import"), ("If-Match" = Option<String>, Header, description = "The version to discard")),
    responses((status = 200, body = ImportBody, headers(("ETag", description = "The version"))), Refused))]
async fn discard(Caller { backend, actor }: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Failure> {
    let import = imports::discard(&backend, &actor, id).await?;
    Ok(versioned(import.version, ImportBody::from(import)))
}
