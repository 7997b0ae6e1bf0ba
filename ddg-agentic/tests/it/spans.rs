//! The spans of agents, compared with the semantic conventions of OpenTelemetry for generative AI.
//!
//! Revision 1.41.0 of the conventions: `docs/gen-ai/gen-ai-spans.md` (inference, execute tool) and
//! `docs/gen-ai/gen-ai-agent-spans.md` (invoke agent, internal) of
//! `open-telemetry/semantic-conventions`. The tables below are taken from there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ddg_agentic::memory::Summarising;
use ddg_agentic::model::Usage;
use ddg_agentic::observe::{Moment, Observer};
use ddg_agentic::prelude::*;
use ddg_agentic::{gen_ai, model::FinishReason};
use serde_json::json;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::react::{adding, tools};

/// The attributes of a span of each operation, by the level of their requirement.
struct Convention {
    operation: &'static str,
    kind: &'static str,
    required: &'static [&'static str],
    /// Required under a condition, recommended, or opt-in.
    others: &'static [&'static str],
}

const CONVENTIONS: [Convention; 3] = [
    Convention {
        operation: "chat",
        kind: "client",
        required: &["gen_ai.operation.name", "gen_ai.provider.name"],
        others: &[
            "error.type",
            "gen_ai.conversation.id",
            "gen_ai.output.type",
            "gen_ai.request.choice.count",
            "gen_ai.request.model",
            "gen_ai.request.seed",
            "gen_ai.request.stream",
            "server.port",
            "gen_ai.request.frequency_penalty",
            "gen_ai.request.max_tokens",
            "gen_ai.request.presence_penalty",
            "gen_ai.request.stop_sequences",
            "gen_ai.request.temperature",
            "gen_ai.request.top_k",
            "gen_ai.request.top_p",
            "gen_ai.response.finish_reasons",
            "gen_ai.response.id",
            "gen_ai.response.model",
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.reasoning.output_tokens",
            "server.address",
            "gen_ai.input.messages",
            "gen_ai.output.messages",
            "gen_ai.system_instructions",
            "gen_ai.tool.definitions",
        ],
    },
    Convention {
        operation: "execute_tool",
        kind: "internal",
        required: &["gen_ai.operation.name", "gen_ai.tool.name"],
        others: &[
            "error.type",
            "gen_ai.tool.call.id",
            "gen_ai.tool.description",
            "gen_ai.tool.type",
            "gen_ai.tool.call.arguments",
            "gen_ai.tool.call.result",
        ],
    },
    Convention {
        operation: "invoke_agent",
        kind: "internal",
        required: &["gen_ai.operation.name", "gen_ai.provider.name"],
        others: &[
            "error.type",
            "gen_ai.agent.description",
            "gen_ai.agent.id",
            "gen_ai.agent.name",
            "gen_ai.agent.version",
            "gen_ai.conversation.id",
            "gen_ai.data_source.id",
            "gen_ai.output.type",
            "gen_ai.request.model",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
        ],
    },
];

const CONTENT: [&str; 5] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
];

#[derive(Clone, Debug, Default)]
struct Seen {
    fields: BTreeMap<String, String>,
    parent: Option<u64>,
}

/// Collects the spans, as an exporter of OpenTelemetry would.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<BTreeMap<u64, Seen>>>);

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.fields.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, cx: LayerContext<'_, S>) {
        let parent = cx.span(id).unwrap().parent().map(|parent| parent.id().into_u64());
        let mut seen = Seen { parent, ..Seen::default() };
        span.record(&mut seen);
        seen.fields.entry("otel.name".into()).or_insert_with(|| span.metadata().name().to_owned());
        self.0.lock().unwrap().insert(id.into_u64(), seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: LayerContext<'_, S>) {
        values.record(self.0.lock().unwrap().get_mut(&id.into_u64()).unwrap());
    }
}

impl Collector {
    /// Collects the spans of this thread.
    fn start(level: tracing::Level) -> (Self, DefaultGuard) {
        let collector = Self::default();
        let filter = tracing_subscriber::filter::LevelFilter::from_level(level);
        let subscriber = tracing_subscriber::registry().with(collector.clone().with_filter(filter));
        (collector, tracing::subscriber::set_default(subscriber))
    }

    /// Spans of agents in the order in which they began, each with its parents.
    fn of_agents(&self) -> Vec<(String, Seen)> {
        let all = self.0.lock().unwrap();
        let mut spans = Vec::new();
        for (id, seen) in all.iter() {
            if seen.fields.contains_key("gen_ai.operation.name") {
                let mut path = vec![seen.fields["otel.name"].clone()];
                let mut parent = seen.parent;
                while let Some(above) = parent {
                    path.push(all[&above].fields["otel.name"].clone());
                    parent = all[&above].parent;
                }
                spans.push((*id, path.join(" < "), seen.clone()));
            }
        }
        spans.sort_by_key(|(id, ..)| *id);
        spans.into_iter().map(|(_, path, seen)| (path, seen)).collect()
    }
}

