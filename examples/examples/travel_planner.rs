//! An agent plans a trip: its model picks tools, each call becomes a worker, all of them run at
//! once, and their results go back to the model until it has an answer. Each step is printed with
//! the time of each worker, and with the workers that it has added (`+`) and removed (`-`).
//!
//! By default it runs offline, with simple rules in place of a model. Run it with a real model, or
//! with any compatible server (`OPENAI_BASE_URL=http://localhost:11434/v1`):
//!
//! ```text
//! OPENAI_API_KEY=… OPENAI_MODEL=… cargo run -p examples --features providers --example travel_planner
//! ```

use std::time::Duration;

use ddg_agentic::prelude::*;
use ddg_core::printable;
use examples::Growth;

const TASK: &str = "Plan a 3-day trip to Tokyo. Check the weather forecast, estimate the flight \
                    price from San Francisco, and the hotel cost for 3 nights.";

/// The weather forecast of a city for the next days.
#[tool]
async fn weather(
    /// The city, as "Tokyo".
    city: String,
    /// For how many days.
    #[default = 3]
    days: u32,
) -> String {
    a_service_answers_after(400).await;
    format!("{city}, next {days} days: sunny, 18 to 24 °C, light wind")
}

/// The price of a return flight between two cities, in US dollars.
#[tool]
async fn flight_price(
    /// Where the journey begins.
    from: String,
    /// Where it goes.
    to: String,
) -> String {
    a_service_answers_after(600).await;
    // There is no real price list, so each letter has a price.
    let dollars = 350 + 40 * (from.len() + to.len());
    format!("{from} to {to} and back: about {dollars} USD")
}

/// The cost of a hotel room in a city, in US dollars.
#[tool]
async fn hotel_cost(
    /// The city.
    city: String,
    /// How many nights.
    nights: u32,
) -> String {
    a_service_answers_after(500).await;
    format!("{nights} nights in {city}: about {} USD", nights * 140)
}

/// Waits as a call over the network would.
async fn a_service_answers_after(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let task = std::env::args().nth(1).unwrap_or_else(|| TASK.to_owned());
    println!("{}\n", printable::lines(&task));

    let tools = Toolbox::builder()
        .with(weather::tool())
        .with(flight_price::tool())
        .with(hotel_cost::tool())
        .build()?;
    let mut planner = ReActAutoma::new(examples::model()?)
        .name("travel_planner")
        .system("You plan trips. Look things up with the tools, then answer briefly.")
        .tools(tools)
        .build()?;

    planner.add_callback(Growth::default());
    let trip = planner.run(args!(task)).await?;
    println!("\n{}", printable::lines(&trip.text()));
    println!("\n({} turns, {} tokens)", trip.turns, trip.usage.total());
    Ok(())
}
