//! Parts of the path of a request.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Kind};

/// The ids in the path of a request.
pub(crate) struct Ids<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Ids<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            // What is no UTF-8 is no id.
            Err(_) => Err(ApiError::new(
                Kind::NotFound,
                format!("There is nothing at {}: a part of the path is no id.", parts.uri.path()),
            )),
        }
    }
}
