//! A server as a source of tools for toolboxes: listed again when they have changed.

use std::sync::Arc;

use ddg_core::WorkerError;
use futures::future::BoxFuture;

use super::McpClient;
use crate::tool::{Tool, ToolList, ToolSource};

/// The tools of a server, and the number of changes when they were listed.
pub(super) type Listed = Option<(u64, ToolList)>;

/// The tools of the server, as they are now: they are listed again if the server has announced a
/// change, or has ended and was connected to again. While the server is away, its last tools stay,
/// and their calls fail.
impl ToolSource for McpClient {
    fn name(&self) -> &str {
        self.name()
    }

    fn tools(&self) -> BoxFuture<'_, Result<ToolList, WorkerError>> {
        Box::pin(async {
            let connection = self.connection();
            let mut listed = connection.listed.lock().await;
            let version = connection.listener.tools_version();
            if let Some((of, list)) = &*listed
                && *of == version
                && !connection.has_ended()
            {
                return Ok(Arc::clone(list));
            }
            // Opens the connection again, which counts as a change.
            connection.live().await?;
            let version = connection.listener.tools_version();
            let tools = self.list().await?;
            let list: ToolList =
                tools.into_iter().map(|tool| Arc::new(tool) as Arc<dyn Tool>).collect();
            *listed = Some((version, Arc::clone(&list)));
            Ok(list)
        })
    }

    fn changed<'a>(&'a self, since: &'a ToolList) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let connection = self.connection();
            let version = match &*connection.listed.lock().await {
                Some((version, list)) if Arc::ptr_eq(list, since) => *version,
                _ => return,
            };
            connection.listener.tools_change_after(version).await;
        })
    }
}
