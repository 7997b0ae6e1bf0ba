//! What runs get that workers begin by themselves.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::RunCore;
use crate::automa::Attachments;
use crate::run::ActiveRun;

tokio::task_local! {
    /// The scope of the code that is running.
    static CURRENT: RunScope;
}

/// What a run gets that is begun by code which does not know of it, such as a function that a
/// worker calls.
///
/// A run that is created in a scope, by `run` or `resume` of any automa, has the attachments of the
/// scope. They replace attachments of the same type that its automa has. Its workers are in the
/// scope, too. So the attachments reach all runs that one run leads to, however deep. The scope is
/// taken when the run is created: it may be begun elsewhere. A task that is spawned in a scope is
/// not in it; take the scope there with [`current`](Self::current).
///
/// [`GraphAutoma::run_scope`](crate::GraphAutoma::run_scope) sets the scope of the workers of an
/// automa.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::run::RunScope;
///
/// struct Who(&'static str);
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let who = async |cx: Context| cx.attached::<Who>().map(|who| who.0.to_owned());
/// let mut inner = GraphAutoma::new("inner");
/// inner.add_func_as_worker("who", who, start().output())?;
///
/// // It knows nothing of scopes.
/// let function = async || inner.run(()).output::<Option<String>>().await;
///
/// assert_eq!(function().await?, None);
/// let scope = RunScope::new().attach(|_| Who("ada"));
/// assert_eq!(scope.enter(function()).await?, Some("ada".to_owned()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct RunScope(Attachments);

impl RunScope {
    /// Creates a scope without attachments. Runs that are created in it are independent of the
    /// scope around it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The scope of the code that is running.
    pub fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }

    /// Attaches a value to each run that is created in the scope, as
    /// [`GraphAutoma::attach`](crate::GraphAutoma::attach) does for all runs of an automa.
    #[must_use]
    pub fn attach<T: Send + Sync + 'static>(
        mut self,
        make: impl Fn(&ActiveRun) -> T + Send + Sync + 'static,
    ) -> Self {
        self.0.add(make);
        self
    }

    /// Polls a future in the scope.
    pub fn enter<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.clone(), future)
    }

    /// Calls a function in the scope.
    pub fn in_scope<R>(&self, function: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self.clone(), function)
    }

    /// The scope of the code that is running, unless it attaches nothing.
    pub(crate) fn here() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok().filter(|scope| !scope.0.is_empty())
    }

    pub(crate) fn attachments(&self) -> &Attachments {
        &self.0
    }
}

impl RunCore {
    /// The scope of the workers of the run: that of its automa, that in which the run was created,
    /// or that of the run around it.
    pub(super) fn scope(self: &Arc<Self>) -> Option<RunScope> {
        match &self.program.settings.scope {
            Some(make) => Some(make(&ActiveRun::new(Arc::clone(self)))),
            None => self.scope.clone().or_else(|| self.around_it()?.scope()),
        }
    }
}

impl fmt::Debug for RunScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunScope")
    }
}
