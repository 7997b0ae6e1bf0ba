//! The query of a request.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ddg_agentic::assistants::Paging;

use crate::error::ApiError;

/// The pairs of a query, in their order.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The value of `name`; the last one, if there are several. An empty one counts as missing.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().rev().find(|(have, _)| have == name);
        value.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The page of a list that the query asks for.
    pub(crate) fn paging(&self) -> Result<Paging, ApiError> {
        let pairs = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Paging::from_query(pairs.filter(|(_, value)| !value.is_empty()))?)
    }

    /// The value of `name` as a `T`, which `expected` describes.
    pub(crate) fn value<T: FromStr>(
        &self,
        name: &str,
        expected: &dyn Display,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let message = format!("Invalid value for `{name}`: expected {expected}, got {text:?}.");
            ApiError::invalid(message).param(name)
        })
    }

    /// Whether `name` is true.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        Ok(self.value(name, &"true or false")?.unwrap_or(false))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}
