//! `/search`: everything that exists, as far as the caller may see it.

use std::collections::BTreeMap;

use axum::Json as PlainJson;
use backend::search::{self, Found, Hit, Wanted};
use domain::rfc::Status;
use domain::search::{Kind, Part};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ApiState, Caller};
use super::input::{Paging, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(find))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Sought {
    /// Words: all of them, as they are, as the beginning of a longer one, or in another form. At most 200 characters.
    #[serde(default)]
    q: String,
    /// Only of this kind: `rfc`, `comment`, `service`, `team`, `person`, `incident` or `follow_up`.
    kind: Option<String>,
}

/// A piece of a text.
#[derive(Serialize, ToSchema)]
#[schema(as = TextPart)]
struct PartBody {
    text: String,
    /// Whether it is one of the words looked for.
    found: bool,
}

impl From<Part> for PartBody {
    fn from(Part { text, found }: Part) -> Self {
        Self { text, found }
    }
}

/// The RFC that something is, or is said in.
#[derive(Serialize, ToSchema)]
struct FoundRfc {
    number: i64,
    title: String,
    #[schema(value_type = String)]
    status: Status,
}

/// Something found.
#[derive(Serialize, ToSchema)]
struct FoundItem {
    #[schema(value_type = String)]
    kind: Kind,
    /// The name that it has in this API: number, slug, address or id.
    key: String,
    /// Its page.
    url: String,
    /// What it is called; empty for a comment.
    title: String,
    /// The piece of its text with the words.
    snippet: Vec<PartBody>,
    rfc: Option<FoundRfc>,
    /// Who wrote it, where one person did: an address.
    author: Option<String>,
    /// No longer in use: archived, disabled.
    archived: bool,
    /// When it was last written.
    at: Timestamp,
}

impl FoundItem {
    fn of(hit: Hit, base_url: &str) -> Self {
        let path = app::urls::found(hit.kind, &hit.key, hit.rfc.as_ref().map(|rfc| rfc.number));
        Self {
            kind: hit.kind,
            url: format!("{base_url}{path}"),
            key: hit.key,
            title: hit.title.into_iter().map(|part| part.text).collect(),
            snippet: hit.snippet.into_iter().map(PartBody::from).collect(),
            rfc: hit.rfc.map(|rfc| FoundRfc { number: rfc.number, title: rfc.title, status: rfc.status }),
            author: hit.by.map(|person| person.email),
            archived: hit.archived,
            at: hit.at,
        }
    }
}

/// What was found.
#[derive(Serialize, ToSchema)]
struct FoundList {
    /// The best first.
    items: Vec<FoundItem>,
    /// Ask for the next page with this; null at the end.
    next_cursor: Option<String>,
    /// How much there is of each kind, whatever kind is asked for.
    kinds: BTreeMap<String, i64>,
    /// Nothing has the words; these are called nearly so.
    similar: bool,
}

/// Search, the best first
#[utoipa::path(get, path = "/search", tag = "Common", params(Sought, Paging),
    responses((status = 200, body = FoundList), Refused))]
async fn find(
    axum::extract::State(state): axum::extract::State<ApiState>,
    Caller { backend, actor }: Caller,
    Query(sought): Query<Sought>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<FoundList>, Failure> {
    let wanted = Wanted { q: sought.q, kind: sought.kind };
    let Found { page, kinds, similar } = search::search(&backend, &actor, &wanted, &paging.into()).await?;
    let items = page.items.into_iter().map(|hit| FoundItem::of(hit, &state.base_url)).collect();
    let kinds = kinds.into_iter().map(|(kind, count)| (kind.as_str().to_owned(), count)).collect();
    Ok(PlainJson(FoundList { items, next_cursor: page.next_cursor, kinds, similar }))
}
