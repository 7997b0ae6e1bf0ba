//! A dynamic directed graph engine: declare an automa of async workers, run it, and let it change
//! its graph while it runs.
//!
//! Read in this order: [`GraphAutoma`] declares workers and runs them; [`Context`] is a running
//! worker's view of its run; [`WorkerOptions`] place a worker in the graph; [`Value`] travels
//! between workers; [`Automa`] with `#[automa]` lets the compiler check the graph.
//!
//! The root and the [prelude] have what nearly every program needs. The modules have the rest:
//! [`run`] (options and results of a run), [`event`] (subscribe to it), [`feedback`] (talk to the
//! program around it), [`checkpoint`] (keep it in a store), [`snapshot`] (keep it anywhere else),
//! [`graph`] and [`context`] (inspect and edit graphs), [`args`](mod@args), [`values`] and
//! [`worker`](mod@worker) (what workers take, give, and are), [`callback`] (hooks), and [`render`]
//! (drawings).
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `macros` (on by default) | `#[automa]` and `#[worker]` |
//! | `sqlite` | a store in a file; compiles SQLite |
//! | `postgres` | a store on a PostgreSQL server |
//! | `terminal` | a view of a run in the terminal |
//!
//! # Public dependencies
//!
//! Types and traits of these crates are in the API, so a new major version of one of them is a new
//! major version of this crate: `serde` 1, `serde_json` 1 ([`Value`] and JSON), `futures` 0.3
//! (`Stream` and `BoxFuture`), and with `terminal` `console` 0.16. Runs need tokio 1.
//!
//! # Example
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
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod args;
mod automa;
pub mod callback;
#[doc(hidden)]
pub mod check;
pub mod checkpoint;
mod clock;
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

/// Snapshots: the saved state of a run.
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

/// The items that nearly every program needs.
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

/// Items for the code that the macros generate. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::args::{AnyValue, Argument};
}

/// How errors are displayed, for other crates of this workspace. Not part of the public API.
#[doc(hidden)]
pub mod __report {
    pub use crate::__debug_is_display as debug_is_display;
    pub use crate::printable::{shown, shown_lines};
    pub use crate::report::{Told, debug};
}

/// What all stores share, for other crates of this workspace. Not part of the public API.
#[doc(hidden)]
pub mod __store {
    pub use crate::checkpoint::Arrival;
    #[cfg(feature = "postgres")]
    pub use crate::checkpoint::PostgresServer;
    #[cfg(feature = "sqlite")]
    pub use crate::checkpoint::SqliteFile;
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub use crate::checkpoint::connection::{Connection, Connections, Write};
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub use crate::checkpoint::dialect::{Arg, Deed, Dialect, Row, Transaction, Transacts};
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub use crate::checkpoint::failed::{Failed, cause};
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub use crate::checkpoint::migrate::migrate;
    #[cfg(feature = "postgres")]
    pub use crate::checkpoint::nul;
    pub use crate::clock::{Clock, from_ms, millis, to_ms};
}

#[cfg(all(doctest, feature = "macros"))]
mod pages {
    /// Programs that the compiler refuses with a message that names a closure by its path. They are
    /// not among the UI tests of the macros because the text depends on the length of the path.
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
