//! A tool call of a client, as a run.

use ddg_core::event::{Event, EventFilter, EventKind};
use ddg_core::run::{Question, RunBuilder};
use ddg_core::snapshot::Snapshot;
use ddg_core::{GraphAutoma, Outcome, RunError, Value, start};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientResult, ContentBlock,
    ElicitRequest, ElicitResult, InputRequest, InputRequests, InputRequiredResult, InputResponses,
    ProgressNotificationParam, ServerRequest,
};
use rmcp::service::RequestContext;
use serde_json::{Value as Json, json};

use super::asked;
use super::block;
use super::handler::Handler;
use crate::message::ToolCall;
use crate::tool::ToolResult;

/// What a client gets: a result for its model, or an error for it.
type Answer = Result<CallToolResponse, String>;

/// Makes the call in a run of an automa that is named after the service.
pub(super) async fn call(
    handler: &Handler,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Answer {
    let tool = request.name.to_string();
    let failed = |error: &dyn std::fmt::Display| format!("`{tool}` failed: {error}");
    let mut automa = GraphAutoma::new(handler.name());
    let worker = handler.tools().call_worker(&tool);
    automa.add_worker("call", worker, start().output()).map_err(|error| failed(&error))?;

    let run = match &request.request_state {
        None => {
            let arguments = Json::Object(request.arguments.unwrap_or_default());
            automa.run((ToolCall::new(context.id.to_string(), &*tool, arguments),))
        }
        Some(id) => {
            let paused = handler.waiting().take(id).filter(|paused| paused.tool == tool);
            let paused = paused.ok_or("this call waits for no answer (any more): make it anew")?;
            let mut responses = request.input_responses.unwrap_or_default();
            let mut snapshot = paused.snapshot;
            for question in snapshot.questions() {
                let answer = answer_in(&mut responses, &question)?;
                snapshot.answer(&question.id, answer).map_err(|error| failed(&error))?;
            }
            automa.resume(snapshot)
        }
    };
    let mut outcome = told(run, context).await.map_err(|error| failed(&error))?;
    while !outcome.questions().is_empty() {
        let snapshot = outcome.snapshot().map_err(|error| failed(&error))?;
        let questions = outcome.questions();
        if !can_be_asked(context) {
            return Err(nobody(&tool, &questions[0]));
        }
        if context.protocol_version().is_none_or(|version| !version.has_initialize()) {
            return required(handler, &tool, &questions, snapshot);
        }
        let snapshot = ask(&tool, &questions, snapshot, context).await?;
        outcome = told(automa.resume(snapshot), context).await.map_err(|error| failed(&error))?;
    }
    let result: ToolResult = outcome.into_output().map_err(|error| failed(&error))?;
    match result.message.is_error {
        true => Err(result.message.content),
        false => Ok(given(handler, &tool, result).into()),
    }
}

/// Runs to the end or to a question. Events `progress` are told to the client, if it wants to know.
async fn told(run: RunBuilder, context: &RequestContext<RoleServer>) -> Result<Outcome, RunError> {
    let mut events = run.events(EventFilter::custom());
    let mut outcome = std::pin::pin!(run.outcome());
    let mut n_told = 0.0;
    loop {
        tokio::select! {
            biased;
            Some(event) = events.next() => {
                if let Ok(event) = event {
                    tell(&event, &mut n_told, context).await;
                }
            }
            outcome = &mut outcome => {
                while let Some(Ok(event)) = events.next().await {
                    tell(&event, &mut n_told, context).await;
                }
                return outcome;
            }
        }
    }
}

/// Tells the client of progress: a number, an object with `progress`, `total` and `message`, or
/// words.
async fn tell(event: &Event, n_told: &mut f64, context: &RequestContext<RoleServer>) {
    let (EventKind::Custom { name, data, .. }, Some(token)) =
        (&event.kind, context.meta.get_progress_token())
    else {
        return;
    };
    if name != "progress" {
        return;
    }
    let data = data.to_json().unwrap_or_default();
    let done = data.as_f64().or_else(|| data["progress"].as_f64());
    // It has to grow.
    *n_told = done.filter(|done| done > n_told).unwrap_or(*n_told + 1.0);
    let mut params = ProgressNotificationParam::new(token, *n_told);
    params.total = data["total"].as_f64();
    params.message = data.as_str().or_else(|| data["message"].as_str()).map(str::to_owned);
    // An error means that the client is gone.
    let _gone = context.peer.notify_progress(params).await;
}

fn can_be_asked(context: &RequestContext<RoleServer>) -> bool {
    let offered = context.client_capabilities().and_then(|offered| offered.elicitation);
    // A client that names no mode knows forms.
    offered.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

fn nobody(tool: &str, question: &Question) -> String {
    let question = question.content.to_json().map(|json| json.to_string());
    let question = question.unwrap_or_else(|error| error.to_string());
    format!(
        "`{tool}` asks a person, and this client cannot ask one (it offers no elicitation of \
         forms); the question is {question}"
    )
}

/// Asks a client of the newest protocol, which makes the call again with the answers.
fn required(handler: &Handler, tool: &str, questions: &[Question], snapshot: Snapshot) -> Answer {
    let mut requests = InputRequests::new();
    for question in questions {
        let params = asked::params(&question.content).ok_or_else(|| nobody(tool, question))?;
        let request = InputRequest::Elicitation(ElicitRequest::new(params));
        requests.insert(question.id.clone(), request);
    }
    let id = handler.waiting().keep(tool, snapshot);
    Ok(InputRequiredResult::new(Some(requests), Some(id)).into())
}

fn answer_in(responses: &mut InputResponses, question: &Question) -> Result<Value, String> {
    let response = responses.remove(&question.id);
    let response = response.ok_or_else(|| format!("the answer to `{}` is missing", question.id))?;
    let result: ElicitResult = serde_json::from_value(response)
        .map_err(|error| format!("the answer to `{}` is none ({error})", question.id))?;
    asked::answer(&question.content, result)
}

/// Asks a client of an earlier protocol while the call waits.
async fn ask(
    tool: &str,
    questions: &[Question],
    mut snapshot: Snapshot,
    context: &RequestContext<RoleServer>,
) -> Result<Snapshot, String> {
    for question in questions {
        let params = asked::params(&question.content).ok_or_else(|| nobody(tool, question))?;
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(params));
        let result = match context.peer.send_request(request).await {
            Ok(ClientResult::ElicitResult(result)) => result,
            Ok(_) => return Err("the client answers a question against the protocol".to_owned()),
            Err(error) => return Err(format!("the client cannot be asked: {error}")),
        };
        let answer = asked::answer(&question.content, result)?;
        snapshot.answer(&question.id, answer).map_err(|error| error.to_string())?;
    }
    Ok(snapshot)
}

/// The result: the text, what is beside it, and structured content if the text is an object, or the
/// tool has an output schema.
fn given(handler: &Handler, tool: &str, result: ToolResult) -> CallToolResult {
    let text = result.message.content;
    let structured = match (serde_json::from_str::<Json>(&text), handler.output(tool)) {
        (Ok(json @ Json::Object(_)), None) => Some(json),
        (Ok(json), Some(output)) => Some(output.structured(json)),
        // A text is a value, too, if the schema says so.
        (Err(_), Some(output)) => Some(output.structured(Json::String(text.clone()))),
        _ => None,
    };
    let images = result.message.images.into_iter().map(block::of_image);
    let attachments = result.message.attachments.into_iter().map(block::of_attachment);
    let text = [ContentBlock::text(text)].into_iter();
    let mut given = CallToolResult::success(text.chain(images).chain(attachments).collect());
    given.structured_content = structured;
    given
}

/// The output schema of a tool, for clients.
pub(super) struct Output {
    pub(super) schema: Json,
    /// Whether the value is the field `result` of an object, because the protocol wants an object.
    pub(super) wraps: bool,
}

impl Output {
    /// The schema of values with this schema.
    pub(super) fn new(schema: Json) -> Self {
        if schema["type"] == "object" {
            return Self { schema, wraps: false };
        }
        let mut schema = schema;
        let definitions = schema.as_object_mut().and_then(|schema| schema.remove("$defs"));
        let mut wrapped = json!({
            "type": "object",
            "properties": { "result": schema },
            "required": ["result"],
        });
        if let Some(definitions) = definitions {
            wrapped["$defs"] = definitions;
        }
        Self { schema: wrapped, wraps: true }
    }

    fn structured(&self, value: Json) -> Json {
        match self.wraps {
            true => json!({ "result": value }),
            false => value,
        }
    }
}
