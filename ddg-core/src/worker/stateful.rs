//! Functions with state as workers.

use std::marker::PhantomData;
use std::sync::Arc;

use super::any::begin;
use super::arity::{callables, for_all_arities};
use super::func::{Async, AsyncCall, Sync, SyncCall, signature};
use super::param::Arguments;
use super::{
    AnyWorker, Callable, IntoFunc, IntoOutput, Parameter, Placement, Signature, Start, Started,
};

/// A function with a state as its first argument, created by [`with`].
#[derive(Clone, Debug)]
pub struct With<S, F> {
    state: S,
    function: F,
}

/// Creates a worker from a function or closure that takes `state` by reference as its first
/// argument. The state replaces captured variables.
///
/// All kickoffs and all runs share the state. It is part of the declaration, and is not saved. Data
/// of one run belongs in its [local space](crate::Context::local).
///
/// ```
/// use std::collections::BTreeMap;
/// use ddg_core::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let prices = BTreeMap::from([("tea", 3), ("cake", 5)]);
/// let price = async |prices: &BTreeMap<&str, i64>, item: String, n: i64| {
///     prices.get(&*item).map(|price| price * n).ok_or_else(|| WorkerError::msg("not for sale"))
/// };
/// let mut automa = GraphAutoma::new("shop");
/// automa.add_func_as_worker("price", with(prices, price), start().output())?;
/// assert_eq!(automa.run(args!("tea", 2)).output::<i64>().await?, 6);
/// # Ok(())
/// # }
/// ```
pub fn with<S, F>(state: S, function: F) -> With<S, F> {
    With { state, function }
}

/// Marks a function with a state of the kind `M`.
#[doc(hidden)]
pub struct Stateful<M>(PhantomData<M>);

/// A function with its state as a worker. `M` is its kind, and the kinds of its parameters.
struct StatefulFunc<S, F, M> {
    state: S,
    function: F,
    kind: PhantomData<fn() -> M>,
}

impl<S, F> With<S, F> {
    fn any<M>(self) -> AnyWorker
    where
        StatefulFunc<S, F, M>: Callable,
    {
        let Self { state, function } = self;
        AnyWorker(Arc::new(StatefulFunc { state, function, kind: PhantomData }))
    }
}

/// The compiler infers the parameters from the function. Separate from [`AsyncCall`], because two
/// bounds on it would be ambiguous for a function without parameters.
#[doc(hidden)]
pub trait TakesAsync<A> {}

impl<F: AsyncCall<A>, A> TakesAsync<A> for F {}

/// The counterpart of [`TakesAsync`] for synchronous functions.
#[doc(hidden)]
pub trait TakesSync<A> {}

impl<F: SyncCall<A>, A> TakesSync<A> for F {}

macro_rules! functions {
    ($(($P:ident, $M:ident)),*) => {
        #[allow(non_snake_case, unused_variables, unused_mut, reason = "one body for 0 to 12 parameters")]
        const _: () = {
            #[diagnostic::do_not_recommend]
            impl<S, F, R, MR, $($P, $M),*> IntoFunc<Stateful<Async<(R, MR, $(($P, $M)),*)>>> for With<S, F>
            where
                StatefulFunc<S, F, Async<(R, MR, $(($P, $M)),*)>>: Callable,
                S: 'static,
                R: IntoOutput<MR>,
                $($P: Parameter<$M>,)*
                F: TakesAsync<(&'static S, $($P,)*)>,
                F: for<'a> AsyncCall<(&'a S, $($P::Given<'a>,)*), Output = R>,
            {
                type Made = AnyWorker;

                fn into_func(self) -> AnyWorker {
                    self.any::<Async<(R, MR, $(($P, $M)),*)>>()
                }
            }

            #[diagnostic::do_not_recommend]
            impl<S, F, R, MR, $($P, $M),*> IntoFunc<Stateful<Sync<(R, MR, $(($P, $M)),*)>>> for With<S, F>
            where
                StatefulFunc<S, F, Sync<(R, MR, $(($P, $M)),*)>>: Callable,
                S: 'static,
                R: IntoOutput<MR>,
                $($P: Parameter<$M>,)*
                F: TakesSync<(&'static S, $($P,)*)>,
                F: for<'a> SyncCall<(&'a S, $($P::Given<'a>,)*), Output = R>,
            {
                type Made = AnyWorker;

                fn into_func(self) -> AnyWorker {
                    self.any::<Sync<(R, MR, $(($P, $M)),*)>>()
                }
            }

            callables!(StatefulFunc [S: state] $(($P, $M)),*);
        };
    };
}

for_all_arities!(functions);
