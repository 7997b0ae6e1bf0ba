//! Tools of MCP servers, from the file of `--tools`.

use std::path::Path;
#[cfg(feature = "mcp")]
use std::time::Duration;

use ddg_agentic::Toolbox;
#[cfg(feature = "mcp")]
use ddg_agentic::mcp::{McpClient, McpEndpoint};
use serde::Deserialize;
use serde_json::Value;

/// The content of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "mcpServers")]
    servers: serde_json::Map<String, Value>,
}

/// A server that is started as a program, or reached over HTTP.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "only checked without the feature"))]
#[serde(untagged, deny_unknown_fields)]
enum Endpoint {
    Program {
        command: String,
        #[serde(default)]
        args: Vec<String>,
        #[serde(default)]
        env: std::collections::BTreeMap<String, String>,
    },
    Url {
        url: String,
    },
}

/// Reads the file. Errors name the file and the server, and show no value: values can be secret.
fn read(file: &Path) -> Result<Vec<(String, Endpoint)>, String> {
    let at = |reason: &dyn std::fmt::Display| format!("--tools {}: {reason}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| at(&error))?;
    let File { servers } = serde_json::from_str(&text).map_err(|error| at(&error))?;
    let endpoint = |(name, value): (String, Value)| {
        let reason = "write {\"command\": …, \"args\": […], \"env\": {…}} or {\"url\": …}";
        match serde_json::from_value(value) {
            Ok(endpoint) => Ok((name, endpoint)),
            Err(_) => Err(at(&format_args!("the server `{name}` is wrong: {reason}"))),
        }
    };
    servers.into_iter().map(endpoint).collect()
}

/// Connects to all servers, whose tools are those of each moment. A call may take `timeout`
/// seconds.
#[cfg(feature = "mcp")]
pub(super) async fn connect(file: &Path, timeout: u64) -> Result<Toolbox, String> {
    let (mut tools, mut toolbox) = (Vec::new(), Toolbox::builder());
    for (name, endpoint) in read(file)? {
        let failed = |error: &dyn std::fmt::Display| {
            format!("--tools {}: the server `{name}`: {error}", file.display())
        };
        let client = client(&name, endpoint, Duration::from_secs(timeout)).await;
        let client = client.map_err(|error| failed(&error))?;
        tools.extend(client.tools().await.map_err(|error| failed(&error))?);
        toolbox = toolbox.source(client);
    }
    let failed = |error| format!("--tools {}: {error}", file.display());
    // What is wrong when the program starts is an error; later it is a warning.
    Toolbox::builder().with_all(tools).build().map_err(failed)?;
    toolbox.build().map_err(failed)
}

#[cfg(feature = "mcp")]
async fn client(
    name: &str,
    endpoint: Endpoint,
    timeout: Duration,
) -> Result<McpClient, ddg_agentic::mcp::McpError> {
    match endpoint {
        Endpoint::Program { command, args, env } => {
            let mut program = McpEndpoint::stdio(command, args).name(name).timeout(timeout);
            for (name, value) in env {
                program = program.env(name, value);
            }
            program.connect().await
        }
        Endpoint::Url { url } => McpEndpoint::http(url).name(name).timeout(timeout).connect().await,
    }
}

/// Without MCP there is no server to connect to.
#[cfg(not(feature = "mcp"))]
pub(super) async fn connect(file: &Path, _: u64) -> Result<Toolbox, String> {
    read(file)?;
    Err("--tools: this program was built without the feature `mcp`, which tools need".to_owned())
}
