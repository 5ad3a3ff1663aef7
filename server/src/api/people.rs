//! `/people`: who has an account.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::accounts::people::{self, Filter, Person, PersonInput};
use domain::{Refusal, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, IfMatch, versioned};
use super::input::{Json, Paging, Path, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put))
}

/// A person.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
struct PersonBody {
    email: String,
    name: String,
    #[schema(value_type = String, example = "member")]
    role: Role,
    /// IANA name.
    time_zone: String,
    /// Slugs of the teams they belong to.
    teams: Vec<String>,
    /// Whether they are kept out.
    disabled: bool,
    version: i64,
}

impl From<Person> for PersonBody {
    fn from(person: Person) -> Self {
        Self {
            email: person.email,
            name: person.name,
            role: person.role,
            time_zone: person.time_zone,
            teams: person.teams.into_iter().map(|team| team.slug).collect(),
            disabled: person.disabled,
            version: person.version,
        }
    }
}

/// What to write about a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonPut {
    name: String,
    /// `reader`, `member`, `sre`, `lead` or `admin`.
    role: String,
    /// IANA name; absent leaves it as it is, UTC at first.
    time_zone: Option<String>,
    /// Absent leaves it as it is. Disabling ends sessions and tokens at once.
    disabled: Option<bool>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words in name or address.
    q: Option<String>,
    /// With this role.
    role: Option<String>,
    /// In this team.
    team: Option<String>,
}

/// Everybody who has an account
#[utoipa::path(get, path = "/people", tag = "People", params(Wanted, Paging),
    responses((status = 200, body = List<PersonBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<PersonBody>>, Failure> {
    let role = wanted.role.as_deref().map(role).transpose()?;
    let filter = Filter { q: wanted.q, role, team: wanted.team, ..Filter::default() };
    let page = people::list(&backend, &actor, &filter, &paging.into()).await?;
    Ok(PlainJson(List::of(page, PersonBody::from)))
}

/// One person
#[utoipa::path(get, path = "/people/{email}", tag = "People", params(("email", description = "Their address")),
    responses((status = 200, body = PersonBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(email): Path<String>) -> Result<impl IntoResponse, Failure> {
    let person = PersonBody::from(people::get(&backend, &actor, &email).await?);
    Ok(versioned(person.version, person))
}

/// Create or change a person
#[utoipa::path(put, path = "/people/{email}", tag = "People", request_body = PersonPut,
    params(("email", description = "Their address"), ("If-Match" = Option<String>, Header, description = "The version to change; none to create")),
    responses((status = 200, body = PersonBody, headers(("ETag", description = "The version"))),
        (status = 201, body = PersonBody, headers(("ETag", description = "The version"))), Refused))]
async fn put(
    Caller { backend, actor }: Caller,
    Path(email): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<PersonPut>,
) -> Result<impl IntoResponse, Failure> {
    let input =
        PersonInput { name: sent.name, role: role(&sent.role)?, time_zone: sent.time_zone, disabled: sent.disabled };
    let (person, created) = people::put(&backend, &actor, &email, expected, input).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, versioned(person.version, PersonBody::from(person))))
}

fn role(word: &str) -> Result<Role, Refusal> {
    Role::parse(word).ok_or_else(|| Refusal::field("role", "The role is reader, member, sre, lead or admin."))
}
