//! `/v1/files`: files of a tenant.

mod upload;

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use ddg_agentic::files::{File, FileError, FileManager};
use serde::Serialize;

use crate::error::{ApiError, Kind};
use crate::http::page::{Page, Wanted};
use crate::http::path::Ids;
use crate::http::query::Query;
use crate::state::Shared;
use crate::tenant::Tenant;

/// The name under which a file keeps the purpose that its client gave it.
const PURPOSE: &str = "purpose";
const MOST_ON_A_PAGE: usize = 10_000;

/// A file, as clients know it.
#[derive(Serialize)]
pub(super) struct FileObject {
    id: String,
    object: &'static str,
    bytes: u64,
    created_at: u64,
    filename: String,
    purpose: String,
    status: &'static str,
    expires_at: Option<u64>,
    status_details: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Deleted {
    id: String,
    object: &'static str,
    deleted: bool,
}

impl FileObject {
    fn of(file: &File) -> Self {
        let asked = file.metadata().get(PURPOSE).and_then(|purpose| purpose.as_str());
        Self {
            id: file.id().to_owned(),
            object: "file",
            bytes: file.len(),
            created_at: seconds(file.created()),
            filename: file.filename().to_owned(),
            purpose: asked.unwrap_or(file.purpose().as_str()).to_owned(),
            status: "processed",
            expires_at: None,
            status_details: None,
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn failed(error: &FileError) -> ApiError {
    match error {
        FileError::NotFound { id } | FileError::Removing { id } => {
            ApiError::new(Kind::NotFound, format!("No such File object: {id}")).param("id")
        }
        FileError::Limit { .. } => {
            ApiError::new(Kind::TooLarge, error.to_string()).code("request_too_large")
        }
        FileError::Filename { .. } => ApiError::invalid(error.to_string()).param("file"),
        FileError::Purpose { .. } => ApiError::invalid(error.to_string()).param(PURPOSE),
        error => ApiError::server(error),
    }
}

pub(super) async fn create(
    State(server): State<Shared>,
    Extension(tenant): Extension<Tenant>,
    request: Request,
) -> Result<Json<FileObject>, ApiError> {
    let upload = upload::read(request, &server.limits).await?;
    let files = server.files.of(tenant.as_str()).await.map_err(|error| failed(&error))?;
    let file = upload.create(&files).await.map_err(|error| failed(&error))?;
    Ok(Json(FileObject::of(&file)))
}

pub(super) async fn list(
    State(server): State<Shared>,
    Extension(tenant): Extension<Tenant>,
    query: Query,
) -> Result<Json<Page<FileObject>>, ApiError> {
    let wanted = Wanted::of(&query, MOST_ON_A_PAGE, MOST_ON_A_PAGE)?;
    let files = server.files.of(tenant.as_str()).await.map_err(|error| failed(&error))?;
    files.refresh().await.map_err(|error| failed(&error))?;
    let mut all: Vec<_> = files.list().iter().map(FileObject::of).collect();
    if let Some(purpose) = query.text(PURPOSE) {
        all.retain(|file| file.purpose == purpose);
    }
    Ok(Json(Page::of(&wanted, all, |file| &file.id)?))
}

pub(super) async fn retrieve(
    State(server): State<Shared>,
    Extension(tenant): Extension<Tenant>,
    Ids(id): Ids<String>,
) -> Result<Json<FileObject>, ApiError> {
    let (_, file) = find(&server, &tenant, &id).await?;
    Ok(Json(FileObject::of(&file)))
}

pub(super) async fn content(
    State(server): State<Shared>,
    Extension(tenant): Extension<Tenant>,
    Ids(id): Ids<String>,
) -> Result<Response, ApiError> {
    let (files, file) = find(&server, &tenant, &id).await?;
    let content = files.read_stream(&id).await.map_err(|error| failed(&error))?;
    // Not with the type of the file, so that a browser does not run what somebody has uploaded.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, file.len().to_string()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (HeaderName::from_static("x-content-type-options"), "nosniff".to_owned()),
    ];
    Ok((headers, Body::from_stream(content)).into_response())
}

pub(super) async fn delete(
    State(server): State<Shared>,
    Extension(tenant): Extension<Tenant>,
    Ids(id): Ids<String>,
) -> Result<Json<Deleted>, ApiError> {
    let (files, _) = find(&server, &tenant, &id).await?;
    files.delete(&id).await.map_err(|error| failed(&error))?;
    Ok(Json(Deleted { id, object: "file", deleted: true }))
}

/// Finds a file of the tenant, perhaps one that another process has created.
async fn find(server: &Shared, tenant: &Tenant, id: &str) -> Result<(FileManager, File), ApiError> {
    let files = server.files.of(tenant.as_str()).await.map_err(|error| failed(&error))?;
    if let Ok(file) = files.look_up(id) {
        return Ok((files, file));
    }
    files.refresh().await.map_err(|error| failed(&error))?;
    let file = files.look_up(id).map_err(|error| failed(&error))?;
    Ok((files, file))
}
