//! An upload: the parts of a multipart body.

use std::io::SeekFrom;

use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use ddg_agentic::files::{File, FileError, FileManager};
use futures::stream;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::time::timeout;

use super::PURPOSE;
use crate::error::ApiError;
use crate::http::body::{check_length, discard, too_large, too_slow};
use crate::state::Limits;

/// Bytes of a multipart body besides the file: names, boundaries, other fields.
const AROUND: u64 = 64 << 10;
const PIECE: usize = 64 << 10;
/// The purposes of the vendor's API for uploads that something here reads.
const PURPOSES: &[&str] = &["assistants", "assistants_output", "user_data", "vision"];

/// A file that was received and has no owner yet. It is in a temporary file, because its purpose
/// may be sent after it.
pub(super) struct Upload {
    content: tokio::fs::File,
    filename: String,
    purpose: String,
}

impl Upload {
    /// Gives the file to the files of a tenant.
    pub(super) async fn create(self, files: &FileManager) -> Result<File, FileError> {
        let pieces = stream::try_unfold(self.content, |mut content| async move {
            let mut piece = vec![0; PIECE];
            let n_read = content.read(&mut piece).await?;
            piece.truncate(n_read);
            Ok((n_read > 0).then(|| (Bytes::from(piece), content)))
        });
        let made = files.create_from_stream(pieces, self.filename);
        match self.purpose.as_str() {
            purpose @ ("assistants" | "assistants_output") => made.purpose(purpose).await,
            // File managers know only the two.
            other => made.metadata(PURPOSE, other).await,
        }
    }
}

/// Reads an upload.
pub(super) async fn read(mut request: Request, limits: &Limits) -> Result<Upload, ApiError> {
    let most = limits.file_bytes;
    if let Err(error) = check_length(request.headers(), most + AROUND) {
        let (head, body) = request.into_parts();
        discard(&head.headers, body.into_data_stream()).await;
        return Err(error);
    }
    let most_in_all = usize::try_from(most + AROUND).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(most_in_all).apply(&mut request);
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| {
        ApiError::invalid(
            "The body is no multipart form; send the file with `Content-Type: \
             multipart/form-data; boundary=…`, as `client.files.create` does.",
        )
        .code("unsupported_content_type")
    })?;
    let (mut content, mut purpose) = (None, None);
    while let Some(part) = timeout(limits.idle, parts.next_field())
        .await
        .map_err(|_| too_slow(limits.idle))?
        .map_err(|error| failed(&error, most))?
    {
        match part.name().unwrap_or_default() {
            "file" if content.is_none() => content = Some(save(part, limits).await?),
            "purpose" if purpose.is_none() => purpose = Some(text(part, limits).await?),
            "file" | "purpose" => {
                let name = part.name().unwrap_or_default().to_owned();
                let message = format!("`{name}` is sent twice; send one.");
                return Err(ApiError::invalid(message).param(name));
            }
            other => {
                let message =
                    format!("Unknown parameter: `{other}`; uploads have `file` and `purpose`.");
                return Err(ApiError::invalid(message).param(other).code("unknown_parameter"));
            }
        }
    }
    let missing = |name: &str| {
        ApiError::invalid(format!("Missing required parameter: `{name}`."))
            .param(name)
            .code("missing_required_parameter")
    };
    let (content, filename) = content.ok_or_else(|| missing("file"))?;
    let purpose = purpose.ok_or_else(|| missing("purpose"))?;
    if !PURPOSES.contains(&purpose.as_str()) {
        let message =
            format!("Invalid value for `purpose`: expected one of {}.", PURPOSES.join(", "));
        return Err(ApiError::invalid(message).param("purpose"));
    }
    Ok(Upload { content, filename, purpose })
}

/// Saves the content of a part in a temporary file, and returns it with its name.
async fn save(mut part: Field<'_>, limits: &Limits) -> Result<(tokio::fs::File, String), ApiError> {
    let filename = part.file_name().unwrap_or("upload").to_owned();
    let failed_io = |error: std::io::Error| ApiError::server(&error);
    let file = tokio::task::spawn_blocking(tempfile::tempfile).await;
    let file = file.map_err(|error| ApiError::server(&error))?.map_err(failed_io)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut n_bytes = 0;
    while let Some(piece) = piece(&mut part, limits).await? {
        n_bytes += piece.len() as u64;
        if n_bytes > limits.file_bytes {
            return Err(too_large(limits.file_bytes));
        }
        file.write_all(&piece).await.map_err(failed_io)?;
    }
    file.flush().await.map_err(failed_io)?;
    file.seek(SeekFrom::Start(0)).await.map_err(failed_io)?;
    Ok((file, filename))
}

/// Reads a part that is a short text.
async fn text(mut part: Field<'_>, limits: &Limits) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = piece(&mut part, limits).await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > 1024 {
            let name = part.name().unwrap_or_default().to_owned();
            return Err(ApiError::invalid(format!("`{name}` is too long.")).param(name));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

async fn piece(part: &mut Field<'_>, limits: &Limits) -> Result<Option<Bytes>, ApiError> {
    let piece = timeout(limits.idle, part.chunk()).await.map_err(|_| too_slow(limits.idle))?;
    piece.map_err(|error| failed(&error, limits.file_bytes))
}

fn failed(error: &MultipartError, most: u64) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(most),
        _ => ApiError::invalid(format!("The multipart body is wrong: {}.", error.body_text())),
    }
}
