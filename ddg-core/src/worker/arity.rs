//! Functions of each number of parameters, with or without a state before them.

/// Calls `$functions` once for each number of parameters that functions may have: 0 to 12.
macro_rules! for_all_arities {
    ($functions:ident) => {
        for_all_arities! {
            $functions: [] (A, MA) (B, MB) (C, MC) (D, MD) (E, ME) (G, MG) (H, MH) (I, MI) (J, MJ)
            (K, MK) (L, ML) (N, MN)
        }
    };
    ($functions:ident: [$($param:tt)*]) => {
        $functions!($($param),*);
    };
    ($functions:ident: [$($param:tt)*] $next:tt $($rest:tt)*) => {
        $functions!($($param),*);
        for_all_arities!($functions: [$($param)* $next] $($rest)*);
    };
}

/// Implements `Callable` for `$Func`, which holds a function of the parameters `$P`, and before
/// them a reference to the `state: $S`, if there is one.
macro_rules! callables {
    ($Func:ident [$($S:ident: $state:ident)?] $(($P:ident, $M:ident)),*) => {
        impl<$($S,)? F, R, MR, $($P, $M),*> Callable for $Func<$($S,)? F, Async<(R, MR, $(($P, $M)),*)>>
        where
            $($S: Send + core::marker::Sync + 'static,)?
            R: IntoOutput<MR> + Send + 'static,
            MR: 'static,
            $($P: Parameter<$M>, $M: 'static,)*
            F: Send + core::marker::Sync + 'static,
            F: for<'a> AsyncCall<($(&'a $S,)? $($P::Given<'a>,)*), Output = R>,
        {
            fn signature(&self) -> Signature {
                signature(&[$($P::ty()),*], R::ty())
            }

            fn start(&self) -> Start {
                |callee, args, rooms, task| {
                    let mut arguments = Arguments::of(args);
                    $(let mut $P = match $P::hold(&mut arguments) {
                        Ok(held) => held,
                        Err(mismatch) => return Started::Ended((Err(mismatch.into()), None)),
                    };)*
                    let run = async move {
                        let Self { $($state,)? function, .. } = callee.worker();
                        let call = function.call_async(($($state,)? $($P::give(&mut $P, &callee),)*));
                        let output = call.await;
                        (output.into_output(), Some(callee))
                    };
                    begin(run, rooms, task)
                }
            }
        }

        impl<$($S,)? F, R, MR, $($P, $M),*> Callable for $Func<$($S,)? F, Sync<(R, MR, $(($P, $M)),*)>>
        where
            $($S: Send + core::marker::Sync + 'static,)?
            R: IntoOutput<MR> + 'static,
            MR: 'static,
            $($P: Parameter<$M>, $M: 'static,)*
            F: Send + core::marker::Sync + 'static,
            F: for<'a> SyncCall<($(&'a $S,)? $($P::Given<'a>,)*), Output = R>,
        {
            fn signature(&self) -> Signature {
                signature(&[$($P::ty()),*], R::ty())
            }

            fn start(&self) -> Start {
                |callee, args, _, _| {
                    let mut arguments = Arguments::of(args);
                    $(let mut $P = match $P::hold(&mut arguments) {
                        Ok(held) => held,
                        Err(mismatch) => return Started::Ended((Err(mismatch.into()), None)),
                    };)*
                    let placement = callee.body().calling.placement;
                    let run = move || {
                        let Self { $($state,)? function, .. } = callee.worker();
                        let output = function.call_sync(($($state,)? $($P::give(&mut $P, &callee),)*));
                        (output.into_output(), Some(callee))
                    };
                    match placement {
                        Placement::Inline => Started::Ended(run()),
                        Placement::Blocking => Started::Blocking(Box::new(run)),
                    }
                }
            }
        }
    };
}

pub(super) use {callables, for_all_arities};
