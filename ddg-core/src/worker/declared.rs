//! A worker that the compiler knows: its key with the types of its parameters.

use std::fmt;
use std::marker::PhantomData;

use crate::args::{Args, IntoArgs};
use crate::key::Key;
use crate::values::Data;

/// A typed key, made by `#[worker]` for each method: `Self::START` for `fn start`.
///
/// `F` is the function type `fn(A, B) -> Output` of the worker's parameters without the injected
/// ones. Ferrying to it checks the arguments at compile time.
///
/// ```
/// use ddg_core::Declared;
///
/// const START: Declared<fn(i64) -> i64> = Declared::new("start");
/// assert_eq!(START.key(), "start");
/// ```
pub struct Declared<F> {
    key: &'static str,
    function: PhantomData<fn() -> F>,
}

impl<F> Declared<F> {
    /// The worker called `key`.
    pub const fn new(key: &'static str) -> Self {
        Self { key, function: PhantomData }
    }

    /// Its key.
    pub const fn key(self) -> &'static str {
        self.key
    }
}

impl<F> Clone for Declared<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Declared<F> {}

impl<F> fmt::Debug for Declared<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Declared({:?})", self.key)
    }
}

impl<F> From<Declared<F>> for Key {
    fn from(declared: Declared<F>) -> Self {
        Self::from_static(declared.key)
    }
}

/// Where a ferry may go, with which arguments `A`: a key with anything that can be
/// [arguments](IntoArgs), or a [`Declared`] worker with a tuple of just its parameters (or
/// [`args!`](crate::args), checked when the step settles).
#[diagnostic::on_unimplemented(
    message = "`{A}` are not the arguments of this worker",
    label = "these arguments do not fit the worker that is ferried to",
    note = "give a tuple with one value per parameter, such as `(x,)`; what is injected (`#[from]`, the context) is left out",
    note = "or give `args!(name = value)`, which is checked when the step settles"
)]
pub trait FerryTarget<A> {
    /// The text of the target's key.
    #[doc(hidden)]
    fn text(&self) -> &str;
    /// The target's key.
    #[doc(hidden)]
    fn into_key(self) -> Key;
    /// The arguments.
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

impl<F> FerryTarget<Args> for Declared<F> {
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
    ($($T:ident),*) => {
        impl<R, $($T: Data),*> FerryTarget<($($T,)*)> for Declared<fn($($T),*) -> R> {
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
declared!(A);
declared!(A, B);
declared!(A, B, C);
declared!(A, B, C, D);
declared!(A, B, C, D, E);
declared!(A, B, C, D, E, F);
declared!(A, B, C, D, E, F, G);
declared!(A, B, C, D, E, F, G, H);
declared!(A, B, C, D, E, F, G, H, I);
declared!(A, B, C, D, E, F, G, H, I, J);
declared!(A, B, C, D, E, F, G, H, I, J, K);
declared!(A, B, C, D, E, F, G, H, I, J, K, L);
