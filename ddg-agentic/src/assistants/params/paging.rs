//! Pages of lists.

use crate::assistants::AssistantsError;

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paging {
    /// Number of objects, from 1 to 100; 20 if not set.
    pub limit: Option<u64>,
    /// The order by creation; descending if not set.
    pub order: Option<Order>,
    /// The id of the object before the page, in list order.
    pub after: Option<String>,
    /// The id of the object after the page, in list order.
    pub before: Option<String>,
}

/// The order of a list by creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

impl Paging {
    /// Reads the parameters of a query. Unknown names are ignored.
    ///
    /// # Errors
    /// If a limit or an order is none.
    pub fn from_query<'a>(
        query: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, AssistantsError> {
        let mut paging = Self::default();
        for (name, value) in query {
            match name {
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=100).contains(limit));
                    paging.limit = Some(limit.ok_or_else(|| {
                        let message = "Invalid 'limit': expected an integer from 1 to 100.";
                        AssistantsError::bad_param("limit", message)
                    })?);
                }
                "order" => {
                    paging.order = Some(match value {
                        "asc" => Order::Asc,
                        "desc" => Order::Desc,
                        _ => {
                            let message = "Invalid 'order': expected 'asc' or 'desc'.";
                            return Err(AssistantsError::bad_param("order", message));
                        }
                    });
                }
                "after" if !value.is_empty() => paging.after = Some(value.to_owned()),
                "before" if !value.is_empty() => paging.before = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(paging)
    }

    /// The number of objects.
    pub(in crate::assistants) fn limit(&self) -> Result<u64, AssistantsError> {
        match self.limit.unwrap_or(20) {
            limit @ 1..=100 => Ok(limit),
            _ => Err(AssistantsError::bad_param(
                "limit",
                "Invalid 'limit': expected an integer from 1 to 100.",
            )),
        }
    }
}