/// Compares each span with the convention of its operation.
fn check(spans: &[(String, Seen)]) {
    for (path, Seen { fields, .. }) in spans {
        let operation = &fields["gen_ai.operation.name"];
        let convention = CONVENTIONS.iter().find(|one| one.operation == operation).unwrap();
        assert_eq!(fields["otel.kind"], convention.kind, "{path}");
        for required in convention.required {
            assert!(fields.contains_key(*required), "{path} has no {required}");
        }
        for name in fields.keys().filter(|name| !name.starts_with("otel.")) {
            let known = convention.required.iter().chain(convention.others);
            assert!(known.into_iter().any(|known| known == name), "{path} has {name}");
        }
    }
}

fn family() -> ReActAutoma {
    let inner = ScriptedModel::new()
        .named("small")
        .calls([adding("i", 1, 2)])
        .reply(ChatReply::text("It is 3.").usage(Usage::new(30, 3)));
    let inner = ReActAutoma::new(inner).name("mathematician").tools(tools());
    let tool = inner.into_tool("mathematician", "Knows sums.").unwrap();
    let call = ToolCall::new("o", "mathematician", json!({ "task": "1 + 2?" }));
    let broken = ToolCall::new("b", "broken", json!({ "why": "private" }));
    let model = ScriptedModel::new()
        .named("big")
        .reply(ChatReply::calls([call, broken]).usage(Usage::new(100, 10)))
        .reply(ChatReply::text("3").usage(Usage::new(200, 20).cached_input(50)));
    let tools = Toolbox::builder().with(tool).with(crate::react::broken::tool()).build().unwrap();
    ReActAutoma::new(model).name("host").system("Be brief.").tools(tools).temperature(0.5).seed(7)
}

#[tokio::test]
async fn names_parents_and_attributes_are_those_of_the_conventions() {
    let (collector, _guard) = Collector::start(tracing::Level::INFO);
    let agent = Agent::new(family()).unwrap();
    agent.run("ada", "1 + 2?").await.unwrap();
    let spans = collector.of_agents();
    let paths: Vec<_> = spans.iter().map(|(path, _)| path.as_str()).collect();
    let host = "invoke_agent host < run host";
    let tool = format!("execute_tool mathematician < {host}");
    let inner = format!("invoke_agent mathematician < {tool}");
    let mut expected = vec![
        host.to_owned(),
        format!("chat big < {host}"),
        tool.clone(),
        format!("execute_tool broken < {host}"),
        inner.clone(),
        format!("chat small < {inner}"),
        format!("execute_tool add < {inner}"),
        format!("chat small < {inner}"),
        format!("chat big < {host}"),
    ];
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected, "{paths:?}");
    check(&spans);

    let fields =
        |path: &str| &spans.iter().rev().find(|(found, _)| found == path).unwrap().1.fields;
    let chat = fields(&format!("chat big < {host}"));
    for (name, value) in [
        ("gen_ai.provider.name", "scripted"),
        ("gen_ai.request.model", "big"),
        ("gen_ai.response.model", "big"),
        ("gen_ai.request.temperature", "0.5"),
        ("gen_ai.request.seed", "7"),
        ("gen_ai.conversation.id", "ada"),
        ("gen_ai.response.finish_reasons", r#"["stop"]"#),
        ("gen_ai.usage.input_tokens", "200"),
        ("gen_ai.usage.output_tokens", "20"),
        ("gen_ai.usage.cache_read.input_tokens", "50"),
    ] {
        assert_eq!(chat.get(name).map(String::as_str), Some(value), "{name}");
    }
    let broken = fields(&format!("execute_tool broken < {host}"));
    assert_eq!(broken["error.type"], "tool_error");
    assert_eq!(broken["otel.status_code"], "ERROR");
    assert_eq!(broken["gen_ai.tool.call.id"], "b");
    let invoked = fields(host);
    assert_eq!(invoked["gen_ai.agent.name"], "host");
    assert_eq!(invoked["gen_ai.usage.input_tokens"], "330");
}

/// The engine's own spans do not come in between.
#[tokio::test]
async fn the_parents_are_the_same_with_the_spans_of_workers() {
    let (collector, _guard) = Collector::start(tracing::Level::TRACE);
    family().build().unwrap().run(args!("1 + 2?")).await.unwrap();
    let spans = collector.of_agents();
    assert_eq!(spans[0].0, "invoke_agent host < run host");
    assert!(spans.iter().any(|(path, _)| {
        path == "execute_tool add < invoke_agent mathematician < execute_tool mathematician < \
                 invoke_agent host < run host"
    }));
    check(&spans);
}

