//! Admission of requests: their key, and the rate of their tenant.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, Kind};
use crate::state::Shared;
use crate::tenant::Tenant;

/// Admits a request: puts its [`Tenant`] into its extensions, or refuses it.
pub(crate) async fn admit(
    State(server): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let tenant = match tenant(&server, request.headers()) {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    if let Some(rate) = &server.rate
        && let Err(wait) = rate.take(&tenant)
    {
        let message = format!(
            "Rate limit reached: at most {} requests a minute are allowed for one key. Try again \
             in {} s.",
            rate.per_minute(),
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        );
        let mut error = ApiError::new(Kind::Rate, message).code("rate_limit_exceeded");
        error.retry_after = Some(wait);
        return error.into_response();
    }
    // Opened here, because runs look for files without waiting.
    if let Err(error) = server.files.of(tenant.as_str()).await {
        tracing::error!(%error, "the files of a tenant cannot be opened");
    }
    request.extensions_mut().insert(tenant);
    next.run(request).await
}

/// The tenant whose key the request has.
fn tenant(server: &Shared, headers: &HeaderMap) -> Result<Tenant, ApiError> {
    let Some(keys) = &server.keys else { return Ok(Tenant::of_everybody()) };
    let refused = |message: &str| ApiError::new(Kind::Key, message).code("invalid_api_key");
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(refused(
            "You didn't provide an API key. Send it in the header `Authorization: Bearer KEY`.",
        ));
    };
    let key = bearer(value.as_bytes())
        .ok_or_else(|| refused("The header `Authorization` has another form than `Bearer KEY`."))?;
    keys.tenant(key).ok_or_else(|| refused("Incorrect API key provided."))
}

/// The key in the value of the header. The scheme may be in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = value.split_at_checked("bearer ".len())?;
    let key = key.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !key.is_empty()).then_some(key)
}
