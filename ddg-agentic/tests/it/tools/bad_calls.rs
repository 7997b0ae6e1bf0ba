//! Mistakes of models: the reply says what would be right, and the run continues.

use ddg_agentic::message::{ToolArguments, ToolCall};
use ddg_agentic::schemars::JsonSchema;
use ddg_agentic::tool::ToolResult;
use ddg_agentic::{Toolbox, tool};
use expect_test::{Expect, expect};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{caller, error};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Class {
    Economy,
    First,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "nobody gets to sit there")]
struct Seat {
    class: Class,
    row: Option<u8>,
}

/// What a flight costs.
#[tool]
async fn flight_price(from: String, to: String, seats: Vec<Seat>) -> String {
    format!("{from} {to} {seats:?}")
}

/// What a hotel costs.
#[tool]
async fn hotel_price(nights: u32) -> u32 {
    nights * 80
}

fn tools() -> Toolbox {
    Toolbox::builder().with(flight_price::tool()).with(hotel_price::tool()).build().unwrap()
}

async fn check(tool: &str, arguments: Json, expected: Expect) {
    expected.assert_eq(&error(&tools(), tool, arguments).await);
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_named_with_those_that_do() {
    check("fligth_price", json!({}), expect!["there is no tool `fligth_price`; did you mean `flight_price`? The tools are: `flight_price`, `hotel_price`"]).await;
    check(
        "weather",
        json!({}),
        expect!["there is no tool `weather`; the tools are: `flight_price`, `hotel_price`"],
    )
    .await;
    let none = error(&Toolbox::default(), "weather", json!({})).await;
    expect!["there is no tool `weather`; there are no tools"].assert_eq(&none);
}

#[tokio::test]
async fn arguments_are_checked_against_the_schema_before_the_call() {
    check(
        "hotel_price",
        json!({ "nights": "three" }),
        expect![[
            r#"the arguments of `hotel_price` are wrong: nights: "three" is not of type "integer""#
        ]],
    )
    .await;
    check("hotel_price", json!({ "night": 3 }), expect![[r#"the arguments of `hotel_price` are wrong: "nights" is a required property; Additional properties are not allowed ('night' was unexpected)"#]]).await;
    check(
        "hotel_price",
        json!([3]),
        expect![[r#"the arguments of `hotel_price` are wrong: [3] is not of type "object""#]],
    )
    .await;
    check(
        "hotel_price",
        json!({ "nights": 5_000_000_000_u64 }),
        expect!["the arguments of `hotel_price` are wrong: invalid value: integer `5000000000`, expected u32"],
    )
    .await;
    check(
        "flight_price",
        json!({ "to": "Tokyo", "seats": [{ "class": "first" }, { "class": "best", "row": -1 }] }),
        expect![[r#"the arguments of `flight_price` are wrong: "from" is a required property; seats.1.class: "best" is not one of "economy" or "first"; seats.1.row: -1 is less than the minimum of 0"#]],
    )
    .await;
}

#[tokio::test]
async fn arguments_that_cannot_be_read_are_reported_as_such() {
    let mut told = Vec::new();
    for text in ["{\"nights\": 3".to_owned(), "[".repeat(100) + &"]".repeat(100)] {
        let call = ToolCall::new("call_1", "hotel_price", ToolArguments::parse(&text));
        let result: ToolResult =
            caller(&tools(), "hotel_price").run((call,)).output().await.unwrap();
        assert!(result.message.is_error);
        told.push(result.message.content);
    }
    expect![[r#"
        the arguments of `hotel_price` cannot be read (EOF while parsing an object at line 1 column 12): call it again with a JSON object
        the arguments of `hotel_price` cannot be read (nested deeper than 64): call it again with a JSON object"#]].assert_eq(&told.join("\n"));
}
