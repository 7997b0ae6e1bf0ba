//! Type checks that `#[automa]` leaves to the compiler.
//!
//! The macro sees types only as they are written; only the compiler knows which types the names
//! stand for. So the macro generates the message for two types that do not fit, and the compiler
//! reports it if they do not:
//!
//! ```text
//! dependency!(i64 => String, "`f` takes `String` as `text`, but `start` gives `i64`")
//! ```

use std::error::Error;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::values::Data;
use crate::worker::FromContext;
pub use crate::{
    __check_dealt as dealt, __check_dependency as dependency, __check_error as error,
    __check_injected as injected, __check_merged as merged, __check_result as result,
    __check_unpacked as unpacked,
};

/// A parameter of this type takes an output of type `Output`: the same type, or one that is shared
/// (`Arc<T>`) or optional (`Option<T>`) on one side. The compiler infers `M`.
pub trait Accepts<Output, M> {}

/// A parameter that borrows this type takes an output of type `Output`. The compiler infers `M`.
pub trait Borrows<Output, M> {}

/// Marks equal types.
pub struct Same;
/// Marks a shared or optional parameter.
pub struct Wrapping;
/// Marks a parameter that is both.
pub struct WrappingShared;
/// Marks a shared output.
pub struct Unwrapping;

impl<T> Accepts<T, Same> for T {}
impl<T> Accepts<T, Wrapping> for Arc<T> {}
impl<T> Accepts<T, Wrapping> for Option<T> {}
impl<T> Accepts<T, WrappingShared> for Option<Arc<T>> {}
impl<T> Accepts<Arc<T>, Unwrapping> for T {}

impl<T> Borrows<T, Same> for T {}
impl<T> Borrows<Arc<T>, Unwrapping> for T {}

/// Compiles if a worker can give a `T`.
pub const fn output<T: Data>() {}

/// Compiles if a worker can take a `T`.
pub const fn parameter<T: Data>() {}

/// Compiles if a worker can take a `T` that is made from its context.
pub const fn derived<T: FromContext>() {}

/// The output of an automa: [`Data`], with the message of `Data`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between workers",
    label = "not worker data",
    note = "if it is a type of yours: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`",
    note = "or wrap it: `Opaque<T>` for what cannot be written as JSON, `Arc<T>` for what cannot be cloned"
)]
pub trait Travels {
    /// The type itself.
    type Itself: Data;
}

#[diagnostic::do_not_recommend]
impl<T: Data> Travels for T {
    type Itself = T;
}

/// Says whether an error type is data as well: by the associated constant of the type if it is, and
/// by that of [`NoData`] otherwise, because the compiler prefers the former.
pub struct Reading<E>(PhantomData<E>);

impl<E: Error + Data> Reading<E> {
    /// Whether the error is data.
    pub const IS_DATA: bool = true;
}

/// Other error types.
pub trait NoData {
    /// Whether the error is data.
    const IS_DATA: bool = false;
}

impl<E> NoData for Reading<E> {}

/// Compiles if an error type is not data as well.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_error {
    ($error:ty, $message:literal) => {
        const _: () = {
            use $crate::check::NoData as _;
            assert!(!<$crate::check::Reading<$error>>::IS_DATA, $message)
        };
    };
}

/// Data that contains a `dyn Trait`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between workers",
    label = "a `dyn Trait` has no JSON form",
    note = "write `Opaque<{Self}>`, which travels in memory only: `Opaque::new(value)` wraps, and it derefs to what is in it"
)]
pub trait DynData {}

#[diagnostic::do_not_recommend]
impl<T: Data> DynData for T {}

/// Compiles if a worker can take or give a `T` that contains a `dyn Trait`.
pub const fn dyn_data<T: DynData>() {}

/// Compiles if a parameter takes a `$given` by value or by reference. Otherwise the compiler
/// reports `$message` and `$note`.
// rustfmt would indent the attribute inside further on each run.
#[rustfmt::skip]
#[doc(hidden)]
#[macro_export]
macro_rules! __check_fits {
    ($note:literal, $given:ty => & $taken:ty, $message:literal) => {
        $crate::__check_fits!(Borrows, $given, $taken, $message, $note)
    };
    ($note:literal, $given:ty => $taken:ty, $message:literal) => {
        $crate::__check_fits!(Accepts, $given, $taken, $message, $note)
    };
    ($how:ident, $given:ty, $taken:ty, $message:literal, $note:literal) => {{
        // A new trait for each check, because the compiler takes the message from the trait.
        #[diagnostic::on_unimplemented(
            message = $message,
            label = "takes `{Self}`, is given `{Output}`",
            note = $note
        )]
        trait Fits<Output, M> {
            const FITS: () = ();
        }

        #[diagnostic::do_not_recommend]
        impl<Output, M, T: $crate::check::$how<Output, M>> Fits<Output, M> for T {}

        <$taken as Fits<$given, _>>::FITS
    }};
}

/// Checks an output that fills a parameter as it is.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_dependency {
    ($($fit:tt)*) => {
        $crate::__check_fits!("outputs fill the parameters in the order of `dependencies`; use `merge`, `unpack` or `suppressed` to fill them otherwise", $($fit)*)
    };
}

/// Checks an element of a list that is scattered.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_dealt {
    ($($fit:tt)*) => {
        $crate::__check_fits!("a worker marked `in_order` gives each successor one element of its list", $($fit)*)
    };
}

/// Checks an output that becomes an element of a list.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_merged {
    ($($fit:tt)*) => {
        $crate::__check_fits!("`merge` gives one list of all outputs: a `Vec<T>` of what all dependencies give, or a tuple with one type for each", $($fit)*)
    };
}

/// Checks an element of an output that is unpacked.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_unpacked {
    ($($fit:tt)*) => {
        $crate::__check_fits!("`unpack` fills the parameters with the elements of the output, in order", $($fit)*)
    };
}

/// Checks the last output of another worker.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_injected {
    ($($fit:tt)*) => {
        $crate::__check_fits!("`#[from]` injects the last output of the worker: take its type, `Option` of it where it may not have run, or `Arc` of it", $($fit)*)
    };
}

/// Checks the output of the automa.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_result {
    ($($fit:tt)*) => {
        $crate::__check_fits!("the result of a run is what the worker marked `output` gives: drop `output = ..` to have its type", $($fit)*)
    };
}
