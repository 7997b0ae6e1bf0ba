//! A meter of the usage of models in runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ddg_core::GraphAutoma;
use ddg_core::run::RunBuilder;

use super::{Cost, ModelCalled, NoPrice, Price, Usage};

/// Adds up the usage of models, by model, over all workers of a run at any depth. Clones share
/// their counts.
///
/// The meter counts [`ModelCalled`] messages. So a call counts as soon as it has been made, even if
/// its worker fails later and runs again. Calls that a resumed run made earlier, elsewhere, do not
/// count.
///
/// ```
/// use ddg_agentic::model::{ChatReply, ModelWorker, Price, ScriptedModel, Usage, UsageMeter};
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reply = ChatReply::text("Hello!").usage(Usage::new(1_200, 100));
/// let mut inner = GraphAutoma::new("inner");
/// let model = ScriptedModel::new().named("small").reply(reply);
/// inner.add_worker("ask", ModelWorker::new(model), start())?;
/// let mut automa = GraphAutoma::new("outer");
/// automa.add_worker("inner", inner, start())?;
///
/// let meter = UsageMeter::new();
/// meter.watch(&mut automa);
/// automa.run(args!("Hello?")).output::<()>().await?;
///
/// assert_eq!(meter.usage().total(), 1_300);
/// let prices = [("small", Price::new(0.5, 4.0).cached_input(0.1))];
/// assert_eq!(meter.cost(prices)?.to_string(), "0.0010");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct UsageMeter(Arc<Mutex<BTreeMap<String, Usage>>>);

impl UsageMeter {
    /// Creates a meter at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts all runs of `automa` from now on. Replaces an earlier meter.
    pub fn watch(&self, automa: &mut GraphAutoma) {
        let meter = self.clone();
        automa.on_post(move |called: ModelCalled, _| meter.count(called));
    }

    /// Counts one run. Replaces a meter that counts all runs of its automa.
    pub fn watch_run<T>(&self, run: RunBuilder<T>) -> RunBuilder<T> {
        let meter = self.clone();
        run.on_post(move |called: ModelCalled, _| meter.count(called))
    }

    /// Adds a call that was made outside of a run.
    pub fn count(&self, called: ModelCalled) {
        *self.lock().entry(called.model).or_default() += called.usage;
    }

    /// The usage of all models together.
    pub fn usage(&self) -> Usage {
        self.lock().values().copied().sum()
    }

    /// The usage of each model, sorted by name.
    pub fn by_model(&self) -> BTreeMap<String, Usage> {
        self.lock().clone()
    }

    /// The cost of all calls.
    ///
    /// # Errors
    /// If a model that was called has no price.
    pub fn cost<'a>(
        &self,
        prices: impl IntoIterator<Item = (&'a str, Price)>,
    ) -> Result<Cost, NoPrice> {
        let prices: BTreeMap<_, _> = prices.into_iter().collect();
        let (mut cost, mut models) = (Cost::default(), Vec::new());
        for (model, usage) in self.by_model() {
            match prices.get(model.as_str()) {
                Some(price) => cost += *price * usage,
                None => models.push(model),
            }
        }
        if models.is_empty() { Ok(cost) } else { Err(NoPrice { models }) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Usage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
