//! The offline model picks tools, and fills their arguments, by the words of the request.

use ddg_agentic::message::ToolMessage;
use ddg_agentic::model::{ChatModelExt, ChatRequest, OfflineModel, ToolChoice};
use ddg_agentic::tool::ToolSpec;
use ddg_agentic::{ChatModel, Message};
use expect_test::{Expect, expect};
use futures::{FutureExt, StreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

const TRIP: &str = "Plan a 3-day trip to Tokyo. Check the weather forecast, estimate the flight \
    price from San Francisco, and the hotel cost for 3 nights.";

fn tool(name: &str, description: &str, properties: &Json, required: &[&str]) -> ToolSpec {
    let parameters = json!({ "type": "object", "properties": properties, "required": required });
    ToolSpec::new(name, description, parameters)
}

fn text() -> Json {
    json!({ "type": "string" })
}

fn travel() -> Vec<ToolSpec> {
    let number = json!({ "type": "integer", "minimum": 0 });
    vec![
        tool(
            "weather",
            "The weather forecast for a city.",
            &json!({ "city": text(), "days": number }),
            &["city", "days"],
        ),
        tool(
            "flight_price",
            "Estimates the price of a flight.",
            &json!({ "from": text(), "to": text() }),
            &["from", "to"],
        ),
        tool(
            "hotel_cost",
            "Estimates what a hotel costs.",
            &json!({ "city": text(), "nights": number }),
            &["city", "nights"],
        ),
    ]
}

/// What it replies: calls, one a line, or words.
fn reply(request: ChatRequest) -> String {
    told(&OfflineModel::new(), request)
}

fn told(model: &OfflineModel, request: ChatRequest) -> String {
    let message = model.chat(request).now_or_never().unwrap().unwrap().message;
    let calls = message
        .tool_calls
        .iter()
        .map(|call| format!("{} {}({})", call.id, call.name, sorted(&call.arguments.to_text())));
    calls
        .chain((!message.text.is_empty()).then_some(message.text.clone()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The same JSON with its keys in order.
fn sorted(json: &str) -> String {
    let map: std::collections::BTreeMap<String, Json> = serde_json::from_str(json).unwrap();
    serde_json::to_string(&map).unwrap()
}

#[track_caller]
fn check(tools: Vec<ToolSpec>, request: &str, expected: &Expect) {
    expected.assert_eq(&reply(ChatRequest::new([request]).tools(tools)));
}

#[test]
fn it_plans_a_trip() {
    check(
        travel(),
        TRIP,
        &expect![[r#"
        call_1 weather({"city":"Tokyo","days":3})
        call_2 flight_price({"from":"San Francisco","to":"Tokyo"})
        call_3 hotel_cost({"city":"Tokyo","nights":3})"#]],
    );
}

#[test]
fn only_tools_that_are_asked_for_are_called() {
    check(
        travel(),
        "How will the weather be in Paris for the next 5 days?",
        &expect![[r#"call_1 weather({"city":"Paris","days":5})"#]],
    );
    check(
        travel(),
        "I need a hotel in rome for two nights",
        &expect![[r#"call_1 hotel_cost({"city":"rome","nights":2})"#]],
    );
    check(
        travel(),
        "What are flights from Berlin to New York?",
        &expect![[r#"call_1 flight_price({"from":"Berlin","to":"New York"})"#]],
    );
}

#[test]
fn without_a_fitting_tool_it_says_so() {
    check(
        travel(),
        "Who was Ada Lovelace?",
        &expect![
            "I am an offline model and only choose tools by their words; none of my tools fits: weather, flight_price, hotel_cost."
        ],
    );
    check(
        vec![],
        "Hello!",
        &expect![
            "I am an offline model and only choose tools by their words; I have no tools here."
        ],
    );
    let none = ChatRequest::new([TRIP]).tools(travel()).tool_choice(ToolChoice::None);
    expect!["I am an offline model and only choose tools by their words; I have no tools here."]
        .assert_eq(&reply(none));
}

#[test]
fn it_asks_for_missing_arguments() {
    check(
        travel(),
        "How will the weather be?",
        &expect!["To call `weather` I need to know: city, days."],
    );
}

#[test]
fn a_tool_is_known_by_two_words_of_its_description() {
    let search = tool(
        "lookup",
        "Searches the encyclopedia for articles.",
        &json!({ "query": text() }),
        &["query"],
    );
    let tools = || vec![search.clone(), tool("clock", "The current time.", &json!({}), &[])];
    check(
        tools(),
        "Find articles in the encyclopedia about \"Ada Lovelace\".",
        &expect![[r#"call_1 lookup({"query":"Ada Lovelace"})"#]],
    );
    check(
        tools(),
        "Find articles about Ada Lovelace.",
        &expect![
            "I am an offline model and only choose tools by their words; none of my tools fits: lookup, clock."
        ],
    );
}

#[test]
fn arguments_have_the_types_of_the_schema() {
    let tools = vec![tool(
        "convert",
        "Converts an amount of money.",
        &json!({
            "amount": { "type": "number" },
            "currency": { "type": "string", "enum": ["USD", "EUR", "JPY"] },
            "round": { "type": "boolean" },
            "digits": { "type": ["integer", "null"] },
            "note": { "type": "string" },
            "rate": { "type": "string", "default": "mid" },
        }),
        &["amount", "currency"],
    )];
    check(
        tools.clone(),
        "Convert 12.5 to EUR and round it to 2 digits",
        &expect![[
            r#"call_1 convert({"amount":12.5,"currency":"EUR","digits":2,"rate":"mid","round":true})"#
        ]],
    );
    check(
        tools,
        "Convert 12 to jpy",
        &expect![[r#"call_1 convert({"amount":12.0,"currency":"JPY","rate":"mid"})"#]],
    );
    let add = json!({ "type": "integer" });
    let add = vec![tool("add", "Adds.", &json!({ "x": add, "y": add }), &["x", "y"])];
    let nights = json!({ "type": "integer" });
    let nights = json!({ "nights_there": nights, "nights_back": nights });
    let stay = vec![tool("stay", "", &nights, &["nights_there", "nights_back"])];
    check(
        stay,
        "Stay two nights, then 3 nights.",
        &expect![[r#"call_1 stay({"nights_back":3,"nights_there":2})"#]],
    );
    check(add, "Please add 40 and 2.", &expect![[r#"call_1 add({"x":40,"y":2})"#]]);
}

#[test]
fn a_rule_of_ones_own_comes_before_the_words_of_the_tool() {
    let model =
        OfflineModel::new().when(["sunny", "umbrella"], "weather", |text| json!({ "asked": text }));
    let told = |request: &str| told(&model, ChatRequest::new([request]).tools(travel()));
    expect![[r#"call_1 weather({"asked":"Do I need an umbrella?"})"#]]
        .assert_eq(&told("Do I need an umbrella?"));
    expect!["I am an offline model and only choose tools by their words; none of my tools fits: weather, flight_price, hotel_cost."].assert_eq(&told("How is the weather in Rome for 2 days?"));
}

#[test]
fn a_required_call_is_made() {
    let request = |choice| ChatRequest::new(["Rome, 2"]).tools(travel()).tool_choice(choice);
    expect!["To call `weather` I need to know: city."]
        .assert_eq(&reply(request(ToolChoice::Required)));
    let asked = "From Oslo to Rome";
    let named = ChatRequest::new([asked])
        .tools(travel())
        .tool_choice(ToolChoice::Named("flight_price".into()));
    expect![[r#"call_1 flight_price({"from":"Oslo","to":"Rome"})"#]].assert_eq(&reply(named));
}

#[test]
fn once_there_are_results_it_sums_them_up() {
    let model = OfflineModel::new();
    let first = ChatRequest::new([TRIP]).tools(travel());
    let calls = model.chat(first.clone()).now_or_never().unwrap().unwrap().message;
    let results: Vec<Message> = vec![
        ToolMessage::new(&calls.tool_calls[0], "sunny, 24 °C").into(),
        ToolMessage::new(&calls.tool_calls[1], "870 dollars").into(),
        ToolMessage::error(&calls.tool_calls[2], "no rooms").into(),
    ];
    let mut second = first;
    second.messages.push(calls.into());
    second.messages.extend(results);
    expect![[r#"
        This is what I found:
        - weather: sunny, 24 °C
        - flight_price: 870 dollars
        - hotel_cost failed: no rooms"#]]
    .assert_eq(&told(&model, second.clone()));

    // The next question is a new one, and its calls have new ids.
    second.messages.push(Message::assistant("…"));
    second.messages.push(Message::user("And the weather in Kyoto, 2 days?"));
    expect![[r#"call_4 weather({"city":"Kyoto","days":2})"#]].assert_eq(&told(&model, second));
}

#[tokio::test]
async fn it_fills_a_schema() {
    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    struct Trip {
        destination: String,
        days: u32,
        budget: Option<f64>,
    }
    let trip = OfflineModel::new().extract::<Trip>(ChatRequest::new([TRIP])).await.unwrap().value;
    assert_eq!(trip, Trip { destination: "Tokyo".into(), days: 3, budget: None });
}

#[tokio::test]
async fn a_stream_is_the_same_word_by_word() {
    let model = OfflineModel::new();
    for request in [ChatRequest::new([TRIP]), ChatRequest::new([TRIP]).tools(travel())] {
        let whole = model.chat(request.clone()).await.unwrap();
        let n_pieces = model.stream(request.clone()).await.unwrap().count().await;
        let n_words = whole.message.text.split_whitespace().count();
        assert_eq!(n_pieces, n_words + whole.message.tool_calls.len() + 1);
        let stream = model.stream(request).await.unwrap();
        assert_eq!(stream.reply(|_| ()).await.unwrap(), whole);
        assert!(whole.usage.input_tokens > 0 && whole.usage.output_tokens > 0);
    }
}
