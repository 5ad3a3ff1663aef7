//! The kept HTML of revisions: made when a revision is first read, then read as it is.

use sqlx::types::Json;

use super::read::Rfc;
use super::render::{self, RENDERER_VERSION, Rendered};
use crate::{Backend, Error, Result};

/// The rendering of the revision that `rfc` shows.
pub async fn rendering(backend: &Backend, rfc: &Rfc) -> Result<Rendered> {
    let kept = sqlx::query_scalar!(
        r#"select rendered as "rendered: Json<Rendered>" from rfc_renderings
           where rfc_id = $1 and revision = $2 and renderer = $3"#,
        rfc.id,
        rfc.revision,
        RENDERER_VERSION,
    )
    .fetch_optional(backend.pool())
    .await?;
    if let Some(Json(rendered)) = kept {
        return Ok(rendered);
    }
    let rendered = of(rfc.body.clone()).await?;
    let keeping = sqlx::query!(
        "insert into rfc_renderings (rfc_id, revision, renderer, rendered) values ($1, $2, $3, $4)
         on conflict (rfc_id, revision) do update set renderer = excluded.renderer, rendered = excluded.rendered",
        rfc.id,
        rfc.revision,
        RENDERER_VERSION,
        Json(&rendered) as _,
    )
    .execute(backend.pool());
    if let Err(error) = keeping.await {
        // The draft was deleted meanwhile, or the database takes no writes: the page can be shown all the same.
        tracing::warn!(%error, rfc = rfc.number, "a rendering was not kept");
    }
    Ok(rendered)
}

/// Renders a text that is not a revision (yet): the preview beside the editor.
pub async fn preview(body: &str) -> Result<Rendered> {
    of(super::create::body(body)?).await
}

/// Renders beside the runtime: the largest documents take tens of milliseconds.
async fn of(body: String) -> Result<Rendered> {
    tokio::task::spawn_blocking(move || render::render(&body)).await.map_err(Error::internal)
}
