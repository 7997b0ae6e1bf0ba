//! Laws that hold for the events of any run, whatever happens to it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::changes::tests::Counted;
use super::{
    Changes, MemoryRule, Moment, Partial, Recorded, Reply, ReplyCall, ReplyPiece, RunSettings,
    RunState, Surface,
};
use crate::assistants::object::{LastError, RunStatus, Usage};
use crate::assistants::params::{ResponseParams, RunParams, ToolOutputParams};
use crate::model::FinishReason;

/// What happens to a run.
#[derive(Clone, Debug)]
enum Act {
    Begin,
    Text,
    /// A call of a tool of the server, or of the client's function.
    Call {
        external: bool,
    },
    Replied {
        finish: u8,
    },
    Outputs,
    Require,
    Submit,
    Abandon,
    Complete,
    Incomplete,
    Fail,
    Cancel,
    Cancelled,
    Expire,
}

/// A run with what its events have shown.
struct Walk {
    settings: RunSettings,
    state: RunState,
    ids: Counted,
    /// The reply so far.
    text: String,
    calls: Vec<ReplyCall>,
    n_calls: u32,
    events: Vec<Recorded>,
}

fn settings(surface: Surface) -> RunSettings {
    let tools =
        json!([{ "type": "function", "function": { "name": "external" } }, { "type": "internal" }]);
    match surface {
        Surface::Thread => {
            let assistant = json!({
                "id": "asst_1", "object": "assistant", "created_at": 0, "model": "m", "tools": tools,
                "metadata": {}, "response_format": "auto",
            });
            let assistant = serde_json::from_value(assistant).expect("an assistant");
            RunSettings::of_run(&RunParams::new("asst_1"), &assistant, MemoryRule::Naive)
        }
        Surface::Response => {
            let tools = serde_json::from_value(tools).expect("tools");
            RunSettings::of_response(&ResponseParams::new("m", "hi"), "m".to_owned(), tools)
        }
    }
}

impl Walk {
    fn new(surface: Surface) -> Self {
        let settings = settings(surface);
        let mut state = RunState::queued(&settings, "run_1".into(), "thread_1".into(), 0, 600);
        let mut changes = Changes::default();
        state.created(&settings, None, &mut changes);
        let ids = Counted::default();
        let (text, calls) = (String::new(), Vec::new());
        Self { settings, state, ids, text, calls, n_calls: 0, events: changes.events }
    }

    fn partial(&self) -> Partial {
        let mut partial = Partial::default();
        let since = self.state.open.since;
        for event in self.events.iter().filter(|event| event.number >= since) {
            partial.hear(event.name, &event.data);
        }
        partial
    }

    fn act(&mut self, act: &Act) {
        let partial = self.partial();
        let mut changes = Changes::default();
        let mut moment = Moment { now: 1, ids: &mut self.ids };
        let (state, settings) = (&mut self.state, &self.settings);
        let at_work = state.status == RunStatus::InProgress;
        // A reply can continue only while no calls of the last one wait for outputs.
        let is_answered = at_work && state.answered == state.turn;
        let waits = is_answered && self.calls.is_empty() && state.open.calls.is_some();
        let replies = is_answered && !waits;
        match act {
            Act::Begin => state.begin(settings, &moment, &mut changes),
            Act::Text if replies => {
                self.text.push('x');
                let piece = ReplyPiece::Text("x".to_owned());
                state.piece(settings, &piece, &mut moment, &mut changes);
            }
            Act::Call { external } if replies && self.calls.len() < 3 => {
                self.n_calls += 1;
                let (index, id) = (self.calls.len(), format!("call_{}", self.n_calls));
                let name = if *external { "external" } else { "internal" }.to_owned();
                let piece = ReplyPiece::Call { index, id: id.clone(), name: name.clone() };
                state.piece(settings, &piece, &mut moment, &mut changes);
                let piece = ReplyPiece::Arguments { index, part: "{}".to_owned() };
                state.piece(settings, &piece, &mut moment, &mut changes);
                self.calls.push(ReplyCall { id, name, arguments: "{}".to_owned() });
            }
            Act::Replied { finish } if replies => {
                let reply = Reply {
                    text: std::mem::take(&mut self.text),
                    calls: std::mem::take(&mut self.calls),
                    finish: match finish {
                        0 => FinishReason::Length,
                        1 => FinishReason::ContentFilter,
                        _ => FinishReason::Stop,
                    },
                    usage: crate::model::Usage::new(2, 1).into(),
                    has_dropped_calls: false,
                };
                state.replied(settings, &reply, &mut moment, &mut changes);
            }
            Act::Outputs if at_work && state.answered < state.turn => {
                let calls = state.open.calls.iter().flat_map(|step| step.step_details.tool_calls());
                let internal = calls.filter(|call| !settings.is_external(&call.function.name));
                let outputs: Vec<_> =
                    internal.map(|call| ToolOutputParams::new(&call.id, "out")).collect();
                state.outputs(settings, &outputs, Usage::default(), &mut moment, &mut changes);
            }
            Act::Require if waits && settings.surface == Surface::Thread => {
                state.require_action(settings, &mut changes);
            }
            Act::Submit => {
                let waiting = state.waiting().into_iter();
                let outputs = waiting.map(|call| ToolOutputParams::new(call.id, "out"));
                let _ = state.submit(settings, outputs.collect(), &mut moment, &mut changes);
            }
            Act::Abandon if replies => {
                (self.text, self.calls) = (String::new(), Vec::new());
                state.abandon(settings, &partial, &moment, &mut changes);
            }
            // What is open is ended first, so only a closed run ends well.
            Act::Complete if at_work && state.is_closed() => {
                state.complete(settings, &moment, &mut changes);
            }
            // A reply that was cut off in its calls leaves them open.
            Act::Incomplete if at_work && state.open.message.is_none() => {
                state.stop_at("max_prompt_tokens", settings, &moment, &mut changes);
            }
            Act::Fail if at_work => {
                let error = LastError::new("server_error", "no");
                state.fail(&error, settings, &partial, &moment, &mut changes);
            }
            Act::Cancel => _ = state.cancel(settings, &moment, &mut changes),
            Act::Cancelled if state.status == RunStatus::Cancelling => {
                state.cancelled(settings, &partial, &moment, &mut changes);
            }
            Act::Expire if !state.status.is_terminal() => {
                state.expire(settings, &partial, &moment, &mut changes);
            }
            _ => {}
        }
        self.events.extend(changes.events);
    }
}

