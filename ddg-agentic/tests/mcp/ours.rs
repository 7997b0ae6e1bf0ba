//! Our own server for these tests: in this process over HTTP, and in another over stdio.

use std::sync::Arc;

use ddg_agentic::mcp::{McpData, McpHints, McpPrompt, McpResource, McpService};
use ddg_agentic::message::ToolCall;
use ddg_agentic::model::ScriptedModel;
use ddg_agentic::schemars::{self, JsonSchema};
use ddg_agentic::tool::{AutomaTool, State, ToolOptions};
use ddg_agentic::{Message, ReActAutoma, Toolbox, tool};
use ddg_core::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What the tool `wait` tells of itself.
#[derive(Default)]
pub(crate) struct Waits {
    pub(crate) begun: Notify,
    pub(crate) dropped: Notify,
}

/// Adds two numbers.
#[tool]
async fn add(
    /// The first.
    a: i64,
    #[default = 1] b: i64,
) -> i64 {
    a + b
}

/// Divides one number by another.
#[tool]
fn divide(a: i64, b: i64) -> i64 {
    a / b
}

/// Fails.
#[tool]
async fn fail() -> Result<String, String> {
    Err("the disk is full".to_owned())
}

/// Asks a person.
#[tool]
async fn ask(cx: &Context) -> Result<bool, WorkerError> {
    Ok(cx.interact_with_human("Really?".to_owned())?)
}

/// Pays.
#[tool]
async fn pay(euros: u32) -> String {
    format!("{euros} euros paid")
}

/// Counts to three, and tells how far it is.
#[tool]
async fn count(cx: &Context) -> Count {
    for n in 1..=3 {
        cx.emit(
            "progress",
            serde_json::json!({ "progress": n, "total": 3, "message": format!("at {n}") }),
        );
    }
    Count { counted: 3 }
}

/// What `count` gives.
#[derive(Serialize, JsonSchema)]
struct Count {
    counted: u32,
}

/// Waits until nobody waits for it.
#[tool]
async fn wait(waits: State<Waits>) -> u32 {
    struct Dropped(Arc<Waits>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.dropped.notify_one();
        }
    }
    let _dropped = Dropped(Arc::clone(&waits.0));
    waits.begun.notify_one();
    std::future::pending().await
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Stay {
    nights: u32,
}

fn hotel() -> AutomaTool {
    let mut hotel = GraphAutoma::new("hotel");
    let price = async |stay: Stay| stay.nights * 80;
    hotel.add_func_as_worker("price", price, start()).unwrap();
    let offer = async |price: u32| format!("{price} euros");
    hotel.add_func_as_worker("offer", offer, after(["price"]).output()).unwrap();
    AutomaTool::of_one::<Stay>("hotel", "What a stay costs.", hotel)
}

/// An agent whose tool needs the approval of a person.
fn payer() -> ReActAutoma {
    let tools = Toolbox::builder().with_options(pay::tool(), ToolOptions::new().approval());
    let call = || ToolCall::new("1", "pay", serde_json::json!({ "euros": 7 }));
    let model = ScriptedModel::new().calls([call()]).text("It is paid.");
    // Two clients of one server.
    let model = model.calls([call()]).text("It is paid.");
    ReActAutoma::new(model).tools(tools.build().unwrap())
}

pub(crate) fn service(waits: Arc<Waits>) -> McpService {
    let tools = Toolbox::builder()
        .with(add::tool())
        .with(divide::tool())
        .with(fail::tool())
        .with(ask::tool())
        .with_options(pay::tool(), ToolOptions::new().approval())
        .with(wait::tool())
        .with(hotel())
        .with(count::tool())
        .with(payer().into_tool("payer", "Pays for you.").unwrap())
        .shared_state(waits)
        .build()
        .unwrap();
    McpService::new("ours", tools)
        .version("1.2.3")
        .instructions("Add before you divide.")
        .output::<i64>("add")
        .output::<Count>("count")
        .hints("add", McpHints::new().title("Sum").read_only(true))
        .resource(McpResource::new("ours://menu", "menu").media_type("text/markdown"), async || {
            Ok(McpData::Text("# Menu".to_owned()))
        })
        .prompt(
            McpPrompt::new("greet").description("Greets somebody.").argument("name", true),
            async |given| Ok(vec![Message::user(format!("Greet {}.", given["name"]))]),
        )
        .resource_template(McpResource::new("ours://teas/{name}", "tea"), async |given| {
            Ok(McpData::Text(format!("{} for two", given["name"])))
        })
        .complete_resource("ours://teas/{name}", "name", async |asked| {
            let teas = ["green tea", "grey tea", "black tea"].map(str::to_owned);
            Ok(teas.into_iter().filter(|tea| tea.starts_with(&asked.typed)).collect())
        })
        .complete_prompt("greet", "name", async |asked| {
            let name = |n: u32| format!("{}{n} of {:?}", asked.typed, asked.given);
            Ok((0..250).map(name).collect())
        })
}

/// Serves over HTTP for as long as the runtime is there, and gives the address.
pub(crate) async fn over_http(service: McpService) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(service.serve_http(listener));
    format!("http://{address}{}", McpService::PATH)
}

/// The program and the arguments with which this test program is the server. What the test runner
/// prints around it is no JSON, which clients have to skip.
pub(crate) fn program() -> (String, [&'static str; 3]) {
    let this = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
    (this, ["--exact", "ours::the_server_program", "--nocapture"])
}

/// What has to be in the environment of [`program`].
pub(crate) const SERVES: &str = "DDG_MCP_SERVES";

#[tokio::test]
async fn the_server_program() {
    if std::env::var_os(SERVES).is_some() {
        service(Arc::default()).serve_stdio().await.unwrap();
    }
}
