//! `/me/preferences`: what the token's owner is told, where, and when not.

use std::collections::BTreeMap;

use axum::response::IntoResponse;
use backend::notices::preferences::{self, Change, Channels, Versioned};
use domain::notice::{Kind, QuietHours};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ApiState, Caller, IfMatch, versioned};
use super::input::Json;
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get, put))
}

/// What one is told.
#[derive(Serialize, ToSchema)]
#[schema(as = Preferences)]
struct PreferencesBody {
    /// By kind of notice.
    channels: BTreeMap<String, ChannelsBody>,
    /// From when in one's own zone no mail is sent, such as `22:00`; null: it is sent at any hour.
    quiet_from: Option<String>,
    /// Until when, such as `07:00`; before `quiet_from`: on the next day.
    quiet_until: Option<String>,
    /// Whether the weekly digest comes.
    digest: bool,
    version: i64,
}

/// Where a kind of notice comes.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = Channels)]
#[serde(deny_unknown_fields)]
struct ChannelsBody {
    inbox: bool,
    mail: bool,
}

/// What to change; a kind that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreferencesPut {
    #[serde(default)]
    channels: BTreeMap<String, ChannelsBody>,
    /// `HH:MM`; null or absent with `quiet_until`: no quiet hours.
    quiet_from: Option<String>,
    quiet_until: Option<String>,
    /// Absent leaves it as it is.
    digest: Option<bool>,
}

impl From<Versioned> for PreferencesBody {
    fn from(Versioned { preferences, version }: Versioned) -> Self {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.is_for_inbox());
        let channels = kinds.map(|kind| {
            let channels = ChannelsBody { inbox: preferences.inbox(kind), mail: preferences.mail(kind) };
            (kind.as_str().to_owned(), channels)
        });
        Self {
            channels: channels.collect(),
            quiet_from: preferences.quiet.map(QuietHours::from),
            quiet_until: preferences.quiet.map(QuietHours::until),
            digest: preferences.mail(Kind::Digest),
            version,
        }
    }
}

/// What one is told
#[utoipa::path(get, path = "/me/preferences", tag = "Common",
    responses((status = 200, body = PreferencesBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller) -> Result<impl IntoResponse, Failure> {
    let found = preferences::get(&backend, &actor).await?;
    Ok(versioned(found.version, PreferencesBody::from(found)))
}

/// Choose what one is told
#[utoipa::path(put, path = "/me/preferences", tag = "Common", request_body = PreferencesPut,
    params(("If-Match" = Option<String>, Header, description = "The version to change")),
    responses((status = 200, body = PreferencesBody, headers(("ETag", description = "The version"))), Refused))]
async fn put(
    Caller { backend, actor }: Caller,
    IfMatch(expected): IfMatch,
    Json(sent): Json<PreferencesPut>,
) -> Result<impl IntoResponse, Failure> {
    let channels =
        sent.channels.into_iter().map(|(kind, ChannelsBody { inbox, mail })| (kind, Channels { inbox, mail }));
    let quiet = (sent.quiet_from.unwrap_or_default(), sent.quiet_until.unwrap_or_default());
    let change = Change { channels: channels.collect(), quiet: Some(quiet), digest: sent.digest };
    let changed = preferences::put(&backend, &actor, expected, change).await?;
    Ok(versioned(changed.version, PreferencesBody::from(changed)))
}
