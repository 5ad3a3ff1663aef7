//! `/services`: what is reviewed.

use utoipa_axum::router::OpenApiRouter;

use super::caller::ApiState;

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
}
