//! The tasks of the agent behind a workflow, in words.

use ddg_core::Value;

use super::Step;
use crate::message::cut;

/// Maximum number of bytes of an input, an error or an output in a task.
const MAX_SHOWN: usize = 8 << 10;

/// The task to do one step that has failed.
pub(super) fn of_step(
    workflow: &str,
    step: &Step,
    input: &Value,
    error: &str,
    done: &[(String, Value)],
) -> String {
    format!(
        "You stand behind the workflow `{workflow}`: you do what its program cannot.\n\
         Its step `{}` has failed. What the step does: {}\n\n\
         Its input:\n{}\n\nIts error:\n{}\n{}\n\
         Do this one step, with your tools if they help. Answer with the output of the step.",
        step.key,
        step.description,
        shown(input),
        cut(error.to_owned(), MAX_SHOWN),
        of_done(done),
    )
}

/// The task to do all steps that are left.
pub(super) fn of_rest(
    workflow: &str,
    steps: &[Step],
    input: &Value,
    done: &[(String, Value)],
) -> String {
    let left = steps.iter().enumerate();
    let left = left.map(|(nth, Step { key, description, .. })| {
        format!("{}. `{key}`: {description}\n", nth + 1)
    });
    format!(
        "You stand behind the workflow `{workflow}`: you do what its program cannot.\n\
         Several of its steps have failed in a row, so the rest of it is yours. What is left:\n{}\n\
         The input of the first:\n{}\n{}\n\
         Do these steps, with your tools if they help. Answer with the output of the last one.",
        left.collect::<String>(),
        shown(input),
        of_done(done),
    )
}

fn of_done(done: &[(String, Value)]) -> String {
    if done.is_empty() {
        return String::new();
    }
    let done = done.iter().map(|(key, output)| format!("- `{key}` gave {}\n", shown(output)));
    format!("\nWhat was done before:\n{}", done.collect::<String>())
}

fn shown(value: &Value) -> String {
    match value.to_json() {
        Ok(json) => cut(json.to_string(), MAX_SHOWN),
        Err(_) => "(a value that cannot be shown)".to_owned(),
    }
}
