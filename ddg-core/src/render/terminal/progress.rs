//! What a worker emits while it runs, as a few words, and as a bar if it reports progress.

use serde_json::Value as Json;

use super::text::one_line;
use crate::values::Value;

/// An emitted value as it is shown.
#[derive(Clone)]
pub(super) struct Told {
    /// The text, such as `progress: 3/7`.
    pub(super) text: String,
    /// The fraction that is done, from 0 to 1.
    pub(super) part: Option<f64>,
}

impl Told {
    pub(super) fn new(name: &str, data: &Value) -> Self {
        let progress =
            (name == "progress").then(|| data.to_json().ok().and_then(|it| progress(&it)));
        let (text, part) = match progress.flatten() {
            Some((text, part)) => (text, Some(part)),
            None => (value(data), None),
        };
        let text =
            if text == "null" { one_line(name) } else { format!("{}: {text}", one_line(name)) };
        Self { text, part }
    }
}

/// An event about a run: its kind if it has one, else as [`Told`].
pub(super) fn about(name: &str, data: &Value) -> String {
    let json = data.to_json().ok();
    let kind = json.as_ref().and_then(|json| json.get("event")).and_then(Json::as_str);
    kind.map_or_else(|| Told::new(name, data).text, one_line)
}

/// Formats text as it is, and anything else as JSON.
pub(super) fn value(value: &Value) -> String {
    match value.get::<String>() {
        Ok(text) => one_line(&text),
        Err(_) => one_line(&format!("{value:?}")),
    }
}

/// Reads progress from a pair (done, total) or from a fraction of 1.
fn progress(data: &Json) -> Option<(String, f64)> {
    let (text, part) = match data {
        Json::Array(pair) => match pair.as_slice() {
            [done, all] => (format!("{done}/{all}"), done.as_f64()? / all.as_f64()?),
            _ => return None,
        },
        data => {
            let part = data.as_f64()?;
            (format!("{:.0} %", part * 100.0), part)
        }
    };
    (0.0..=1.0).contains(&part).then_some((text, part))
}

/// A bar of ten characters, heavy where the work is done.
pub(super) fn bar(part: f64) -> String {
    const WIDTH: usize = 10;
    // `part` is at most 1, so the result is at most the width.
    let done = (part * WIDTH as f64) as usize;
    "━".repeat(done) + &"╌".repeat(WIDTH - done)
}
