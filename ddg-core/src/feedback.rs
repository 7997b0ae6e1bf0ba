//! Events that workers post to the program around the run, and what it replies.

mod handlers;
mod reply;
mod request;

use std::time::Duration;

pub(crate) use handlers::Handlers;
pub use handlers::Posted;
pub use reply::{ReplyError, ReplyTo};
pub(crate) use request::OpenRequests;

use crate::values::Data;

/// An event that wants a reply.
///
/// A worker [requests](crate::Context::request_feedback) it; the program around the run handles it
/// with [`GraphAutoma::on_request`](crate::GraphAutoma::on_request). The compiler sees to it that
/// both mean the same type of reply.
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
    note = "an event that wants no reply is posted with `post`"
)]
pub trait Request: Data {
    /// What the reply is.
    type Reply: Data;
}

/// A worker did not get the feedback that it asked for.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// Nobody handles such requests.
    #[error(
        "nobody handles `{event}`: register a handler with `on_request`, or with `on_any_post`, \
         on the automa that is run"
    )]
    NoHandler {
        /// The type of the request.
        event: String,
    },
    /// There was no reply in time.
    #[error("nobody replied to `{event}` within {after:?}")]
    TimedOut {
        /// The type of the request.
        event: String,
        /// The timeout.
        after: Duration,
    },
    /// The handler, and whoever it gave the [`ReplyTo`] to, let go of it.
    #[error(
        "the handler of `{event}` let go of the request without a reply: it dropped the `ReplyTo`, \
         or panicked"
    )]
    NotReplied {
        /// The type of the request.
        event: String,
    },
    /// The run has ended.
    #[error("the run ended before there was a reply to `{event}`")]
    RunEnded {
        /// The type of the request.
        event: String,
    },
    /// A timeout needs a clock.
    #[error("a timeout needs a tokio runtime: run the automa within one")]
    NoRuntime,
}

crate::__debug_is_display!(FeedbackError);
