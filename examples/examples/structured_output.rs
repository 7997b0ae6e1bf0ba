//! An answer that is a value of a type: from a single request to a model, and from an agent. The
//! model follows the JSON schema of the type. An answer that does not fit is returned to it with
//! the faults.
//!
//! The model here is scripted and wrong at first, to show that; see `travel_planner` for a real
//! one.

use ddg_agentic::prelude::*;
use ddg_core::printable;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// A day trip.
#[derive(Debug, Deserialize, JsonSchema)]
struct Trip {
    /// Where it goes.
    city: String,
    /// How long it takes, in hours.
    hours: u32,
    /// How one gets there.
    by: Vehicle,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Vehicle {
    Train,
    Bike,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = ScriptedModel::new()
        .text(json!({ "city": "Delft", "hours": "six", "by": "car" }).to_string())
        .text(json!({ "city": "Delft", "hours": 6, "by": "train" }).to_string());
    let extracted = model.extract::<Trip>(ChatRequest::new(["A day trip from Leiden?"])).await?;
    println!("asked {} times: {:?}", model.requests().len(), extracted.value);
    let told = &model.requests()[1];
    let told = told.messages.last().map(Message::text).unwrap_or_default();
    println!("the model was told: {}", printable::lines(&told));

    let model =
        ScriptedModel::new().text(json!({ "city": "Gouda", "hours": 5, "by": "bike" }).to_string());
    let agent = ReActAutoma::new(model).answer::<Trip>().build()?;
    let trip: Trip = agent.run(args!("And by bike?")).await?.answer()?;
    println!("the agent: {} by {:?} in {} hours", printable::line(&trip.city), trip.by, trip.hours);
    Ok(())
}
