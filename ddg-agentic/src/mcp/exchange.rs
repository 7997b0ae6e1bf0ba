//! One request to a server, from being sent to its answer.

use std::time::Duration;

use ddg_core::WorkerError;
use rmcp::RoleClient;
use rmcp::model::{
    CancelledNotificationParam, ClientRequest, ElicitResult, RequestId, RequestMetaObject,
    ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, ServiceError};
use tokio::time::{Instant, sleep_until};

use super::McpError;
use super::calls::{Call, Heard};
use super::connection::Connection;
use super::live::{Live, causes, is_closed, unauthorised};
use super::log::{McpLog, McpProgress};
use super::question::{McpQuestion, declined};

/// How long a request may take in all, however often its server reports progress.
const LONGEST: u32 = 30;

/// A request that waits for its answer. If it is dropped, the server is told that it is cancelled.
struct Waiting {
    peer: Peer<RoleClient>,
    /// `None` when the answer has come.
    id: Option<RequestId>,
}

/// What hears what a server says while it works on a request.
pub(super) trait Hears: Send {
    /// A failure that ends the request: the run pauses, for example.
    type Stop: Send;

    /// Whether it hears anything.
    const HEARS: bool = true;

    fn progress(&mut self, progress: McpProgress);

    fn log(&mut self, log: McpLog);

    /// Answers a question to a person.
    fn question(&mut self, question: McpQuestion) -> Result<ElicitResult, Self::Stop>;
}

/// Hears nothing.
struct Deaf;

/// Why a request has no answer.
pub(super) enum NoAnswer<S> {
    Failed(McpError),
    Stopped(S),
}

impl NoAnswer<WorkerError> {
    /// The error for a worker. What a program wrote to its stderr is for its people, and not for a
    /// model.
    pub(super) fn into_worker_error(self) -> WorkerError {
        match self {
            Self::Failed(error) => error.without_stderr().into(),
            Self::Stopped(pause) => pause,
        }
    }
}

impl<S> From<McpError> for NoAnswer<S> {
    fn from(error: McpError) -> Self {
        Self::Failed(error)
    }
}

impl Connection {
    /// Sends a request, and waits for its answer for as long as the settings say.
    ///
    /// # Cancel safety
    /// If the future is dropped, the server is told that the request is cancelled.
    pub(super) async fn request(
        &self,
        request: &str,
        asked: ClientRequest,
    ) -> Result<ServerResult, McpError> {
        match self.exchange(request, asked, &mut Deaf).await {
            Ok(answer) => Ok(answer),
            Err(NoAnswer::Failed(error)) => Err(error),
            Err(NoAnswer::Stopped(never)) => match never {},
        }
    }

