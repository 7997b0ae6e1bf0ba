//! Lists of a server: tools, and other things that it offers, page by page.
//!
//! An item that is not as the protocol wants it is left out with a warning. The library would
//! refuse the whole list.

use rmcp::model::{ClientRequest, PaginatedRequestParams, ServerResult};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::McpError;
use super::connection::Connection;

/// Maximum number of items and pages of a list, which bounds endless lists.
const MOST_ITEMS: usize = 10_000;
const MOST_PAGES: usize = 1_000;

/// A kind of list.
pub(super) struct List {
    /// The method, such as `tools/list`.
    pub(super) method: &'static str,
    /// The field of a page that has the items.
    pub(super) field: &'static str,
    /// The request of a page.
    pub(super) request: fn(PaginatedRequestParams) -> ClientRequest,
}

impl Connection {
    /// Lists all items, page by page.
    pub(super) async fn list<T: DeserializeOwned>(&self, list: &List) -> Result<Vec<T>, McpError> {
        let List { method, field, request } = list;
        let malformed = |message: String| self.malformed(method, message);
        let (mut items, mut n_items) = (Vec::new(), 0);
        let (mut cursor, mut n_pages) = (None, 0);
        loop {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let page = json_of(self.request(method, request(params)).await?);
            let Some(Json::Array(page_items)) = page.get(field) else {
                return Err(malformed(format!("it has no list of {field}")));
            };
            n_items += page_items.len();
            if n_items > MOST_ITEMS {
                return Err(malformed(format!("it lists more than {MOST_ITEMS} {field}")));
            }
            items.extend(page_items.iter().filter_map(|item| self.read(method, item)));
            n_pages += 1;
            if n_pages > MOST_PAGES {
                return Err(malformed(format!("its {field} are on more than {MOST_PAGES} pages")));
            }
            let next = page.get("nextCursor").and_then(Json::as_str).map(str::to_owned);
            if next.is_none() {
                return Ok(items);
            }
            if next == cursor {
                return Err(malformed(format!("a page of its {field} is followed by itself")));
            }
            cursor = next;
        }
    }

    /// The item, or a warning in the log.
    pub(super) fn read<T: DeserializeOwned>(&self, method: &str, item: &Json) -> Option<T> {
        T::deserialize(item)
            .inspect_err(|error| {
                let name = item.get("name").and_then(Json::as_str).unwrap_or("without a name");
                let secrets = self.listener.secrets();
                tracing::warn!(
                    server = self.settings.name,
                    item = secrets.shown(name.to_owned()),
                    error = secrets.shown(error.to_string()),
                    "an item in the answer to {method} is left out"
                );
            })
            .ok()
    }
}

/// A result as it was sent, whether the library could read it or not.
pub(super) fn json_of(result: ServerResult) -> Json {
    match result {
        ServerResult::CustomResult(custom) => custom.0,
        // Types of the protocol, which always have a JSON form.
        result => serde_json::to_value(result).unwrap_or_default(),
    }
}
