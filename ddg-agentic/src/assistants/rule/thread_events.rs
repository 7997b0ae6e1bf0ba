//! Deltas of messages and steps. A client adds them onto what `created` holds.

use serde_json::{Value as Json, json};

pub(super) fn text_delta(message: &str, text: &str, is_first: bool) -> Json {
    let text = match is_first {
        true => json!({ "value": text, "annotations": [] }),
        false => json!({ "value": text }),
    };
    json!({
        "id": message,
        "object": "thread.message.delta",
        "delta": { "content": [{ "index": 0, "type": "text", "text": text }] },
    })
}

/// A call begins. Its id and name come once, because clients would append them.
pub(super) fn call_delta(step: &str, index: usize, id: &str, name: &str) -> Json {
    let function = json!({ "name": name, "arguments": "", "output": null });
    step_delta(step, &json!({ "index": index, "id": id, "type": "function", "function": function }))
}

pub(super) fn arguments_delta(step: &str, index: usize, part: &str) -> Json {
    let function = json!({ "arguments": part });
    step_delta(step, &json!({ "index": index, "type": "function", "function": function }))
}

pub(super) fn output_delta(step: &str, index: usize, output: &str) -> Json {
    let function = json!({ "output": output });
    step_delta(step, &json!({ "index": index, "type": "function", "function": function }))
}

fn step_delta(step: &str, call: &Json) -> Json {
    json!({
        "id": step,
        "object": "thread.run.step.delta",
        "delta": { "step_details": { "type": "tool_calls", "tool_calls": [call] } },
    })
}
