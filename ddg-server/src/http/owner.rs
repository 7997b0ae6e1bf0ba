//! The objects of the tenant that has sent a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ddg_agentic::assistants;

use crate::error::ApiError;
use crate::state::Shared;
use crate::tenant::Tenant;

/// The objects that a request can see.
pub(crate) struct Owner(pub(crate) assistants::Tenant);

impl FromRequestParts<Shared> for Owner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Self, ApiError> {
        let tenant = parts.extensions.get::<Tenant>().expect("each request is admitted before");
        Ok(Self(server.assistants.tenant(tenant.as_str())))
    }
}
