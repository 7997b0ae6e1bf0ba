//! The loop of an agent, written by hand.

use std::error::Error;
use std::sync::Arc;

use ddg_agentic::message::{ToolArguments, ToolMessage};
use ddg_agentic::prelude::*;
use ddg_agentic::tool::ToolSpec;
use futures::future::{join_all, try_join_all};
use serde::Deserialize;

use super::model::{AtOnce, Script};
use super::tool::{forecast, toolbox};
use super::{Answer, Subject, TASK};

/// Plain functions, called with what the model says: no toolbox, no engine.
pub fn plain(script: &Arc<Script>) -> Subject {
    let model = AtOnce(Arc::clone(script));
    let run = move || {
        let model = model.clone();
        Box::pin(async move {
            let call = |call: ToolCall| async move {
                let content = weather(&call).await?;
                Ok::<_, Failure>(ToolMessage::new(&call, content))
            };
            let mut messages = vec![Message::user(TASK)];
            loop {
                let reply = model.chat(ChatRequest::new(messages.clone())).await?.message;
                let calls = reply.tool_calls.clone();
                messages.push(reply.into());
                if calls.is_empty() {
                    return Ok(messages.last().map(Message::text).unwrap_or_default());
                }
                let results = try_join_all(calls.into_iter().map(call)).await?;
                messages.extend(results.into_iter().map(Message::from));
            }
        }) as _
    };
    Subject { name: "by hand, plain functions", run: Box::new(run) }
}

type Failure = Box<dyn Error + Send + Sync>;

async fn weather(call: &ToolCall) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Parameters {
        city: String,
    }
    match &call.arguments {
        ToolArguments::Json(json) => {
            let Parameters { city } = Parameters::deserialize(json)?;
            Ok(forecast(&city))
        }
        malformed => Err(format!("no JSON: {malformed:?}").into()),
    }
}

/// The same loop with a toolbox, which checks each call and says what is wrong with it; it can be
/// called in a worker only, so the loop is one.
///
/// # Errors
/// Never, but for a defect.
pub fn in_a_worker(script: &Arc<Script>) -> Result<Subject, Box<dyn Error>> {
    let (model, tools) = (AtOnce(Arc::clone(script)), toolbox()?);
    let specs: Arc<[ToolSpec]> = tools.specs();
    let think = move |cx: Context| {
        let (model, tools, specs) = (model.clone(), tools.clone(), Arc::clone(&specs));
        async move {
            let mut messages = vec![Message::user(TASK)];
            loop {
                let request = ChatRequest::new(messages.clone()).tools(Arc::clone(&specs));
                let reply = model.chat(request).await?.message;
                let calls = reply.tool_calls.clone();
                messages.push(reply.into());
                if calls.is_empty() {
                    return Ok(messages.last().map(Message::text).unwrap_or_default());
                }
                let results = join_all(calls.iter().map(|call| tools.call(call, &cx))).await;
                for result in results {
                    messages.push(result?.message.into());
                }
            }
        }
    };
    let think = move |cx: Context| {
        let ended = think(cx);
        async move { ended.await.map_err(|error: Failure| WorkerError::msg(error.to_string())) }
    };
    let mut automa = GraphAutoma::new("by hand");
    automa.add_func_as_worker("think", think, start().output())?;
    automa.validate()?;
    let automa = Arc::new(automa);
    let run = move || {
        let automa = Arc::clone(&automa);
        Box::pin(async move { Ok(automa.run(()).output::<String>().await?) as Answer }) as _
    };
    Ok(Subject { name: "by hand, toolbox in one worker", run: Box::new(run) })
}
