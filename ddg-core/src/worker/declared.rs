//! References to workers that the compiler knows: a key with the types of the parameters.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::args::{Args, IntoArgs};
use crate::key::Key;
use crate::values::Data;

/// A typed key. `#[worker]` generates one for each method: `Self::START` for `fn start`.
///
/// `F` is the function type `fn(A, B) -> Output` of the worker's parameters without the injected
/// ones. The compiler checks the arguments of a ferry to it.
///
/// ```
/// use ddg_core::worker::WorkerRef;
///
/// const START: WorkerRef<fn(i64) -> i64> = WorkerRef::new("start");
/// assert_eq!(START.key(), "start");
/// ```
pub struct WorkerRef<F> {
    key: &'static str,
    function: PhantomData<fn() -> F>,
}

impl<F> WorkerRef<F> {
    /// The worker `key`.
    pub const fn new(key: &'static str) -> Self {
        Self { key, function: PhantomData }
    }

    /// The key of the worker.
    pub const fn key(self) -> &'static str {
        self.key
    }
}

impl<F> Clone for WorkerRef<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for WorkerRef<F> {}

impl<F> fmt::Debug for WorkerRef<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkerRef({:?})", self.key)
    }
}

impl<F> From<WorkerRef<F>> for Key {
    fn from(declared: WorkerRef<F>) -> Self {
        Self::from_static(declared.key)
    }
}

/// An argument of a ferry to a [`WorkerRef`] whose parameter is a `P`: a `P`, a `T` if `P` is
/// `Option<T>` or `Arc<T>`, or a text literal if `P` is a `String`.
#[diagnostic::on_unimplemented(
    message = "the worker that is ferried to takes `{P}` here, not `{Self}`",
    label = "takes `{P}`, is given `{Self}`",
    note = "a ferry gives one value per parameter, in their order; what is injected (`#[from]`, the context) is left out"
)]
pub trait FerryArgument<P>: Data {}

impl<T: Data> FerryArgument<T> for T {}
impl<T: Data> FerryArgument<Option<T>> for T {}
impl<T: Data> FerryArgument<Arc<T>> for T where Arc<T>: Data {}
#[diagnostic::do_not_recommend]
impl FerryArgument<String> for &'static str {}
#[diagnostic::do_not_recommend]
impl FerryArgument<Option<String>> for &'static str {}
#[diagnostic::do_not_recommend]
impl FerryArgument<Option<String>> for Option<&'static str> {}
#[diagnostic::do_not_recommend]
impl FerryArgument<Arc<String>> for &'static str {}

/// A target of a ferry with arguments `A`: a key with any [arguments](IntoArgs), or a [`WorkerRef`]
/// with a tuple of [arguments for its parameters](FerryArgument). A `WorkerRef` with
/// [`args!`](crate::args!) is checked when the step settles.
#[diagnostic::on_unimplemented(
    message = "`{A}` are not the arguments of this worker",
    label = "these arguments do not fit the worker that is ferried to",
    note = "give a tuple with one value per parameter, such as `(x,)`; what is injected (`#[from]`, the context) is left out",
    note = "or give `args!(name = value)`, which is checked when the step settles",
    note = "the target is a key, or the constant of a worker of an `#[automa]` block: `Self::START`, not the method `Self::start`"
)]
pub trait FerryTarget<A> {
    /// The text of the target's key.
    #[doc(hidden)]
    fn text(&self) -> &str;
    /// Converts into the target's key.
    #[doc(hidden)]
    fn into_key(self) -> Key;
    /// Converts into arguments.
    #[doc(hidden)]
    fn arguments(arguments: A) -> Args;
}

macro_rules! keys {
    ($($key:ty: $as_str:ident),*) => {
        $(impl<A: IntoArgs> FerryTarget<A> for $key {
            fn text(&self) -> &str {
                self.$as_str()
            }

            fn into_key(self) -> Key {
                self.into()
            }

            fn arguments(arguments: A) -> Args {
                arguments.into_args()
            }
        })*
    };
}

keys!(&str: as_ref, String: as_str, &String: as_str, Key: as_str, &Key: as_str);

impl<F> FerryTarget<Args> for WorkerRef<F> {
    fn text(&self) -> &str {
        self.key
    }

    fn into_key(self) -> Key {
        self.into()
    }

    fn arguments(arguments: Args) -> Args {
        arguments
    }
}

macro_rules! declared {
    ($(($P:ident, $T:ident)),*) => {
        impl<R, $($P, $T: FerryArgument<$P>),*> FerryTarget<($($T,)*)> for WorkerRef<fn($($P),*) -> R> {
            fn text(&self) -> &str {
                self.key
            }

            fn into_key(self) -> Key {
                self.into()
            }

            fn arguments(arguments: ($($T,)*)) -> Args {
                arguments.into_args()
            }
        }
    };
}

declared!();
declared!((A, AA));
declared!((A, AA), (B, BB));
declared!((A, AA), (B, BB), (C, CC));
declared!((A, AA), (B, BB), (C, CC), (D, DD));
declared!((A, AA), (B, BB), (C, CC), (D, DD), (E, EE));
declared!((A, AA), (B, BB), (C, CC), (D, DD), (E, EE), (F, FF));
declared!((A, AA), (B, BB), (C, CC), (D, DD), (E, EE), (F, FF), (G, GG));
declared!((A, AA), (B, BB), (C, CC), (D, DD), (E, EE), (F, FF), (G, GG), (H, HH));
declared!((A, AA), (B, BB), (C, CC), (D, DD), (E, EE), (F, FF), (G, GG), (H, HH), (I, II));
declared!((A, AA), (B, BB), (C, CC), (D, DD), (E, EE), (F, FF), (G, GG), (H, HH), (I, II), (J, JJ));
declared!(
    (A, AA),
    (B, BB),
    (C, CC),
    (D, DD),
    (E, EE),
    (F, FF),
    (G, GG),
    (H, HH),
    (I, II),
    (J, JJ),
    (K, KK)
);
declared!(
    (A, AA),
    (B, BB),
    (C, CC),
    (D, DD),
    (E, EE),
    (F, FF),
    (G, GG),
    (H, HH),
    (I, II),
    (J, JJ),
    (K, KK),
    (L, LL)
);
