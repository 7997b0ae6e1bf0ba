//! The graphs that are drawn.

use std::time::Duration;

use ddg_agentic::prelude::*;
use serde_json::json;

use super::Result;

async fn take(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// The README's first program: a worker adds one for each wish.
pub(super) fn trip() -> Result<GraphAutoma> {
    const WISHES: [(&str, u64); 3] = [("flight", 780), ("hotel", 540), ("museum", 270)];
    let plan = async |cx: Context| {
        take(240).await;
        for (wish, millis) in WISHES {
            cx.add_func_as_worker(wish, async |millis: u64| take(millis).await, free());
            cx.ferry_to(wish, (millis,));
        }
        let report = async || take(210).await;
        cx.add_func_as_worker("report", report, after(WISHES.map(|(wish, _)| wish)).output());
    };
    let mut trip = GraphAutoma::new("trip");
    trip.add_func_as_worker("plan", plan, start())?;
    Ok(trip)
}

/// A text is drafted and checked by a nested automa until it is good. Its facts are found at the
/// second attempt.
pub(super) fn article() -> Result<GraphAutoma> {
    let spelling = async |_draft: i64| take(90).await;
    let facts = async |_draft: i64, cx: Context| {
        for page in 1..=4 {
            take(40).await;
            cx.emit("progress", (page, 4));
            if cx.attempt() == 1 && page == 2 {
                return Err(WorkerError::msg("no connection"));
            }
        }
        Ok(())
    };
    let mut check = GraphAutoma::new("check");
    check.add_func_as_worker("spelling", spelling, start())?;
    let again = Retry::times(1).delay(Duration::from_millis(60));
    check.add_func_as_worker("facts", facts, start().retry(again))?;

    let draft = async |round: i64| {
        take(200).await;
        round
    };
    let decide = async |round: i64, cx: Context| {
        take(30).await;
        if round < 2 { cx.ferry_to("draft", (round + 1,)) } else { cx.ferry_to("publish", ()) }
    };
    let mut article = GraphAutoma::new("article");
    article.add_func_as_worker("draft", draft, start())?;
    article.add_worker("check", check, after(["draft"]))?;
    let decided = after(["check"]).suppressed().from("round", "draft").params(["round"]);
    article.add_func_as_worker("decide", decide, decided)?;
    article.add_func_as_worker("publish", async || take(110).await, free().output())?;
    Ok(article)
}

/// The weather of a city.
#[tool]
async fn weather(
    /// The city.
    city: String,
) -> String {
    take(300).await;
    format!("{city}: sunny")
}

/// The price of a flight to a city.
#[tool]
async fn flight(
    /// The city.
    city: String,
) -> String {
    take(600).await;
    format!("{city}: 750 USD")
}

/// Books a flight to a city.
#[tool]
async fn book(
    /// The city.
    city: String,
) -> String {
    take(350).await;
    format!("{city}: booked")
}

/// An agent of three requests, with two calls at once and one after them.
pub(super) fn agent() -> Result<GraphAutoma> {
    let city = json!({ "city": "Tokyo" });
    let model = ScriptedModel::new()
        .calls([
            ToolCall::new("1", "weather", city.clone()),
            ToolCall::new("2", "flight", city.clone()),
        ])
        .after(take(250))
        .calls([ToolCall::new("3", "book", city)])
        .after(take(320))
        .text("It is sunny in Tokyo, and your flight is booked.")
        .after(take(400));
    let tools = Toolbox::builder().with(weather::tool()).with(flight::tool()).with(book::tool());
    let agent = ReActAutoma::new(model).name("agent").tools(tools.build()?).build()?;
    Ok(agent.into_graph())
}

/// A worker, 300 that run at once after it, and one that runs after them.
pub(super) fn wide() -> Result<GraphAutoma> {
    let mut wide = GraphAutoma::new("wide");
    wide.add_func_as_worker("split", async || take(40).await, start())?;
    let keys: Vec<_> = (1..=300).map(|n| format!("part {n}")).collect();
    for (n, key) in keys.iter().enumerate() {
        // Durations between 100 and 400 ms in no order.
        let millis = 100 + (n as u64 * 7_919) % 300;
        let part = move || async move { take(millis).await };
        wide.add_func_as_worker(key, part, after(["split"]).suppressed())?;
    }
    let join = async || take(60).await;
    wide.add_func_as_worker("join", join, after(keys).suppressed().output())?;
    Ok(wide)
}
