//! A model can be asked which tools it would call, without an agent.

use ddg_agentic::Message;
use ddg_agentic::message::ToolCall;
use ddg_agentic::model::{
    Capabilities, ChatModelExt, ChatReply, ModelError, ScriptedModel, ToolChoice, ToolSelection,
    ToolSelector, Usage, UsageMeter,
};
use ddg_agentic::tool::{RunTools, ToolSpec};
use ddg_agentic::{Toolbox, tool};
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

fn spec(name: &str) -> ToolSpec {
    ToolSpec::new(name, "The weather.", json!({ "type": "object" }))
}

/// Says which tool it is.
#[tool]
async fn weather() -> String {
    "sunny".to_owned()
}

/// Says which tool it is.
#[tool]
async fn clock() -> String {
    "noon".to_owned()
}

fn toolbox() -> Toolbox {
    Toolbox::builder().with(weather::tool()).with(clock::tool()).build().unwrap()
}

/// Asks a person, then selects a tool and calls it. The tools are an input of the run.
fn asking(model: &ScriptedModel, registered: Option<Toolbox>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("agent");
    let ask = async |messages: String, cx: Context| -> Result<String, WorkerError> {
        cx.interact_with_human::<bool>(format!("ask about {messages}?"))?;
        Ok(messages)
    };
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    let select = ToolSelector::new(model.clone(), [], ToolChoice::Auto);
    automa.add_worker("select", select, after(["ask"])).unwrap();
    let call = async |selection: ToolSelection, tools: RunTools, cx: Context| {
        let result = tools.toolbox(&cx)?.call(&selection.calls[0], &cx).await?;
        Ok::<_, WorkerError>(result.message.content)
    };
    let options = after(["select"]).params(["selection", "tools"]).output();
    automa.add_func_as_worker("call", call, options).unwrap();
    if let Some(toolbox) = registered {
        toolbox.register_in(&mut automa).unwrap();
    }
    automa
}

#[tokio::test]
async fn tools_that_are_an_input_of_the_run_are_saved_by_their_names() {
    let call = || ToolCall::new("call_1", "clock", json!({}));
    let model = ScriptedModel::new().calls([call()]).expects_tools(["clock"]);
    let tools = RunTools::from(toolbox().only(&["clock"]));
    let automa = asking(&model, Some(toolbox()));
    let paused = automa.run(args!("time", tools = tools)).await.unwrap();
    let saved = serde_json::to_string(&paused.snapshot().unwrap()).unwrap();
    assert!(saved.contains(r#"["clock"]"#) && !saved.contains("weather"), "{saved}");

    // Another process has the automa and its toolbox.
    let mut snapshot: ddg_core::snapshot::Snapshot = serde_json::from_str(&saved).unwrap();
    snapshot.answer_with(|_| true);
    let resumed = asking(&model, Some(toolbox()));
    let said: String = resumed.resume(snapshot.clone()).output().await.unwrap();
    assert_eq!(said, "noon");

    let model = ScriptedModel::new().text("never");
    let error = async |toolbox: Option<Toolbox>| {
        let resumed = asking(&model, toolbox).resume(snapshot.clone());
        resumed.output::<String>().await.unwrap_err().to_string()
    };
    expect!["automa `agent`, step 2: worker `select` failed: tool `clock` is known by its name only: register the toolbox that has it in the automa, with `register_in`"].assert_eq(&error(None).await);
    expect!["automa `agent`, step 2: worker `select` failed: there is no tool `clock`; the tools are: `weather`"].assert_eq(&error(Some(toolbox().only(&["weather"]))).await);
}

#[tokio::test]
async fn the_tools_of_a_selector_can_be_chosen_by_their_names_or_by_a_worker() {
    let model = ScriptedModel::new().text("none").text("none").expects_tools(["clock"]);
    let model = model.text("none").expects_tools(["weather", "clock"]);
    let select =
        ToolSelector::new(model.clone(), [spec("weather"), spec("clock")], ToolChoice::Auto);
    let mut automa = GraphAutoma::new("agent");
    automa.add_worker("select", select.clone(), start().output()).unwrap();
    automa.run(args!("Well?")).output::<ToolSelection>().await.unwrap();
    assert_eq!(model.requests()[0].tools.len(), 2);
    let named = args!("Well?", tools = json!(["clock"]));
    automa.run(named).output::<ToolSelection>().await.unwrap();

    let mut automa = GraphAutoma::new("agent");
    automa.add_func_as_worker("say", async || "Well?", start()).unwrap();
    automa.add_func_as_worker("choose", async || RunTools::from(toolbox()), start()).unwrap();
    automa.add_worker("select", select, after(["say", "choose"]).output()).unwrap();
    automa.run(()).output::<ToolSelection>().await.unwrap();
    assert_eq!(model.n_left(), 0);
}
