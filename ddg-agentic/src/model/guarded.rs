//! Calls of a model outside of an agent's own loop, with the hooks around them: of workers that are
//! models, and of memories that summarise.

use std::fmt;
use std::sync::Arc;

use ddg_core::__report::shown_lines;
use ddg_core::Context;

use super::{ChatModel, ChatReply, ChatRequest, ModelError, ask, ask_silently, publish_whole};
use crate::scope::{Asked, Gate, Scope};

tokio::task_local! {
    /// The worker for which a memory is asked.
    static WORKER: Context;
}

/// A hook does not let a request or a reply pass.
struct Withheld(String);

/// Asks `model` with the hooks around the worker of `cx`, and publishes the pieces of the reply, if
/// the hooks let them pass.
///
/// # Errors
/// Those of the model, or that a hook does not let the request or the reply pass.
///
/// # Cancel safety
/// As [`ask`].
pub(crate) async fn ask_guarded<M: ChatModel>(
    model: &M,
    request: ChatRequest,
    cx: &Context,
) -> Result<ChatReply, ModelError> {
    match Scope::with_hooks(cx) {
        None => ask(model, request, cx).await,
        Some(scope) => {
            let is_held = !scope.passes_pieces();
            let reply = asked(&scope, model, request, cx, is_held).await?;
            if is_held {
                publish_whole(&reply.message, &reply, cx);
            }
            Ok(reply)
        }
    }
}

/// Asks `model` for a memory, which is observed and guarded like any request of the run, but whose
/// pieces nobody reads. Outside of a run it is asked as it is.
///
/// # Errors
/// As [`ask_guarded`].
pub(crate) async fn ask_for_memory<M: ChatModel>(
    model: &M,
    request: ChatRequest,
) -> Result<ChatReply, ModelError> {
    let Ok(cx) = WORKER.try_with(Context::clone) else { return model.chat(request).await };
    match Scope::with_hooks(&cx) {
        None => ask_silently(model, request, &cx).await,
        Some(scope) => asked(&scope, model, request, &cx, true).await,
    }
}

/// Polls `memory`, which summarises for the worker of `cx`.
pub(crate) async fn within<F: Future>(cx: &Context, memory: F) -> F::Output {
    WORKER.scope(cx.clone(), memory).await
}

async fn asked<M: ChatModel>(
    scope: &Scope,
    model: &M,
    request: ChatRequest,
    cx: &Context,
    is_silent: bool,
) -> Result<ChatReply, ModelError> {
    let withheld = |why: String| ModelError::Other {
        model: model.name().to_owned(),
        source: Arc::new(Withheld(why)),
        retryable: false,
    };
    let (tools, choice) = (Arc::clone(&request.tools), request.tool_choice.clone());
    let before = scope.before_model(Box::new(request), cx).await;
    let request = match before.map_err(|stop| withheld(stop.to_string()))? {
        Asked::Model(request) => *request,
        // It is meant for the conversation.
        Asked::Replied(_) => {
            return Err(withheld("a hook replies in place of the model".to_owned()));
        }
    };
    // Hooks choose among the tools of an agent. A request may have fewer of them, but no others.
    let is_left = |name: &str| request.tools.iter().any(|spec| spec.name == name);
    let left = tools.iter().filter(|spec| is_left(&spec.name)).cloned().collect();
    let request = ChatRequest { tools: left, tool_choice: choice, ..request };
    let reply = match is_silent {
        true => ask_silently(model, request, cx).await?,
        false => ask(model, request, cx).await?,
    };
    let usage = reply.usage;
    match scope.after_model(reply, cx).await.map_err(|stop| withheld(stop.to_string()))? {
        Gate::Pass(reply) => Ok(ChatReply { usage, ..reply }),
        Gate::Refused { hook, why } => {
            Err(withheld(format!("the reply was refused by the hook `{hook}`: {why}")))
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown_lines(&self.0).fmt(f)
    }
}

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Withheld {}
