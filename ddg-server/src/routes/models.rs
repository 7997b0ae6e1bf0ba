//! `/v1/models`: the configured model and the registered agents.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;

use crate::error::{ApiError, Kind};
use crate::http::path::Ids;
use crate::state::Shared;
use crate::tenant::Tenant;

#[derive(Serialize)]
pub(super) struct Model {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

#[derive(Serialize)]
pub(super) struct Models {
    object: &'static str,
    data: Vec<Model>,
}

fn models(server: &Shared, tenant: &Tenant) -> Vec<Model> {
    let model = |id, owned_by| Model { id, object: "model", created: 0, owned_by };
    let configured = server.models.configured(tenant);
    let agents = server.assistants.agents().map(|name| model(name.to_owned(), "server"));
    configured.map(|id| model(id, "upstream")).into_iter().chain(agents).collect()
}

pub(super) async fn list(
    State(server): State<Shared>,
    Extension(tenant): Extension<Tenant>,
) -> Json<Models> {
    Json(Models { object: "list", data: models(&server, &tenant) })
}

pub(super) async fn retrieve(
    State(server): State<Shared>,
    Extension(tenant): Extension<Tenant>,
    Ids(id): Ids<String>,
) -> Result<Json<Model>, ApiError> {
    let found = models(&server, &tenant).into_iter().find(|model| model.id == id);
    found.map(Json).ok_or_else(|| {
        let message =
            format!("The model {id:?} is not configured here; /v1/models lists those that are.");
        ApiError::new(Kind::NotFound, message).param("model").code("model_not_found")
    })
}
