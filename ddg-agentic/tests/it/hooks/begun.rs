//! Runs that a tool begins by itself, and requests to models beside the agent's own: the hooks of
//! the agent around hold for them, too.

use std::sync::Arc;

use ddg_agentic::hook::{AfterModel, BeforeModel, BeforeTool, Hook, HookRun, ToolUse};
use ddg_agentic::memory::Summarising;
use ddg_agentic::model::{ChatRequest, ModelWorker, ToolChoice};
use ddg_agentic::prelude::*;
use ddg_agentic::tool::AutomaTool;
use serde_json::json;

use super::{Guard, Paid, at_most_100, bank, paying, stops_above_100};

const NONE: [u64; 0] = [];

/// An agent that pays 500 euros, as often as it is asked, and says what came of it.
fn payer(paid: &Paid, n_runs: usize) -> TypedAutoma<AgentOutcome> {
    let model = (0..n_runs).fold(ScriptedModel::new(), |model, _| {
        model.calls([paying("i", 500)]).text("I have tried.")
    });
    ReActAutoma::new(model).name("payer").tools(bank(paid)).build().unwrap()
}

type Payer = TypedAutoma<AgentOutcome>;

/// Begins runs of the agent in all ways.
#[tool]
async fn begins(payer: State<Payer>) -> Result<String, WorkerError> {
    let payer = &*payer;
    let mut said = vec![payer.run(args!("Pay.")).await?.text()];
    said.push(payer.run(args!("Pay.")).spawn().await?.text());
    let (one, other) = tokio::join!(payer.run(args!("Pay.")), payer.run(args!("Pay.")));
    said.extend([one?.text(), other?.text()]);
    // The run is created here, and begun in another task.
    let run = payer.run(args!("Pay."));
    said.push(tokio::spawn(run.into_future()).await??.text());
    Ok(said.join(" "))
}

