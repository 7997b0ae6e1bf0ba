//! The items of a conversation, as a model reads them.

use serde_json::Value as Json;

use super::changes::Kind;
use super::prompt::{Images, prompt_of_message};
use crate::assistants::AssistantsError;
use crate::assistants::object::{Item, ItemStatus};
use crate::message::{Message, ToolArguments, ToolCall};

/// The messages for a model. Calls of one reply are one message; each output follows, in the order
/// of the calls.
pub(in crate::assistants) fn transcript(items: &[Kind], images: &Images) -> Vec<Message> {
    let mut messages = Vec::new();
    // Calls of the reply that is being read.
    let mut calls: Vec<&Item> = Vec::new();
    let mut reply = 0;
    for kind in items {
        match kind {
            Kind::Message(message) => {
                answer(&mut messages, &mut calls, items);
                messages.extend(prompt_of_message(message, images));
            }
            Kind::Call {
                item: item @ (Item::FunctionCall { .. } | Item::McpCall { .. }),
                turn,
            } => {
                if *turn != reply {
                    answer(&mut messages, &mut calls, items);
                    reply = *turn;
                }
                calls.push(item);
            }
            // An output ends the reply, and is read with its call.
            Kind::Call { .. } => answer(&mut messages, &mut calls, items),
        }
    }
    answer(&mut messages, &mut calls, items);
    messages
}

/// Ends a reply: its calls that have outputs, and the outputs.
fn answer(messages: &mut Vec<Message>, calls: &mut Vec<&Item>, items: &[Kind]) {
    let answered = calls.drain(..).filter_map(|item| {
        let (id, name, arguments, output) = match item {
            Item::McpCall { id, name, arguments, output, .. } => {
                (id, name, arguments, output.clone()?)
            }
            Item::FunctionCall { call_id, name, arguments, .. } => {
                (call_id, name, arguments, output_of(call_id, items)?)
            }
            Item::Message { .. } | Item::FunctionCallOutput { .. } => return None,
        };
        let call = ToolCall::new(id, name, ToolArguments::parse(arguments));
        let result = Message::tool_result(&call, output);
        Some((call, result))
    });
    let (calls, results): (Vec<_>, Vec<_>) = answered.unzip();
    if !calls.is_empty() {
        messages.push(Message::calls(calls));
        messages.extend(results);
    }
}

fn output_of(call: &str, items: &[Kind]) -> Option<String> {
    items.iter().find_map(|kind| match kind {
        Kind::Call { item: Item::FunctionCallOutput { call_id, output, .. }, .. }
            if call_id == call =>
        {
            Some(text_of(output))
        }
        _ => None,
    })
}

/// The text of an output that is text or parts.
fn text_of(output: &Json) -> String {
    match output {
        Json::String(text) => text.clone(),
        Json::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// Checks that each output has its call, and each call its output. The last `n_new` items are those
/// of the request.
///
/// # Errors
/// The first output or call that is alone.
pub(in crate::assistants) fn check_calls(
    items: &[Kind],
    n_new: usize,
) -> Result<(), AssistantsError> {
    let n_before = items.len() - n_new;
    for (n, kind) in items.iter().enumerate().skip(n_before) {
        let Kind::Call { item: Item::FunctionCallOutput { call_id, .. }, .. } = kind else {
            continue;
        };
        let before = &items[..n];
        if !before.iter().any(|other| is_call(other, call_id)) {
            let message =
                format!("No tool call found for function call output with call_id {call_id}.");
            return Err(AssistantsError::bad_param("input", message));
        }
        if output_of(call_id, before).is_some() {
            let message = format!("There are two outputs of the function call {call_id}.");
            return Err(AssistantsError::bad_param("input", message));
        }
    }
    for kind in items {
        if let Kind::Call { item: Item::FunctionCall { call_id, status, .. }, .. } = kind
            && *status == ItemStatus::Completed
            && output_of(call_id, items).is_none()
        {
            let message = format!("No tool output found for function call {call_id}.");
            return Err(AssistantsError::bad_param("input", message));
        }
    }
    Ok(())
}

fn is_call(kind: &Kind, id: &str) -> bool {
    match kind {
        Kind::Call { item: Item::FunctionCall { call_id, .. }, .. } => call_id == id,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::assistants::object::Role;
    use crate::assistants::rule::changes::tests::message;

    fn call(id: &str, turn: u32) -> Kind {
        let item = json!({
            "type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": "f",
            "arguments": "{}", "status": "completed",
        });
        Kind::Call { item: serde_json::from_value(item).unwrap(), turn }
    }

    fn server_call(id: &str, turn: u32) -> Kind {
        let item = json!({
            "type": "mcp_call", "id": id, "name": "s", "arguments": "{}", "server_label": "ddg",
            "output": format!("of {id}"), "error": null, "status": "completed",
        });
        Kind::Call { item: serde_json::from_value(item).unwrap(), turn }
    }

    fn output(id: &str) -> Kind {
        let item = json!({
            "type": "function_call_output", "id": format!("fco_{id}"), "call_id": id,
            "output": format!("of {id}"), "status": "completed",
        });
        Kind::Call { item: serde_json::from_value(item).unwrap(), turn: 0 }
    }

    fn said(role: Role, text: &str) -> Kind {
        Kind::Message(message(role, text))
    }

    #[track_caller]
    fn check(items: &[Kind], expected: &str) {
        let text = |message: Message| match &message {
            Message::Assistant(reply) if !reply.tool_calls.is_empty() => {
                let ids: Vec<_> = reply.tool_calls.iter().map(|call| call.id.as_str()).collect();
                format!("calls({})", ids.join(","))
            }
            _ => message.text(),
        };
        let read: Vec<_> = transcript(items, &Images::default()).into_iter().map(text).collect();
        assert_eq!(read.join(" | "), expected);
    }

    #[test]
    fn calls_of_one_reply_are_one_message_with_their_outputs_in_order() {
        check(
            &[
                said(Role::User, "hi"),
                server_call("a", 1),
                call("b", 1),
                output("b"),
                said(Role::Assistant, "done"),
            ],
            "hi | calls(a,b) | of a | of b | done",
        );
        check(&[server_call("a", 1), server_call("b", 2)], "calls(a) | of a | calls(b) | of b");
        check(&[call("b", 1), call("c", 1), output("c"), output("b")], "calls(b,c) | of b | of c");
    }

    #[test]
    fn a_call_and_its_output_belong_together() {
        let fault = |items: &[Kind], n_new| check_calls(items, n_new).unwrap_err().to_string();
        assert!(check_calls(&[call("a", 1), output("a")], 1).is_ok());
        let alone = fault(&[output("a")], 1);
        assert_eq!(alone, "No tool call found for function call output with call_id a.");
        let open = fault(&[call("a", 1), said(Role::User, "hi")], 1);
        assert_eq!(open, "No tool output found for function call a.");
        let twice = fault(&[call("a", 1), output("a"), output("a")], 1);
        assert_eq!(twice, "There are two outputs of the function call a.");
    }
}