#[tokio::test]
async fn what_is_said_is_recorded_only_if_the_agent_says_so() {
    for records in [false, true] {
        let (collector, _guard) = Collector::start(tracing::Level::TRACE);
        family().record_content(records).build().unwrap().run(args!("1 + 2?")).await.unwrap();
        let spans = collector.of_agents();
        check(&spans);
        let all = format!("{:?}", collector.0.lock().unwrap());
        assert_eq!(all.contains("private"), records);
        assert_eq!(all.contains("Be brief."), records);
        let names = spans.iter().flat_map(|(_, seen)| seen.fields.keys());
        let content: std::collections::BTreeSet<_> =
            names.filter(|name| CONTENT.contains(&name.as_str())).collect();
        assert_eq!(content.len(), if records { CONTENT.len() } else { 0 }, "{content:?}");
        if records {
            let chat = spans.iter().find(|(path, _)| path.starts_with("chat big")).unwrap();
            let asked: serde_json::Value =
                serde_json::from_str(&chat.1.fields[gen_ai::names::INPUT_MESSAGES]).unwrap();
            let parts = json!([{ "type": "text", "content": "1 + 2?" }]);
            assert_eq!(asked, json!([{ "role": "user", "parts": parts }]));
        }
    }
}

#[tokio::test]
async fn a_failed_request_and_a_failed_run_have_the_kind_of_their_error() {
    let (collector, _guard) = Collector::start(tracing::Level::INFO);
    let away = ModelError::Status {
        model: "big".into(),
        status: 429,
        message: "slow down".into(),
        retry_after: None,
    };
    let cut = ChatReply::text("").finish(FinishReason::Length);
    let model = ScriptedModel::new().named("big").fails(away).reply(cut);
    let agent = ReActAutoma::new(model).name("host").build().unwrap();
    let error = agent.run(args!("Hello?")).await.unwrap_err();
    assert!(error.to_string().contains("slow down"), "{error}");
    let spans = collector.of_agents();
    check(&spans);
    let kinds: Vec<_> = spans.iter().map(|(_, seen)| seen.fields["error.type"].as_str()).collect();
    assert_eq!(kinds, ["_OTHER", "429"]);
}

/// An agent whose memory summarises after each turn.
fn forgetful() -> ReActAutoma {
    let small = ScriptedModel::new()
        .named("small")
        .reply(ChatReply::text("Goal: sums\n\nIt is about sums.").usage(Usage::new(40, 4)));
    let model = ScriptedModel::new()
        .named("big")
        .calls([adding("a", 1, 2)])
        .calls([adding("b", 3, 4)])
        .text("7");
    let memory = Summarising::new(small).after_groups(0).keep_groups(2);
    ReActAutoma::new(model).name("host").tools(tools()).memory(memory)
}

#[tokio::test]
async fn a_request_that_summarises_has_a_span_and_moments_and_counts() {
    let (collector, _guard) = Collector::start(tracing::Level::INFO);
    let (moments, mut told) = mpsc::unbounded_channel();
    let mut agent = forgetful().observer(Told(moments)).build().unwrap();
    let meter = UsageMeter::new();
    meter.watch(&mut agent);
    let outcome = agent.run(args!("1 + 2, 3 + 4?")).await.unwrap();
    drop(agent);
    assert!(!outcome.conversation.summaries.is_empty());
    let spans = collector.of_agents();
    check(&spans);
    let summary = spans.iter().find(|(path, _)| path.starts_with("chat small")).unwrap();
    assert_eq!(summary.0, "chat small < invoke_agent host < run host");
    assert_eq!(summary.1.fields["gen_ai.usage.input_tokens"], "40");
    let mut of_small = Vec::new();
    while let Some(moment) = told.recv().await {
        if moment.contains("small") {
            of_small.push(moment);
        }
    }
    assert_eq!(of_small, ["host: model small started", "host: model small ended"]);
    assert_eq!(meter.by_model()["small"].total(), 44);
}

/// Sends each moment as a line.
struct Told(mpsc::UnboundedSender<String>);

impl Observer for Told {
    async fn observe(&self, moment: Moment) -> Result<(), WorkerError> {
        self.0.send(moment.to_string())?;
        Ok(())
    }
}

/// Runs another agent.
#[tool]
async fn ask_helper(helper: State<TypedAutoma<AgentOutcome>>) -> Result<String, WorkerError> {
    Ok(helper.run(args!("Help.")).await?.text())
}

#[tokio::test]
async fn a_run_that_a_tool_begins_is_below_its_call() {
    let (collector, _guard) = Collector::start(tracing::Level::INFO);
    let helper = ReActAutoma::new(ScriptedModel::new().named("small").text("Here."));
    let helper = helper.name("helper").build().unwrap();
    let tools = Toolbox::builder().with(ask_helper::tool()).state(helper).build().unwrap();
    let call = ToolCall::new("1", "ask_helper", json!({}));
    let model = ScriptedModel::new().named("big").calls([call]).text("Done.");
    let agent = ReActAutoma::new(model).name("host").tools(tools).build().unwrap();
    agent.run(args!("Help?")).await.unwrap();
    let spans = collector.of_agents();
    check(&spans);
    let helper = "invoke_agent helper < execute_tool ask_helper < invoke_agent host < run host";
    let paths: Vec<_> = spans.iter().map(|(path, _)| path.as_str()).collect();
    assert!(paths.contains(&helper), "{paths:?}");
    assert!(paths.contains(&&*format!("chat small < {helper}")), "{paths:?}");
}
