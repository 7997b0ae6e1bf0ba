//! A model can be asked which tools it would call, without an agent.

use ddg_agentic::Message;
use ddg_agentic::message::ToolCall;
use ddg_agentic::model::{
    Capabilities, ChatModelExt, ChatReply, ModelError, ScriptedModel, ToolChoice, ToolSelection,
    ToolSelector, Usage, UsageMeter,
};
use ddg_agentic::tool::ToolSpec;
use ddg_core::prelude::*;
use expect_test::expect;
use serde_json::json;

async fn select(model: &ScriptedModel, choice: ToolChoice) -> Result<ToolSelection, ModelError> {
    let tools = [ToolSpec::new("weather", "The weather.", json!({ "type": "object" }))];
    model.select_tools(vec![Message::user("And the weather?")], tools, choice).await
}

fn call() -> ToolCall {
    ToolCall::new("call_1", "weather", json!({ "city": "Tokyo" }))
}

#[tokio::test]
async fn calls_and_words_are_given_as_the_model_gave_them() {
    let mut reply = ChatReply::calls([call()]).usage(Usage::new(7, 8));
    reply.message.text = "Let me look.".into();
    let model = ScriptedModel::new()
        .reply(reply)
        .expects_last("And the weather?")
        .expects_tools(["weather"])
        .text("I need none.");
    let selection = select(&model, ToolChoice::Auto).await.unwrap();
    assert_eq!(selection.calls, [call()]);
    assert_eq!((selection.text.as_str(), selection.usage), ("Let me look.", Usage::new(7, 8)));
    let selection = select(&model, ToolChoice::Auto).await.unwrap();
    assert_eq!((selection.calls, selection.text.as_str()), (vec![], "I need none."));
}

#[tokio::test]
async fn where_it_has_to_call_it_does() {
    for choice in [ToolChoice::Required, ToolChoice::Named("weather".into())] {
        let model = ScriptedModel::new().calls([call()]).text("I need none.");
        assert_eq!(select(&model, choice.clone()).await.unwrap().calls, [call()]);
        assert_eq!(model.requests()[0].tool_choice, choice);
        let error = select(&model, choice).await.unwrap_err();
        expect![
            "model `scripted`: its answer is not a reply: it had to call a tool, but called none"
        ]
        .assert_eq(&error.to_string());
    }
}

#[tokio::test]
async fn a_model_that_cannot_call_tools_is_not_asked() {
    let can = Capabilities::default().tools(false);
    let model = ScriptedModel::new().capabilities(can).text("never");
    let error = select(&model, ToolChoice::Auto).await.unwrap_err();
    expect!["model `scripted` cannot call tools; its capabilities say so before it is asked"]
        .assert_eq(&error.to_string());
    assert_eq!(model.n_left(), 1);
}

#[tokio::test]
async fn as_a_worker_it_takes_messages_and_its_usage_counts() {
    let reply = ChatReply::calls([call()]).usage(Usage::new(7, 8));
    let model = ScriptedModel::new()
        .reply(reply)
        .expects_last("And the weather?")
        .expects_tools(["weather"])
        .text("I need none.");
    let weather = ToolSpec::new("weather", "The weather.", json!({ "type": "object" }));
    let worker = ToolSelector::new(model, [weather], ToolChoice::Required);
    let mut automa = GraphAutoma::new("agent");
    automa.add_worker("select", worker, start().output()).unwrap();
    let meter = UsageMeter::new();
    meter.watch(&mut automa);
    let selection: ToolSelection = automa.run(args!("And the weather?")).output().await.unwrap();
    assert_eq!((selection.calls, meter.usage()), (vec![call()], Usage::new(7, 8)));
    let error = automa.run(args!("Well?")).output::<ToolSelection>().await.unwrap_err();
    expect!["automa `agent`, step 1: worker `select` failed: model `scripted`: its answer is not a reply: it had to call a tool, but called none"].assert_eq(&error.to_string());
}
