//! Two agents work on one question at once, each with its own tools; a worker combines their
//! answers. They are workers of one graph, so they are watched, drawn and saved as one run, and
//! their usage of models is counted together. The steps are printed with their times, and a
//! timeline that has the workers of both agents is written as an SVG file.

use ddg_agentic::prelude::*;
use ddg_core::printable;
use ddg_core::render::History;
use examples::Growth;

/// The weather of a city in a month.
#[tool]
async fn climate(
    /// The city.
    city: String,
) -> String {
    a_service_answers_after(300).await;
    format!("{city}: dry and mild")
}

/// What a week in a city costs, in US dollars.
#[tool]
async fn week_cost(
    /// The city.
    city: String,
) -> String {
    a_service_answers_after(400).await;
    format!("{city}: about 900 USD")
}

fn agent(
    name: &str,
    tools: Toolbox,
) -> Result<TypedAutoma<AgentOutcome>, Box<dyn std::error::Error>> {
    Ok(ReActAutoma::new(examples::model()?).name(name).tools(tools).build()?)
}

/// Waits as a call over the network would.
async fn a_service_answers_after(millis: u64) {
    tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut automa = GraphAutoma::new("advisers");
    let climate = agent("meteorologist", Toolbox::builder().with(climate::tool()).build()?)?;
    let cost = agent("accountant", Toolbox::builder().with(week_cost::tool()).build()?)?;
    automa.add_worker("meteorologist", climate, start())?;
    automa.add_worker("accountant", cost, start())?;
    automa.add_func_as_worker(
        "advice",
        async |climate: AgentOutcome, cost: AgentOutcome| {
            format!("meteorologist: {}\n\naccountant: {}", climate.text(), cost.text())
        },
        after(["meteorologist", "accountant"]).output(),
    )?;
    let meter = UsageMeter::new();
    meter.watch(&mut automa);
    let history = History::new();
    automa.add_callback(history.clone());
    automa.add_callback(Growth::default());

    let question = "A week in Lisbon: climate and cost?";
    println!("{question}\n");
    let advice: String = automa.run(args!(question)).output().await?;
    println!("\n{}", printable::lines(&advice));
    println!("\n{} tokens of both", meter.usage().total());
    let timeline = std::env::temp_dir().join("advisers.svg");
    history.write_svg(&timeline)?;
    println!("the workers of both agents, for a browser: {}", timeline.display());
    Ok(())
}
