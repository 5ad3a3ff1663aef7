//! The kept HTML of revisions: made when a revision is first read, then read as it is. A revision never changes, so each
//! process also keeps what was read lately in memory.

use std::sync::Arc;

use domain::Actor;
use domain::policy::{self, Action};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sqlx::types::Json;

use super::read::Rfc;
use super::render::{self, Block, RENDERER_VERSION, Rendered};
use crate::{Backend, Error, Result};

/// The renderings that were read lately, by RFC and revision. Forgetting one costs a read, never the truth.
#[derive(Debug, Clone)]
pub(crate) struct Lately(Arc<Cache<(i64, i32), Arc<Rendered>, Bytes>>);

/// Bytes kept in memory, for some dozens of the largest documents.
const KEPT_BYTES: u64 = 24 << 20;

impl Default for Lately {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(200, KEPT_BYTES, Bytes)))
    }
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<(i64, i32), Arc<Rendered>> for Bytes {
    fn weight(&self, _: &(i64, i32), rendered: &Arc<Rendered>) -> u64 {
        let blocks = &rendered.blocks;
        let texts: usize = blocks.iter().map(|block| block.html.len() + block.runs.len()).sum();
        (texts + blocks.len() * size_of::<Block>()) as u64
    }
}

/// The rendering of the revision that `rfc` shows.
pub async fn rendering(backend: &Backend, rfc: &Rfc) -> Result<Arc<Rendered>> {
    let key = (rfc.id, rfc.revision);
    if let Some(rendered) = backend.renderings.0.get(&key) {
        return Ok(rendered);
    }
    let rendered = Arc::new(kept(backend, rfc).await?);
    backend.renderings.0.insert(key, Arc::clone(&rendered));
    Ok(rendered)
}

/// The rendering from the database, where it is put if it is not there yet.
async fn kept(backend: &Backend, rfc: &Rfc) -> Result<Rendered> {
    let kept = sqlx::query_scalar!(
        r#"select rendered as "rendered: Json<Rendered>" from rfc_renderings
           where rfc_id = $1 and revision = $2 and renderer = $3"#,
        rfc.id,
        rfc.revision,
        RENDERER_VERSION,
    )
    .fetch_optional(backend.pool())
    .await;
    match kept {
        Ok(Some(Json(rendered))) => return Ok(rendered),
        Ok(None) => {}
        // The text is at hand: whoever has just saved it is not told that it failed.
        Err(error) => tracing::warn!(%error, rfc = rfc.number, "a kept rendering was not read"),
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

/// Renders a text that is not a revision (yet): the preview beside the editor, for whoever may write RFCs.
pub async fn preview(actor: &Actor, body: &str) -> Result<Rendered> {
    policy::allows(actor, Action::WriteRfc)?;
    of(super::create::body(body)?).await
}

/// Renders beside the runtime: the largest documents take tens of milliseconds.
async fn of(body: String) -> Result<Rendered> {
    tokio::task::spawn_blocking(move || render::render(&body)).await.map_err(Error::internal)
}
