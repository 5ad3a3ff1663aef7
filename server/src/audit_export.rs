//! `/admin/audit.csv`: the audit log as a file, with the filters of the page. Sent as it is read, however much it is; a
//! file that could not be read to its end breaks off and does not look whole.

use app::session::Visit;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use backend::events::audit::{self, Filter};
use domain::Refusal;
use futures_util::stream;

use crate::middleware::answer::Answer;

/// Sends the file, or says why not. Whoever is not signed in was led to the sign-in page before.
pub async fn download(request: Request) -> Response {
    let answer = Answer::to(&request);
    let refused = |error: &backend::Error| match error {
        backend::Error::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer.with(status, "No file", &refusal.to_string())
        }
        backend::Error::Internal(error) => {
            tracing::error!(%error, "the audit log cannot be exported");
            answer.with(StatusCode::INTERNAL_SERVER_ERROR, "No file", "Something went wrong on our side.")
        }
    };
    let visit = request.extensions().get::<Visit>();
    let Some((backend, actor)) = visit.and_then(|visit| Some((visit.backend.clone(), visit.actor.clone()?))) else {
        return refused(&Refusal::SignInNeeded.into());
    };
    let Ok(Query(filter)) = Query::<Filter>::try_from_uri(request.uri()) else {
        return refused(&Refusal::field("query", "Each filter once only.").into());
    };
    // The first lines before the answer begins: what goes wrong at once is said with its status.
    let begun = async {
        let mut export = audit::export(&backend, &actor, &filter).await?;
        let first = export.next_lines().await?.unwrap_or_default();
        Ok((first, export))
    };
    let (first, export) = match begun.await {
        Ok(begun) => begun,
        Err(error) => return refused(&error),
    };
    let rest = stream::try_unfold(export, |mut export| async move {
        let lines = export.next_lines().await.map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok::<_, std::io::Error>(lines.map(|lines| (Bytes::from(lines), export)))
    });
    let all = futures_util::StreamExt::chain(stream::iter([Ok(Bytes::from(first))]), rest);
    let name = format!("attachment; filename=\"plumbline-audit-{}.csv\"", backend.now().strftime("%Y-%m-%d"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Body::from_stream(all)).into_response()
}