/// The id in the data of an event.
fn id(data: &Json) -> String {
    data["id"].as_str().unwrap_or_default().to_owned()
}

/// Checks the events of a run that has ended.
fn check_thread(events: &[Recorded]) {
    let (mut open, mut texts) = (BTreeSet::new(), std::collections::BTreeMap::new());
    for event in events {
        let (name, id) = (event.name, id(&event.data));
        match name {
            "thread.message.created" | "thread.run.step.created" => {
                assert!(open.insert(id), "{name} comes once");
            }
            "thread.message.delta" => {
                assert!(open.contains(&id), "a delta follows `created` and comes before the end");
                let text: &mut String = texts.entry(id).or_default();
                text.push_str(event.data["delta"]["content"][0]["text"]["value"].as_str().unwrap());
            }
            "thread.run.step.delta" => assert!(open.contains(&id), "{name} of what is open"),
            "thread.message.completed" | "thread.message.incomplete" => {
                assert!(open.remove(&id), "{name} comes once");
                let whole = event.data["content"][0]["text"]["value"].as_str().unwrap();
                assert_eq!(
                    texts.remove(&id).unwrap_or_default(),
                    whole,
                    "deltas add up to the whole"
                );
            }
            "thread.run.step.completed"
            | "thread.run.step.failed"
            | "thread.run.step.cancelled"
            | "thread.run.step.expired" => assert!(open.remove(&id), "{name} comes once"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "all that was created has ended: {open:?}");
}

fn check_response(events: &[Recorded]) {
    let mut added = BTreeSet::new();
    let mut done = BTreeSet::new();
    for event in events {
        let at = event.data["output_index"].as_u64();
        match (event.name, at) {
            ("response.output_item.added", Some(at)) => {
                assert_eq!(at, added.len() as u64, "items are added one after another");
                added.insert(at);
            }
            ("response.output_item.done", Some(at)) => {
                assert!(done.insert(at), "an item is done once");
            }
            (name, Some(at)) => {
                assert!(added.contains(&at) && !done.contains(&at), "{name} is of an open item");
            }
            (_, None) => {}
        }
    }
    assert_eq!(added, done, "all items are done");
    let last = &events.last().unwrap().data["response"];
    assert_eq!(last["output"].as_array().unwrap().len(), added.len());
    let is_open = |item: &Json| item["status"] == "in_progress";
    assert!(
        !last["output"].as_array().unwrap().iter().any(is_open),
        "no item of an ended response is open"
    );
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => Just(Act::Begin),
        6 => Just(Act::Text),
        6 => any::<bool>().prop_map(|external| Act::Call { external }),
        6 => (0..6_u8).prop_map(|finish| Act::Replied { finish }),
        6 => Just(Act::Outputs),
        3 => Just(Act::Require),
        3 => Just(Act::Submit),
        1 => Just(Act::Abandon),
        1 => Just(Act::Complete),
        1 => Just(Act::Incomplete),
        1 => Just(Act::Fail),
        1 => Just(Act::Cancel),
        1 => Just(Act::Cancelled),
        1 => Just(Act::Expire),
    ];
    prop::collection::vec(act, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_are_what_clients_need_whatever_happens(acts in acts(), is_response in any::<bool>()) {
        let surface = if is_response { Surface::Response } else { Surface::Thread };
        let mut walk = Walk::new(surface);
        walk.act(&Act::Begin);
        for act in &acts {
            let was = walk.state.status;
            let n_events = walk.events.len();
            walk.act(act);
            if was.is_terminal() {
                prop_assert_eq!((walk.state.status, walk.events.len()), (was, n_events), "an end is final");
            }
        }
        // Whatever it is at, it can be ended.
        walk.act(&Act::Cancel);
        walk.act(&Act::Cancelled);
        prop_assert!(walk.state.status.is_terminal());
        let first = walk.events[0].number;
        prop_assert!(walk.events.iter().enumerate().all(|(n, event)| event.number == first + n as u64));
        match surface {
            Surface::Thread => check_thread(&walk.events),
            Surface::Response => check_response(&walk.events),
        }
    }
}
