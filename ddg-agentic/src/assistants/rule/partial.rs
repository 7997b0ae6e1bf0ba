//! What of an open message and of open calls clients have seen, by the events.

use serde_json::Value as Json;

/// The text and the calls that were streamed since a reply began.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::assistants) struct Partial {
    pub(in crate::assistants) text: String,
    /// The arguments of each call, by its index or output index.
    pub(in crate::assistants) arguments: Vec<(u64, String)>,
}

impl Partial {
    /// Adds what an event has shown.
    pub(in crate::assistants) fn hear(&mut self, name: &str, data: &Json) {
        match name {
            "thread.message.delta" => {
                let text = &data["delta"]["content"][0]["text"]["value"];
                self.text.push_str(text.as_str().unwrap_or_default());
            }
            "thread.run.step.delta" => {
                for call in
                    data["delta"]["step_details"]["tool_calls"].as_array().into_iter().flatten()
                {
                    let part = call["function"]["arguments"].as_str().unwrap_or_default();
                    self.argue(call["index"].as_u64().unwrap_or_default(), part);
                }
            }
            "response.output_text.delta" => {
                self.text.push_str(data["delta"].as_str().unwrap_or_default());
            }
            "response.function_call_arguments.delta" => {
                let part = data["delta"].as_str().unwrap_or_default();
                self.argue(data["output_index"].as_u64().unwrap_or_default(), part);
            }
            _ => {}
        }
    }

    /// The arguments of the call at `index`.
    pub(in crate::assistants) fn arguments_of(&self, index: u64) -> String {
        let found = self.arguments.iter().find(|(at, _)| *at == index);
        found.map(|(_, arguments)| arguments.clone()).unwrap_or_default()
    }

    fn argue(&mut self, index: u64, part: &str) {
        match self.arguments.iter_mut().find(|(at, _)| *at == index) {
            Some((_, arguments)) => arguments.push_str(part),
            None => self.arguments.push((index, part.to_owned())),
        }
    }
}
