//! A prompt template as a worker.

use std::collections::BTreeMap;

use ddg_core::args::Args;
use ddg_core::worker::Signature;
use ddg_core::{Context, Value, Worker, WorkerError};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::PromptTemplate;

/// A worker that renders a [`PromptTemplate`] and gives the text.
///
/// Each variable of the template is a parameter of that name, in the order in which the template
/// names them. They are filled by position from dependencies, or by name from run inputs.
/// [`unpack`](ddg_core::WorkerOptions::unpack) passes a map with all of them. A null means a
/// missing value, if the template has a default (`{{ mood | default("any") }}`).
///
/// ```
/// use ddg_agentic::prompt::{PromptTemplate, PromptWorker};
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let prompt = PromptTemplate::new("Plan {{ days }} days in {{ city }}.")?;
/// let mut automa = GraphAutoma::new("plan");
/// automa.add_worker("prompt", PromptWorker::new(prompt), start().output())?;
/// let text: String = automa.run(args!(city = "Tokyo", days = 3)).output().await?;
/// assert_eq!(text, "Plan 3 days in Tokyo.");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PromptWorker(PromptTemplate);

impl PromptWorker {
    /// Creates a worker that renders `template`.
    pub fn new(template: PromptTemplate) -> Self {
        Self(template)
    }
}

impl Worker for PromptWorker {
    type Output = String;

    fn signature(&self) -> Signature {
        let variables = self.0.variables().into_iter();
        variables.fold(Signature::new(), Signature::param::<Value>)
    }

    async fn run(&self, args: Args, _cx: &Context) -> Result<String, WorkerError> {
        let mut given = BTreeMap::new();
        for (variable, value) in self.0.variables().into_iter().zip(args.positional()) {
            match value.to_json()? {
                Json::Null => (),
                value => drop(given.insert(variable, value)),
            }
        }
        Ok(self.0.render(&given)?)
    }
}
