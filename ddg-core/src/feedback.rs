//! Messages that workers post to the program around the run, and its replies.

mod handlers;
mod reply;
mod request;

use std::time::Duration;

pub(crate) use handlers::Handlers;
pub use handlers::Posted;
pub use reply::{ReplyError, ReplyTo};
pub(crate) use request::OpenRequests;

use crate::printable::shown;
use crate::values::Data;

/// A message that expects a reply.
///
/// A worker sends it with [`request_feedback`](crate::Context::request_feedback); the program
/// handles it with [`GraphAutoma::on_request`](crate::GraphAutoma::on_request). The compiler checks
/// that both agree on the type of the reply.
///
/// ```
/// use std::time::Duration;
/// use ddg_core::prelude::*;
/// use ddg_core::feedback::{ReplyTo, Request};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Approve { amount: u32 }
///
/// impl Request for Approve {
///     type Reply = bool;
/// }
///
/// async fn pay(amount: u32, cx: Context) -> Result<String, WorkerError> {
///     let approved = cx.request_feedback(Approve { amount }, Duration::from_secs(60)).await?;
///     Ok(if approved { "paid" } else { "refused" }.to_owned())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("pay");
/// automa.add_func_as_worker("pay", pay, start().output())?;
/// automa.on_request(|asked: Approve, reply: ReplyTo<bool>| {
///     // Any task or thread may reply, now or later.
///     tokio::spawn(async move { reply.send(asked.amount < 100) });
/// });
/// assert_eq!(automa.run(args!(7)).output::<String>().await?, "paid");
/// assert_eq!(automa.run(args!(700)).output::<String>().await?, "refused");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    note = "say what its reply is: `impl Request for {Self} {{ type Reply = bool; }}`",
    note = "an event that needs no reply is posted with `post`"
)]
pub trait Request: Data {
    /// The type of the reply.
    type Reply: Data;
}

/// A worker did not get the reply that it asked for.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// There is no handler for such requests.
    #[error(
        "nobody handles `{event}`: register a handler with `on_request`, or with `on_any_post`, \
         on the automa that is run",
        event = shown(.event)
    )]
    NoHandler {
        /// The type of the request.
        event: String,
    },
    /// The timeout passed without a reply.
    #[error("nobody replied to `{event}` within {after:?}", event = shown(.event))]
    TimedOut {
        /// The type of the request.
        event: String,
        /// The timeout.
        after: Duration,
    },
    /// The handler dropped the [`ReplyTo`] and all its clones without a reply.
    #[error(
        "the handler of `{event}` did not reply: it dropped the `ReplyTo`, or panicked",
        event = shown(.event)
    )]
    NotReplied {
        /// The type of the request.
        event: String,
    },
    /// The run has ended.
    #[error("the run ended before there was a reply to `{event}`", event = shown(.event))]
    RunEnded {
        /// The type of the request.
        event: String,
    },
    /// A timeout needs the clock of a tokio runtime.
    #[error("a timeout needs a tokio runtime: run the automa within one")]
    NoRuntime,
}

crate::__debug_is_display!(FeedbackError);
