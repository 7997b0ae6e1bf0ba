//! A dynamic directed graph engine: declare an automa of async workers, run it, and let it change
//! itself while it runs.
//!
//! Read in this order: [`GraphAutoma`] declares and runs; [`Context`] is what a running worker
//! sees and asks for; [`WorkerOptions`] says how a worker sits in the graph; [`Value`] is what
//! travels; [`Automa`] with `#[automa]` lets the compiler check the graph.
#![cfg_attr(
    feature = "macros",
    doc = r#"
```
use ddg_core::prelude::*;

struct Sum100;

#[automa]
impl Sum100 {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 { x }

    #[worker(dependencies = [start])]
    async fn accumulate(&self, x: i64, cx: &Context) {
        let sum = cx.local().update("sum", |sum: &mut i64| { *sum += x; *sum });
        if x < 100 { cx.ferry_to(Self::START, (x + 1,)) } else { cx.ferry_to(Self::END, (sum,)) }
    }

    #[worker(output)]
    async fn end(&self, x: i64) -> i64 { x }
}

# #[tokio::main(flavor = "current_thread")]
# async fn main() -> Result<(), RunError> {
assert_eq!(Sum100.run(args!(x = 0)).await?, 5050);
# Ok(())
# }
```
"#
)]

mod args;
pub mod callback;
#[doc(hidden)]
pub mod check;
pub mod checkpoint;
mod context;
pub mod event;
mod feedback;
mod graph;
mod key;
mod path;
mod render;
mod run;
mod snapshot;
mod values;
mod worker;

pub use args::{ArgError, Args, IntoArgs};
pub use callback::Callback;
pub use context::{AutomaView, Context, LocalSpace, NestedAutoma};
#[cfg(feature = "macros")]
pub use ddg_macros::{automa, worker};
pub use event::{
    Change, ChangeKind, Event, EventFilter, EventKind, EventStream, Missed, Scheduled, WorkerOutput,
};
pub use feedback::{FeedbackError, Posted, ReplyError, ReplyTo, Request};
pub use graph::{Automa, BuildError, Difference, EditError, Fault, GraphAutoma, TypedAutoma};
pub use key::Key;
pub use path::Path;
#[cfg(feature = "terminal")]
pub use render::TerminalView;
pub use render::{Drawing, History};
pub use run::{
    AnswerError, BindError, Cause, Failure, FailureKind, InteractionError, Kickoff, KickoffId,
    Outcome, Pace, Question, RunBuilder, RunError, RunHandle, StepError, Waiting,
};
pub use snapshot::{Changes, Snapshot, SnapshotError};
pub use values::{Data, ItemStream, Items, NotSerializable, Opaque, Type, TypeMismatch, Value};
pub use worker::{
    AnyWorker, BoxError, Declared, Failure as WorkerFailure, FerryTarget, IntoFunc, IntoOutput,
    IntoWorker, Panicked, Parameter, Retry, Signature, TimedOut, Worker, WorkerError,
    WorkerOptions, after, free, start,
};

/// What nearly every user of the crate needs.
pub mod prelude {
    pub use crate::{
        AnyWorker, Args, Automa, BuildError, Callback, Context, GraphAutoma, ItemStream, Opaque,
        Outcome, Pace, Retry, RunError, Signature, TypedAutoma, Value, Worker, WorkerError,
        WorkerOptions, after, args, free, start,
    };
    #[cfg(feature = "macros")]
    pub use crate::{automa, worker};
}

/// What the macros write; not for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::args::{AnyValue, Argument};
}

/// What every store does alike, for those of other crates of the workspace; not for people.
#[doc(hidden)]
pub mod __store {
    pub use crate::checkpoint::clock::{Clock, from_ms, millis, to_ms};
    #[cfg(feature = "sqlite")]
    pub use crate::checkpoint::open_sqlite;
}

/// The programs of the guide, compiled and run.
#[cfg(all(doctest, feature = "macros"))]
mod pages {
    #[doc = include_str!("../../docs/guide.md")]
    struct Guide;

    /// What the compiler refuses with a message that names a closure by its path, which is why it is
    /// not among the UI tests of the macros: the text differs with the length of the path.
    ///
    /// An output that cannot travel:
    ///
    /// ```compile_fail,E0277
    /// use ddg_core::prelude::*;
    ///
    /// struct Agent;
    /// struct Socket;
    ///
    /// #[automa]
    /// impl Agent {
    ///     #[worker(start)]
    ///     async fn open(&self) -> Socket { Socket }
    /// }
    /// ```
    ///
    /// A parameter that cannot travel:
    ///
    /// ```compile_fail,E0277
    /// use ddg_core::prelude::*;
    ///
    /// struct Agent;
    /// struct Socket;
    ///
    /// #[automa]
    /// impl Agent {
    ///     #[worker(start)]
    ///     async fn close(&self, _socket: Socket) {}
    /// }
    /// ```
    ///
    /// An automa that cannot be shared between threads:
    ///
    /// ```compile_fail,E0277
    /// use ddg_core::prelude::*;
    ///
    /// struct Agent { count: std::cell::Cell<u32> }
    ///
    /// #[automa]
    /// impl Agent {
    ///     #[worker(start)]
    ///     async fn count(&self) -> u32 { self.count.get() }
    /// }
    /// ```
    struct Refused;
}