/// Begins a run in a thread of the blocking pool.
#[tool]
fn begins_blocking(payer: State<Payer>) -> Result<String, WorkerError> {
    let runtime = tokio::runtime::Handle::current();
    Ok(runtime.block_on(async move { payer.run(args!("Pay.")).await })?.text())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_that_a_tool_runs() {
    let paid = Paid::default();
    let tools = Toolbox::builder().with(begins::tool()).with(begins_blocking::tool());
    let tools = tools.state(payer(&paid, 6)).build().unwrap();
    let calls = ["begins", "begins_blocking"].map(|tool| ToolCall::new(tool, tool, json!({})));
    let model = ScriptedModel::new().calls(calls).text("Done.");
    let agent = ReActAutoma::new(model).tools(tools).tool_calls(ToolCallMode::Sequential);
    let outcome = agent.hook(at_most_100()).build().unwrap().run(args!("Pay.")).await.unwrap();
    let said: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    assert_eq!(said, [["I have tried."; 5].join(" "), "I have tried.".to_owned()]);
    assert_eq!(paid.all(), NONE);
    // The agent by itself has no such hook.
    payer(&paid, 1).run(args!("Pay.")).await.unwrap();
    assert_eq!(paid.all(), [500]);
}

/// Runs an automa, whose workers begin runs of the agent.
#[tool]
async fn begins_automa(payer: State<Payer>) -> Result<Vec<String>, WorkerError> {
    Ok(begun_by_workers(&payer.0).run(args!("Pay.")).output().await?)
}

/// An automa that is no agent, with several workers at once that run the agent.
fn begun_by_workers(payer: &Arc<Payer>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("several");
    for key in ["one", "two"] {
        let payer = Arc::clone(payer);
        let pay = move |task: String| {
            let payer = Arc::clone(&payer);
            async move { Ok::<_, WorkerError>(payer.run(args!(task)).await?.text()) }
        };
        automa.add_func_as_worker(key, pay, start()).unwrap();
    }
    let both = async |said: Vec<String>| said;
    automa.add_func_as_worker("both", both, after(["one", "two"]).merge().output()).unwrap();
    automa
}

#[derive(Clone, serde::Serialize, serde::Deserialize, ddg_agentic::schemars::JsonSchema)]
#[schemars(crate = "ddg_agentic::schemars")]
struct Errand {
    task: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_that_workers_of_an_automa_run() {
    let paid = Paid::default();
    let payer = Arc::new(payer(&paid, 4));
    let tools = Toolbox::builder()
        .with(begins_automa::tool())
        .with(AutomaTool::of_one::<Errand>("errand", "Does it.", errand(&payer)))
        .shared_state(Arc::clone(&payer));
    let errand = ToolCall::new("2", "errand", json!({ "task": "Pay." }));
    let calls = [ToolCall::new("1", "begins_automa", json!({})), errand];
    let model = ScriptedModel::new().calls(calls).text("Done.");
    let agent = ReActAutoma::new(model).tools(tools.build().unwrap()).hook(at_most_100());
    let outcome = agent.build().unwrap().run(args!("Pay.")).await.unwrap();
    for step in outcome.steps() {
        assert!(step.result.content.contains("I have tried."), "{:?}", step.result);
    }
    assert_eq!(paid.all(), NONE);
}

/// The same automa as a tool.
fn errand(payer: &Arc<Payer>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("errand");
    let task = async |errand: Errand| errand.task;
    automa.add_func_as_worker("task", task, start()).unwrap();
    let several = begun_by_workers(payer);
    automa.add_worker("several", several, after(["task"]).output()).unwrap();
    automa
}

#[tokio::test]
async fn a_stop_in_a_run_that_a_tool_begins_stops_the_agent_of_the_hook() {
    let paid = Paid::default();
    let model = ScriptedModel::new().calls([paying("i", 500)]);
    let inner = ReActAutoma::new(model).tools(bank(&paid)).build().unwrap();
    let tools = Toolbox::builder().with(tries::tool()).state(inner).build().unwrap();
    let model = ScriptedModel::new().calls([ToolCall::new("1", "tries", json!({}))]);
    let agent = ReActAutoma::new(model.clone()).tools(tools).hook(stops_above_100());
    let error = agent.build().unwrap().run(args!("Pay.")).await.unwrap_err();
    let failed: &AgentFailed = error.downcast_ref().unwrap();
    let AgentEnd::StoppedByHook { stop } = &failed.outcome.end else { panic!("{failed}") };
    assert_eq!(stop.name, "too_much");
    assert_eq!(paid.all(), NONE);
}

/// Begins a run, and hides that it failed.
#[tool]
async fn tries(payer: State<Payer>) -> String {
    payer.run(args!("Pay.")).await.map_or_else(|_| "nothing".to_owned(), |said| said.text())
}

/// Lets another agent judge each call.
struct Judge(Payer);

impl Hook for Judge {
    fn name(&self) -> &str {
        "judge"
    }

    async fn before_tool(&self, _: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        match self.0.run(args!("May it?")).await?.text().as_str() {
            "yes" => Ok(BeforeTool::Go),
            no => Ok(BeforeTool::refuse(no)),
        }
    }
}

/// Its tools would otherwise be judged, by an agent whose tools would be judged …
#[tokio::test]
async fn a_run_that_a_hook_begins_is_not_inside() {
    let paid = Paid::default();
    let judge = || {
        let model = ScriptedModel::new().calls([paying("j", 1)]).text("no").calls([paying("j", 1)]);
        let judge = ReActAutoma::new(model.text("no")).tools(bank(&paid));
        Judge(judge.build().unwrap())
    };
    let tools = Toolbox::builder().with(tries::tool()).state(payer(&paid, 1)).build().unwrap();
    let model = ScriptedModel::new().calls([ToolCall::new("1", "tries", json!({}))]).text("Done.");
    let agent = ReActAutoma::new(model).tools(tools).hook(judge()).build().unwrap();
    let outcome = agent.run(args!("Pay.")).await.unwrap();
    let [step] = &outcome.steps()[..] else { panic!("{:?}", outcome.steps()) };
    assert_eq!(step.result.content, "`tries` was refused by `judge`: no");
    assert_eq!(paid.all(), [1], "by the tool of the judge");
}

/// Hides a word in requests, forces a tool, and lets no reply with another word pass.
fn censor() -> Guard {
    let before = |request: &ChatRequest| {
        let hidden = |message: &Message| match message {
            Message::User { .. } => Message::user(message.text().replace("hunter2", "***")),
            other => other.clone(),
        };
        let mut request = request.clone();
        request.messages = request.messages.iter().map(hidden).collect();
        if request.tools.is_empty() {
            request.tool_choice = ToolChoice::Named("nothing".to_owned());
        }
        BeforeModel::change(request)
    };
    let after = |reply: &ChatReply| match reply.message.text.contains("forbidden") {
        true => AfterModel::refuse("not this word"),
        false => AfterModel::Go,
    };
    Guard { name: "censor", before: Some(before), after: Some(after), ..Guard::default() }
}

#[tokio::test]
async fn a_model_that_is_a_worker_of_an_automa_among_the_tools() {
    let small = ScriptedModel::new()
        .text("fine")
        .expects(|asked| {
            assert_eq!(asked.messages.last().unwrap().text(), "about ***");
            assert_eq!(asked.tool_choice, ToolChoice::Auto, "it has no tools");
        })
        .text("forbidden");
    let mut automa = GraphAutoma::new("writer");
    let task = async |errand: Errand| errand.task;
    automa.add_func_as_worker("task", task, start()).unwrap();
    automa.add_worker("model", ModelWorker::new(small), after(["task"])).unwrap();
    let text = async |reply: ChatReply| reply.message.text;
    automa.add_func_as_worker("text", text, after(["model"]).output()).unwrap();
    let writer = AutomaTool::of_one::<Errand>("writer", "Writes.", automa);
    let call = |id: &str| ToolCall::new(id, "writer", json!({ "task": "about hunter2" }));
    let model = ScriptedModel::new().calls([call("1")]).calls([call("2")]).text("Done.");
    let agent = ReActAutoma::new(model).tools(Toolbox::builder().with(writer).build().unwrap());
    let outcome = agent.hook(censor()).build().unwrap().run(args!("Write.")).await.unwrap();
    let said: Vec<_> = outcome.steps().into_iter().map(|step| step.result.content).collect();
    assert_eq!(said[0], "fine");
    assert!(
        said[1].contains("the reply was refused by the hook `censor`: not this word"),
        "{said:?}"
    );
}

/// Looks around.
#[tool]
async fn look() -> &'static str {
    "nothing"
}

#[tokio::test]
async fn requests_that_summarise() {
    let look_again = |n: u32| ToolCall::new(n.to_string(), "look", json!({}));
    let small = ScriptedModel::new()
        .named("small")
        .text("Goal: tea\n\nIt is about tea.")
        .expects(|asked| {
            let text = asked.messages.last().unwrap().text();
            assert!(text.contains("***") && !text.contains("hunter2"), "{text}");
            assert_eq!(asked.tool_choice, ToolChoice::Auto);
        })
        .text("forbidden");
    let model = ScriptedModel::new()
        .calls([look_again(1)])
        .calls([look_again(2)])
        .calls([look_again(3)])
        .text("Done.");
    let tools = Toolbox::builder().with(look::tool()).build().unwrap();
    let memory = Summarising::new(small.clone()).after_groups(0).keep_groups(1);
    let agent = ReActAutoma::new(model).tools(tools).memory(memory).hook(censor());
    let outcome = agent.build().unwrap().run(args!("My password is hunter2.")).await.unwrap();
    let summaries = &outcome.conversation.summaries;
    assert!(summaries.iter().any(|summary| summary.text.contains("about tea")), "{summaries:?}");
    assert!(summaries.iter().all(|summary| !summary.text.contains("forbidden")), "{summaries:?}");
    small.assert_finished();
}
