//! Declarations that are valid and may do something else than they seem to.

use std::fmt::{self, Write};

use crate::printable::Printable;

/// A declaration that is valid and may do something else than it seems to.
///
/// [`GraphAutoma::validate`](crate::GraphAutoma::validate) returns all of an automa. They are also
/// logged with `tracing`, as warnings, when an automa runs for the first time.
///
/// ```
/// use ddg_core::prelude::*;
///
/// let mut inner = GraphAutoma::new("inner");
/// inner.add_func_as_worker("again", async |cx: Context| cx.ferry_to("again", ()), start())?;
/// let mut outer = GraphAutoma::new("outer");
/// outer.add_worker("inner", inner.clone(), start())?;
/// outer.set_max_steps(10);
/// assert_eq!(
///     outer.validate()?[0].to_string(),
///     "automa `outer`: `set_max_steps(10)` does not limit the automa `inner` in worker `inner`, \
///      which counts its own steps: limit the run with `max_total_steps`, or that automa with \
///      `set_max_steps`",
/// );
///
/// inner.set_max_steps(100);
/// let mut outer = GraphAutoma::new("outer");
/// outer.add_worker("inner", inner, start())?;
/// outer.set_max_steps(10);
/// assert!(outer.validate()?.is_empty());
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lint {
    /// The automa limits its steps, but not those of an automa nested in it, which may ferry, and
    /// so run without end. If that is what is wanted, the nested automa says so with
    /// `set_max_steps(u64::MAX)`.
    UnlimitedNested {
        /// The name of the automa.
        automa: String,
        /// Its limit.
        max_steps: u64,
        /// The key of its worker.
        worker: String,
        /// The name of the automa without a limit, which is that worker or nested in it.
        unlimited: String,
    },
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnlimitedNested { automa, max_steps, worker, unlimited } => write!(
                Printable::line(f),
                "automa `{automa}`: `set_max_steps({max_steps})` does not limit the automa \
                 `{unlimited}` in worker `{worker}`, which counts its own steps: limit the run with \
                 `max_total_steps`, or that automa with `set_max_steps`"
            ),
        }
    }
}
