//! A dynamic directed graph engine: declare an automa of async workers, run it, and let it change
//! itself while it runs.
//!
//! Read in this order: [`GraphAutoma`] declares and runs; [`Context`] is what a running worker
//! sees and asks for; [`WorkerOptions`] says how a worker sits in the graph; [`Value`] is what
//! travels; [`Automa`] with `#[automa]` lets the compiler check the graph.
//!
//! At the root and in the [prelude] is what nearly every program needs. The rest has rooms: [`run`]
//! (what can be said of a run, and what it leaves behind), [`event`] (to watch it), [`feedback`] (to
//! talk to the program around it), [`checkpoint`] (to keep it in a store), [`snapshot`] (to keep it
//! anywhere else), [`graph`] and [`context`] (to look at graphs and to change them), [`args`](mod@args),
//! [`values`] and [`worker`](mod@worker) (what workers are given, give, and are), [`callback`], [`render`].
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

pub mod args;
mod automa;
pub mod callback;
#[doc(hidden)]
pub mod check;
pub mod checkpoint;
pub mod context;
mod durable;
mod engine;
mod error;
pub mod event;
pub mod feedback;
pub mod graph;
mod hint;
mod key;
mod local;
mod machine;
mod path;
pub mod printable;
pub mod render;
mod report;
pub mod run;
mod saved;
pub mod values;
pub mod worker;

/// The state of a run at rest: what is due next, what each worker waits for, outputs, local spaces.
pub mod snapshot {
    pub use crate::saved::{DeclarationDiff, Snapshot, SnapshotDelta, SnapshotError};
}

pub use automa::{Automa, GraphAutoma, TypedAutoma};
pub use context::Context;
#[cfg(feature = "macros")]
pub use ddg_macros::{automa, worker};
pub use key::Key;
pub use run::{Outcome, RunError};
pub use values::{Data, Value};
pub use worker::{Worker, WorkerError, WorkerOptions, after, free, start, with};

/// What nearly every user of the crate needs.
pub mod prelude {
    pub use crate::args::Args;
    pub use crate::callback::Callback;
    pub use crate::graph::BuildError;
    pub use crate::run::Pace;
    pub use crate::values::{ItemStream, Opaque};
    pub use crate::worker::{AnyWorker, Retry, Signature};
    pub use crate::{
        Automa, Context, GraphAutoma, Outcome, RunError, TypedAutoma, Value, Worker, WorkerError,
        WorkerOptions, after, args, free, start, with,
    };
    #[cfg(feature = "macros")]
    pub use ddg_macros::{automa, worker};
}

/// What the macros write; not for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::args::{AnyValue, Argument};
}

/// How errors are shown, for those of other crates of the workspace; not for people.
#[doc(hidden)]
pub mod __report {
    pub use crate::__debug_is_display as debug_is_display;
    pub use crate::report::{Told, debug};
}

/// What every store does alike, for those of other crates of the workspace; not for people.
#[doc(hidden)]
pub mod __store {
    #[cfg(feature = "sqlite")]
    pub use crate::checkpoint::SqliteFile;
    pub use crate::checkpoint::clock::{Clock, from_ms, millis, to_ms};
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub use crate::checkpoint::connection::{Connection, Connections, Write};
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
