//! Two agents work on one question at once, each with its own tools; a third combines their
//! answers. They are workers of one graph, so they are watched, drawn and saved as one run, and
//! their usage of models is counted together. A timeline of the run is written as an SVG file.

use ddg_agentic::prelude::*;
use ddg_core::printable;
use ddg_core::render::History;

/// The weather of a city in a month.
#[tool]
async fn climate(
    /// The city.
    city: String,
) -> String {
    a_service_answers().await;
    format!("{city}: dry and mild")
}

/// What a week in a city costs, in US dollars.
#[tool]
async fn week_cost(
    /// The city.
    city: String,
) -> String {
    a_service_answers().await;
    format!("{city}: about 900 USD")
}

fn agent(
    name: &str,
    tools: Toolbox,
) -> Result<TypedAutoma<AgentOutcome>, Box<dyn std::error::Error>> {
    Ok(ReActAutoma::new(examples::model()?).name(name).tools(tools).build()?)
}

/// Waits as long as a service might take, so that the timeline has something to show.
async fn a_service_answers() {
    tokio::time::sleep(std::time::Duration::from_millis(40)).await;
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

    let advice: String = automa.run(args!("A week in Lisbon: climate and cost?")).output().await?;
    println!("{}", printable::lines(&advice));
    println!("\n{} tokens in all", meter.usage().total());
    let timeline = std::env::temp_dir().join("advisers.svg");
    history.write_svg(&timeline)?;
    println!("both at once, as this shows: {}", timeline.display());
    Ok(())
}
