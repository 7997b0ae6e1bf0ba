//! States of a toolbox reach the tools that take them, and a missing one is reported at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ddg_agentic::tool::{State, Tool};
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use expect_test::expect;
use serde_json::json;

use super::given;

struct Prices {
    per_night: u32,
}

/// What a hotel costs.
#[tool]
async fn hotel(nights: u32, prices: State<Prices>, asked: &State<AtomicU32>) -> u32 {
    asked.fetch_add(1, Ordering::Relaxed);
    nights * prices.per_night
}

/// The same, synchronously.
#[tool]
fn hotel_sync(nights: u32, prices: &State<Prices>) -> u32 {
    nights * prices.per_night
}

#[tokio::test]
async fn tools_share_the_states_of_their_toolbox() {
    let asked = Arc::new(AtomicU32::new(0));
    let tools = Toolbox::builder()
        .state(Prices { per_night: 80 })
        .with(hotel::tool())
        .with(hotel_sync::tool())
        .shared_state(Arc::clone(&asked))
        .build()
        .unwrap();
    assert_eq!(given(&tools, "hotel", json!({ "nights": 3 })).await, "240");
    assert_eq!(given(&tools, "hotel_sync", json!({ "nights": 2 })).await, "160");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn missing_and_duplicate_states_are_named_when_the_toolbox_is_built() {
    let error = Toolbox::builder()
        .with(hotel::tool())
        .with(hotel_sync::tool())
        .state(AtomicU32::new(0))
        .state(AtomicU32::new(0))
        .build()
        .unwrap_err();
    expect![[r#"
        toolbox: 3 faults
        - the state `core::sync::atomic::AtomicU32` is given twice: states are told apart by their types; wrap one
        - tool `hotel` needs the state `it::tools::states::Prices`, which is missing: give it with `state`
        - tool `hotel_sync` needs the state `it::tools::states::Prices`, which is missing: give it with `state`"#]].assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_tool_without_a_toolbox_has_no_states() {
    let mut automa = GraphAutoma::new("alone");
    let call = async |cx: Context| {
        let error = hotel::tool().call(json!({ "nights": 1 }), &cx).await.unwrap_err();
        error.to_string()
    };
    automa.add_func_as_worker("call", call, start().output()).unwrap();
    let error: String = automa.run(()).output().await.unwrap();
    expect!["needs the state `it::tools::states::Prices`, which the toolbox has not: give it with `state`"].assert_eq(&error);
}
