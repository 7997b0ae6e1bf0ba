//! `/v1/conversations`, and their items.

use axum::Json;
use ddg_agentic::assistants::{self, Conversation, Deleted, Item, Page, metadata_of};

use crate::error::ApiError;
use crate::http::body;
use crate::http::owner::Owner;
use crate::http::path::Ids;
use crate::http::query::Query;

pub(super) async fn create(
    Owner(tenant): Owner,
    body: body::Json,
) -> Result<Json<Conversation>, ApiError> {
    Ok(Json(tenant.create_conversation(body.read()?).await?))
}

pub(super) async fn retrieve(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<Conversation>, ApiError> {
    Ok(Json(tenant.conversation(&id).await?))
}

pub(super) async fn update(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
    body: body::Json,
) -> Result<Json<Conversation>, ApiError> {
    Ok(Json(tenant.update_conversation(&id, metadata_of(body.0)?).await?))
}

pub(super) async fn delete(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
) -> Result<Json<Deleted>, ApiError> {
    Ok(Json(tenant.delete_conversation(&id).await?))
}

pub(super) async fn create_items(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
    body: body::Json,
) -> Result<Json<Page<Item>>, ApiError> {
    let items = assistants::Tenant::read_items(body.0)?;
    Ok(Json(tenant.create_items(&id, &items).await?))
}

pub(super) async fn items(
    Owner(tenant): Owner,
    Ids(id): Ids<String>,
    query: Query,
) -> Result<Json<Page<Item>>, ApiError> {
    Ok(Json(tenant.list_items(&id, &query.paging()?).await?))
}

pub(super) async fn item(
    Owner(tenant): Owner,
    Ids((conversation, id)): Ids<(String, String)>,
) -> Result<Json<Item>, ApiError> {
    Ok(Json(tenant.item(&conversation, &id).await?))
}

pub(super) async fn delete_item(
    Owner(tenant): Owner,
    Ids((conversation, id)): Ids<(String, String)>,
) -> Result<Json<Conversation>, ApiError> {
    Ok(Json(tenant.delete_item(&conversation, &id).await?))
}
