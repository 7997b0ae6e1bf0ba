//! Functions and closures as workers.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use super::any::begin;
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

            impl<F, R, MR, $($P, $M),*> Callable for Func<F, Async<(R, MR, $(($P, $M)),*)>>
            where
                R: IntoOutput<MR> + Send + 'static,
                MR: 'static,
                $($P: Parameter<$M>, $M: 'static,)*
                F: Send + core::marker::Sync + 'static,
                F: for<'a> AsyncCall<($($P::Given<'a>,)*), Output = R>,
            {
                fn signature(&self) -> Signature {
                    signature(&[$($P::ty()),*], R::ty())
                }

                fn start(&self) -> Start {
                    |callee, args, task| {
                        let mut arguments = Arguments::of(args);
                        $(let mut $P = match $P::hold(&mut arguments) {
                            Ok(held) => held,
                            Err(mismatch) => return Started::Ended((Err(mismatch.into()), None)),
                        };)*
                        let run = async move {
                            let Self { function, .. } = callee.worker();
                            let call = function.call_async(($($P::give(&mut $P, &callee),)*));
                            let output = call.await;
                            (output.into_output(), callee.into_context())
                        };
                        begin(run, task)
                    }
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

            impl<F, R, MR, $($P, $M),*> Callable for Func<F, Sync<(R, MR, $(($P, $M)),*)>>
            where
                R: IntoOutput<MR> + 'static,
                MR: 'static,
                $($P: Parameter<$M>, $M: 'static,)*
                F: Send + core::marker::Sync + 'static,
                F: for<'a> SyncCall<($($P::Given<'a>,)*), Output = R>,
            {
                fn signature(&self) -> Signature {
                    signature(&[$($P::ty()),*], R::ty())
                }

                fn start(&self) -> Start {
                    |callee, args, _| {
                        let mut arguments = Arguments::of(args);
                        $(let mut $P = match $P::hold(&mut arguments) {
                            Ok(held) => held,
                            Err(mismatch) => return Started::Ended((Err(mismatch.into()), None)),
                        };)*
                        let placement = callee.body().calling.placement;
                        let run = move || {
                            let Self { function, .. } = callee.worker();
                            let output = function.call_sync(($($P::give(&mut $P, &callee),)*));
                            (output.into_output(), callee.into_context())
                        };
                        match placement {
                            Placement::Inline => Started::Ended(run()),
                            Placement::Blocking => Started::Blocking(Box::new(run)),
                        }
                    }
                }
            }
        };
    };
}

/// Calls `$functions` with as many parameters as functions may have: 0 to 12.
macro_rules! for_all_arities {
    ($functions:ident) => {
        $functions!();
        $functions!((A, MA));
        $functions!((A, MA), (B, MB));
        $functions!((A, MA), (B, MB), (C, MC));
        $functions!((A, MA), (B, MB), (C, MC), (D, MD));
        $functions!((A, MA), (B, MB), (C, MC), (D, MD), (E, ME));
        $functions!((A, MA), (B, MB), (C, MC), (D, MD), (E, ME), (G, MG));
        $functions!((A, MA), (B, MB), (C, MC), (D, MD), (E, ME), (G, MG), (H, MH));
        $functions!((A, MA), (B, MB), (C, MC), (D, MD), (E, ME), (G, MG), (H, MH), (I, MI));
        $functions!(
            (A, MA),
            (B, MB),
            (C, MC),
            (D, MD),
            (E, ME),
            (G, MG),
            (H, MH),
            (I, MI),
            (J, MJ)
        );
        $functions!(
            (A, MA),
            (B, MB),
            (C, MC),
            (D, MD),
            (E, ME),
            (G, MG),
            (H, MH),
            (I, MI),
            (J, MJ),
            (K, MK)
        );
        $functions!(
            (A, MA),
            (B, MB),
            (C, MC),
            (D, MD),
            (E, ME),
            (G, MG),
            (H, MH),
            (I, MI),
            (J, MJ),
            (K, MK),
            (L, ML)
        );
        $functions!(
            (A, MA),
            (B, MB),
            (C, MC),
            (D, MD),
            (E, ME),
            (G, MG),
            (H, MH),
            (I, MI),
            (J, MJ),
            (K, MK),
            (L, ML),
            (N, MN)
        );
    };
}

pub(super) use for_all_arities;

for_all_arities!(functions);
