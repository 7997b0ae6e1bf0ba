//! Tools as a value of a run.

use std::fmt;
use std::sync::Arc;

use ddg_core::Context;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ToolError, ToolSpec, Toolbox};

/// Tools as a value of a run: an input, an argument or an output of a worker.
///
/// Within a process they are the toolbox itself. In a snapshot they are the names of its tools, and
/// a resumed run finds the tools by their names in the toolbox that its automa has
/// [registered](Toolbox::register_in). Names as JSON (`json!(["weather"])`) are also such a value.
///
/// ```
/// use ddg_agentic::message::ToolCall;
/// use ddg_agentic::tool::RunTools;
/// use ddg_agentic::{Toolbox, tool};
/// use ddg_core::prelude::*;
/// use serde_json::json;
///
/// /// Tells the weather.
/// #[tool]
/// async fn weather(city: String) -> String {
///     format!("sunny in {city}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let look = async |city: String, tools: RunTools, cx: Context| -> Result<String, WorkerError> {
///     let call = ToolCall::new("1", "weather", json!({ "city": city }));
///     let result = tools.toolbox(&cx)?.call(&call, &cx).await?;
///     Ok(result.message.content)
/// };
/// let toolbox = Toolbox::builder().with(weather::tool()).build()?;
/// let mut automa = GraphAutoma::new("look");
/// automa.add_func_as_worker("look", look, start().params(["city", "tools"]).output())?;
/// toolbox.register_in(&mut automa)?;
///
/// let tools = RunTools::from(toolbox);
/// assert_eq!(serde_json::to_value(&tools)?, json!(["weather"]));
/// let said: String = automa.run(args!("Tokyo", tools = tools)).output().await?;
/// assert_eq!(said, "sunny in Tokyo");
/// let said: String = automa.run(args!("Tokyo", tools = json!(["weather"]))).output().await?;
/// assert_eq!(said, "sunny in Tokyo");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RunTools(Inner);

#[derive(Clone)]
enum Inner {
    Here(Toolbox),
    Named(Arc<[String]>),
}

/// The toolbox in which an automa finds tools by their names.
pub(super) struct Registered(pub(super) Toolbox);

impl RunTools {
    /// The names of the tools, in order.
    pub fn names(&self) -> Vec<&str> {
        match &self.0 {
            Inner::Here(toolbox) => toolbox.names().collect(),
            Inner::Named(names) => names.iter().map(String::as_str).collect(),
        }
    }

    /// The tools, to be called by the worker of `cx`.
    ///
    /// # Errors
    /// If they are known by their names only, and the automa has registered no toolbox, or one
    /// without such a tool.
    pub fn toolbox(&self, cx: &Context) -> Result<Toolbox, ToolError> {
        let names = match &self.0 {
            Inner::Here(toolbox) => return Ok(toolbox.clone()),
            Inner::Named(names) => names,
        };
        let Some(registered) = cx.attached::<Registered>() else {
            return match names.first() {
                Some(name) => Err(ToolError::Unregistered { name: name.clone() }),
                None => Ok(Toolbox::default()),
            };
        };
        let Registered(toolbox) = &*registered;
        match names.iter().find_map(|name| toolbox.unknown(name)) {
            Some(unknown) => Err(unknown),
            None => Ok(toolbox.only(names)),
        }
    }

    /// The descriptions of the tools for a model. A tool that is known by its name only is looked
    /// for in `known` before the automa is asked.
    ///
    /// # Errors
    /// As [`toolbox`](Self::toolbox).
    pub(crate) fn specs(
        &self,
        known: &[ToolSpec],
        cx: &Context,
    ) -> Result<Arc<[ToolSpec]>, ToolError> {
        if let Inner::Named(names) = &self.0 {
            let spec = |name: &String| known.iter().find(|spec| spec.name == *name).cloned();
            if let Some(specs) = names.iter().map(spec).collect::<Option<Vec<_>>>() {
                return Ok(specs.into());
            }
        }
        Ok(self.toolbox(cx)?.specs())
    }
}

impl From<Toolbox> for RunTools {
    fn from(toolbox: Toolbox) -> Self {
        Self(Inner::Here(toolbox))
    }
}

impl From<&Toolbox> for RunTools {
    fn from(toolbox: &Toolbox) -> Self {
        toolbox.clone().into()
    }
}

impl Serialize for RunTools {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RunTools {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(Self(Inner::Named(names.into())))
    }
}

impl fmt::Debug for RunTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunTools")?;
        f.debug_list().entries(self.names()).finish()
    }
}
