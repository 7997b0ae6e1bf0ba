//! Documents that are uploaded into the shared folder.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use ddg_agentic::riddles::DataType;
use serde_json::json;

use super::error::refused;
use super::secret::check;
use super::server::{Reply, Server};
use crate::error::ApiError;

/// The most bytes of a document.
pub(super) const MAX_FILE: usize = 32 * 1024 * 1024;

/// The most bytes of its name: what file systems take.
const MAX_NAME: usize = 200;

/// `POST /files?name=NAME` with the content: writes a document into a folder of its own, and
/// replies with the data item for a riddle.
pub(super) async fn take(
    State(server): Server,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Reply {
    check(server.secret.as_ref(), &headers)?;
    let query = query.unwrap_or_default();
    let given = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "name");
    let name = given.map(|(_, value)| value.into_owned()).unwrap_or_default();
    if !is_name(&name) {
        let message = format!(
            "`{}` is no name of a file: write up to {MAX_NAME} bytes without `/`, not starting with `.`.",
            ddg_core::printable::line(&name)
        );
        return Err(ApiError::invalid(message).param("name"));
    }
    let stated = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind_of(&name, stated.unwrap_or_default());
    // Nothing is replaced: two documents of one name are in two folders.
    let path = format!("uploads/{}/{name}", uuid::Uuid::now_v7());
    let (shared, target) = (server.management.shared().clone(), path.clone());
    let written = tokio::task::spawn_blocking(move || shared.write(&target, &body)).await;
    let written = written.map_err(|error| ApiError::server(&error))?;
    written.map_err(|error| refused(&error))?;
    let item = json!({ "type": kind, "file_plain": path });
    Ok((StatusCode::CREATED, Json(item)).into_response())
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name.chars().all(is_plain)
        && !name.starts_with('.')
}

/// The type of a document: as its media type says, or the end of its name.
fn kind_of(name: &str, stated: &str) -> DataType {
    let end = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match (stated.split('/').next().unwrap_or_default(), &*end) {
        ("image", _) => DataType::Image,
        ("audio", _) => DataType::Audio,
        ("text", _) => DataType::Text,
        (_, "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" | "svg" | "tif" | "tiff") => {
            DataType::Image
        }
        (_, "wav" | "mp3" | "ogg" | "oga" | "flac" | "m4a" | "opus") => DataType::Audio,
        _ => DataType::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_a_type_of_its_media_type_or_its_name() {
        assert_eq!(kind_of("a.bin", "image/png"), DataType::Image);
        assert_eq!(kind_of("a.WAV", "application/octet-stream"), DataType::Audio);
        assert_eq!(kind_of("a.jpeg", ""), DataType::Image);
        assert_eq!(kind_of("notes", ""), DataType::Text);
    }

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["", "..", ".hidden", "a/b", "a\\b", "a\0b", "a\nb"] {
            assert!(!is_name(name), "{name:?}");
        }
        assert!(is_name("Größe 1.txt"));
    }
}
