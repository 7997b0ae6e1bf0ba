//! Pages of lists.

use serde::Serialize;

use super::query::Query;
use crate::error::ApiError;

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// The part of a list that a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) limit: usize,
    pub(crate) order: Order,
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
}

/// A page, as it is sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Page<T> {
    object: &'static str,
    data: Vec<T>,
    first_id: Option<String>,
    last_id: Option<String>,
    has_more: bool,
}

impl Wanted {
    /// Reads `limit` (from 1 to `most`), `order`, `after` and `before` of a query.
    pub(crate) fn of(query: &Query, default: usize, most: usize) -> Result<Self, ApiError> {
        let expected = format!("an integer from 1 to {most}");
        let limit = query.value("limit", &expected)?.unwrap_or(default);
        if !(1..=most).contains(&limit) {
            let message = format!("Invalid value for `limit`: expected {expected}, got {limit}.");
            return Err(ApiError::invalid(message).param("limit"));
        }
        let order = match query.text("order") {
            None | Some("desc") => Order::Descending,
            Some("asc") => Order::Ascending,
            Some(other) => {
                let message =
                    format!("Invalid value for `order`: expected asc or desc, got {other:?}.");
                return Err(ApiError::invalid(message).param("order"));
            }
        };
        let id = |name| query.text(name).map(str::to_owned);
        Ok(Self { limit, order, after: id("after"), before: id("before") })
    }
}

impl<T> Page<T> {
    /// Takes a page out of `all`, which are in the order of their creation.
    ///
    /// # Errors
    /// If `after` or `before` is the id of none.
    pub(crate) fn of(
        wanted: &Wanted,
        mut all: Vec<T>,
        id: impl Fn(&T) -> &str,
    ) -> Result<Self, ApiError> {
        if wanted.order == Order::Descending {
            all.reverse();
        }
        let place = |name: &str, wanted: &str| {
            all.iter().position(|item| id(item) == wanted).ok_or_else(|| {
                let message = format!("No object of the list has the id {wanted:?} of `{name}`.");
                ApiError::invalid(message).param(name)
            })
        };
        let from = wanted.after.as_deref().map(|id| place("after", id)).transpose()?;
        let to = wanted.before.as_deref().map(|id| place("before", id)).transpose()?;
        let from = from.map_or(0, |place| place + 1);
        let to = to.unwrap_or(all.len()).max(from);
        // The page before an id is the one just before it.
        let is_backwards = wanted.before.is_some() && wanted.after.is_none();
        let has_more = to - from > wanted.limit;
        let (from, to) = match (has_more, is_backwards) {
            (false, _) => (from, to),
            (true, true) => (to - wanted.limit, to),
            (true, false) => (from, from + wanted.limit),
        };
        let data: Vec<T> = all.drain(from..to).collect();
        let [first_id, last_id] =
            [data.first(), data.last()].map(|item| item.map(|item| id(item).to_owned()));
        Ok(Self { object: "list", data, first_id, last_id, has_more })
    }
}