    /// As [`request`](Self::request); `hears` is told what the server says meanwhile. Each report
    /// of progress grants the request its time anew, up to 30 times in all.
    pub(super) async fn exchange<H: Hears>(
        &self,
        request: &str,
        asked: ClientRequest,
        hears: &mut H,
    ) -> Result<ServerResult, NoAnswer<H::Stop>> {
        let live = self.live().await?;
        let after = self.settings.timeout;
        let began = Instant::now();
        let mut until = began + after;
        let late = |after: Duration| McpError::TimedOut {
            server: self.settings.name.clone(),
            request: request.to_owned(),
            after,
        };
        let mut asking = self.listener.asks();
        let sent = live.peer.send_request_with_option(asked, self.options(&live));
        let sent = tokio::select! {
            sent = sent => sent,
            () = sleep_until(until) => return Err(late(after).into()),
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(error) => return Err(self.failure(request, error, &live).await.into()),
        };
        let mut waiting = Waiting { peer: live.peer.clone(), id: Some(sent.id.clone()) };
        let token = sent.progress_token.clone();
        let mut call = H::HEARS.then(|| self.listener.calls().begin(token));
        let mut longest = after;
        let mut answer = std::pin::pin!(sent.await_response());
        let answer = loop {
            tokio::select! {
                biased;
                heard = heard_of(&mut call) => {
                    hear(heard, hears).map_err(NoAnswer::Stopped)?;
                    longest = after * LONGEST;
                    until = (Instant::now() + after).min(began + longest);
                }
                answer = &mut answer => break answer,
                () = asking.is_too_large() => {
                    let message = "one of its messages is larger than 16 MiB, which is not read; \
                                   let the tool give less at once";
                    return Err(self.malformed(request, message.to_owned()).into());
                }
                () = sleep_until(until) => match self.listener.is_answering() {
                    // The server waits for a person, who takes what time it takes.
                    true => until = Instant::now() + after,
                    false => return Err(late(longest).into()),
                },
            }
        };
        waiting.id = None;
        // What was said before the answer is heard before it.
        while let Some(heard) = call.as_mut().and_then(Call::heard_already) {
            hear(heard, hears).map_err(NoAnswer::Stopped)?;
        }
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.failure(request, error, &live).await.into()),
        }
    }

    /// Servers of the newest protocol are told with each request what to log.
    fn options(&self, live: &Live) -> PeerRequestOptions {
        let options = PeerRequestOptions::no_options();
        match self.listener.offers().log_level {
            Some(level) if live.is_newest() => {
                let mut meta = RequestMetaObject::default();
                meta.set_log_level(level.for_server());
                options.with_meta(meta)
            }
            _ => options,
        }
    }

    /// The error for the program, whose requests pause no run.
    pub(super) fn for_program(&self, no_answer: NoAnswer<WorkerError>) -> McpError {
        match no_answer {
            NoAnswer::Failed(error) => error,
            NoAnswer::Stopped(error) => self.malformed("a question", error.to_string()),
        }
    }

    pub(super) async fn failure(
        &self,
        request: &str,
        error: ServiceError,
        live: &Live,
    ) -> McpError {
        let server = self.settings.name.clone();
        let secrets = self.listener.secrets();
        let reason = match error {
            ServiceError::McpError(error) => {
                let message = secrets.shown(error.message.into_owned());
                return McpError::Refused { server, request: request.to_owned(), message };
            }
            ServiceError::TransportClosed => "the connection has ended".to_owned(),
            ServiceError::TransportSend(error) if unauthorised(&error).is_some() => {
                let message = unauthorised(&error).unwrap_or_default().to_owned();
                return McpError::Unauthorised { server, message };
            }
            ServiceError::TransportSend(error) if is_closed(&error) => {
                "the connection has ended".to_owned()
            }
            ServiceError::TransportSend(error) => secrets.shown(causes(&*error.error)),
            other => return self.malformed(request, secrets.shown(other.to_string())),
        };
        McpError::Gone { server, reason, stderr: live.last_words(&self.listener).await }
    }
}

async fn heard_of(call: &mut Option<Call>) -> Heard {
    match call {
        Some(call) => call.heard().await,
        None => std::future::pending().await,
    }
}

fn hear<H: Hears>(heard: Heard, hears: &mut H) -> Result<(), H::Stop> {
    match heard {
        Heard::Progress(progress) => hears.progress(progress),
        Heard::Log(log) => hears.log(log),
        Heard::Question(question, reply) => {
            // An error means that the server has ended.
            let _gone = reply.send(hears.question(question)?);
        }
    }
    Ok(())
}

impl Hears for Deaf {
    type Stop = std::convert::Infallible;

    const HEARS: bool = false;

    fn progress(&mut self, _: McpProgress) {}

    fn log(&mut self, _: McpLog) {}

    fn question(&mut self, _: McpQuestion) -> Result<ElicitResult, Self::Stop> {
        Ok(declined("nobody can be asked outside of a tool call"))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let peer = self.peer.clone();
        runtime.spawn(async move {
            // An error means that the connection has ended, and the request with it.
            let _told =
                peer.notify_cancelled(CancelledNotificationParam::new(Some(id), None)).await;
        });
    }
}
