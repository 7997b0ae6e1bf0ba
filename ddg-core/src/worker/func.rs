//! Functions and closures as workers.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use super::any::begin;
use super::arity::{callables, for_all_arities};
use super::param::Arguments;
use super::{
    AnyWorker, Callable, IntoFunc, IntoOutput, Parameter, Placement, Signature, Start, Started,
};
use crate::graph::Param;
use crate::values::ValueType;

/// Marks an async function.
#[doc(hidden)]
pub struct Async<M>(PhantomData<M>);

/// Marks a synchronous function.
#[doc(hidden)]
pub struct Sync<M>(PhantomData<M>);

/// A function as a worker. `M` says which kind it is, and how each parameter is taken.
struct Func<F, M> {
    function: F,
    kind: PhantomData<fn() -> M>,
}

impl<F, M> Func<F, M> {
    fn any(function: F) -> AnyWorker
    where
        Self: Callable,
    {
        AnyWorker(Arc::new(Self { function, kind: PhantomData }))
    }
}

/// An async function whose future may borrow its parameters. The bound
/// `F: for<'a> AsyncCall<(&'a T,), Output = R>` expresses what
/// `F: for<'a> Fn(&'a T) -> impl Future` cannot.
#[doc(hidden)]
pub trait AsyncCall<A> {
    /// The future of a call.
    type Future: Future<Output = Self::Output> + Send;
    /// The output of the future.
    type Output;

    /// Calls the function.
    fn call_async(&self, arguments: A) -> Self::Future;
}

/// A synchronous function, as [`AsyncCall`] is for async ones.
#[doc(hidden)]
pub trait SyncCall<A> {
    /// The output of a call.
    type Output;

    /// Calls the function.
    fn call_sync(&self, arguments: A) -> Self::Output;
}

pub(super) fn signature(params: &[Option<ValueType>], output: Option<ValueType>) -> Signature {
    Signature {
        params: params.iter().flatten().map(|ty| Param::unnamed(*ty)).collect(),
        output,
        context: params.iter().any(Option::is_none),
        ..Signature::default()
    }
}

macro_rules! calls {
    ($($P:ident),*) => {
        #[allow(non_snake_case, reason = "one body for 0 to 13 parameters")]
        const _: () = {
            impl<F, Fut, $($P),*> AsyncCall<($($P,)*)> for F
            where
                F: Fn($($P),*) -> Fut,
                Fut: Future + Send,
            {
                type Future = Fut;
                type Output = Fut::Output;

                fn call_async(&self, ($($P,)*): ($($P,)*)) -> Fut {
                    self($($P),*)
                }
            }

            impl<F, R, $($P),*> SyncCall<($($P,)*)> for F
            where
                F: Fn($($P),*) -> R,
            {
                type Output = R;

                fn call_sync(&self, ($($P,)*): ($($P,)*)) -> R {
                    self($($P),*)
                }
            }
        };
    };
}

calls!();
calls!(A);
calls!(A, B);
calls!(A, B, C);
calls!(A, B, C, D);
calls!(A, B, C, D, E);
calls!(A, B, C, D, E, G);
calls!(A, B, C, D, E, G, H);
calls!(A, B, C, D, E, G, H, I);
calls!(A, B, C, D, E, G, H, I, J);
calls!(A, B, C, D, E, G, H, I, J, K);
calls!(A, B, C, D, E, G, H, I, J, K, L);
calls!(A, B, C, D, E, G, H, I, J, K, L, N);
calls!(A, B, C, D, E, G, H, I, J, K, L, N, O);

macro_rules! functions {
    ($(($P:ident, $M:ident)),*) => {
        #[allow(non_snake_case, unused_variables, unused_mut, reason = "one body for 0 to 12 parameters")]
        const _: () = {
            impl<F, R, MR, $($P, $M),*> IntoFunc<Async<(R, MR, $(($P, $M)),*)>> for F
            where
                Func<F, Async<(R, MR, $(($P, $M)),*)>>: Callable,
                R: IntoOutput<MR>,
                $($P: Parameter<$M>,)*
                F: AsyncCall<($($P,)*)>,
                F: for<'a> AsyncCall<($($P::Given<'a>,)*), Output = R>,
            {
                type Made = AnyWorker;

                fn into_func(self) -> AnyWorker {
                    Func::<F, Async<(R, MR, $(($P, $M)),*)>>::any(self)
                }
            }

            impl<F, R, MR, $($P, $M),*> IntoFunc<Sync<(R, MR, $(($P, $M)),*)>> for F
            where
                Func<F, Sync<(R, MR, $(($P, $M)),*)>>: Callable,
                R: IntoOutput<MR>,
                $($P: Parameter<$M>,)*
                F: SyncCall<($($P,)*)>,
                F: for<'a> SyncCall<($($P::Given<'a>,)*), Output = R>,
            {
                type Made = AnyWorker;

                fn into_func(self) -> AnyWorker {
                    Func::<F, Sync<(R, MR, $(($P, $M)),*)>>::any(self)
                }
            }

            callables!(Func [] $(($P, $M)),*);
        };
    };
}

for_all_arities!(functions);
