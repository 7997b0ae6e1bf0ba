//! Parameters of worker functions.

use std::sync::Arc;

use super::any::Callee;
use crate::args::Args;
use crate::context::Context;
use crate::values::{Data, TypeMismatch, Value, ValueType};

/// A parameter of a worker function: a value as `T` or `&T`, or the [`Context`] by value or by
/// reference. The compiler infers `M`.
///
/// `T` may be `Arc<U>` (the value, shared), `Option<U>` (`None` if there is no argument) and
/// [`Value`](crate::Value) (of any type).
///
/// `&str` takes text. Each text that a function takes this way is kept until the program ends,
/// because the compiler does not let this trait tell a `&str` that lives as long as the call from a
/// `&'static str`. For unbounded amounts of text use `Arc<String>`, which is never copied, or
/// `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a worker",
    label = "it takes `{Self}`",
    note = "parameters are `T`, `&T`, `&str`, `Arc<T>`, `Option<T>`, `Value`, `Context`, or a type with `FromContext`",
    note = "if `T` is a type of yours: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`",
    note = "or wrap it: `Opaque<T>` for what cannot be written as JSON, `Arc<T>` for what cannot be cloned"
)]
pub trait Parameter<M>: 'static {
    /// The value that is kept while the worker runs.
    #[doc(hidden)]
    type Held: Send + Sync + 'static;
    /// The type that the function is given.
    #[doc(hidden)]
    type Given<'a>;

    /// The type of the value, or `None` for the context.
    #[doc(hidden)]
    fn ty() -> Option<ValueType>;
    /// Takes the next value of the call, if the parameter is a value.
    #[doc(hidden)]
    fn hold(call: &mut Arguments<'_>) -> Result<Self::Held, TypeMismatch>;
    /// Passes the value to the function, once.
    #[doc(hidden)]
    fn give<'a>(held: &'a mut Self::Held, callee: &'a Callee) -> Self::Given<'a>;
}

/// The arguments of a call, taken one after another.
#[doc(hidden)]
pub struct Arguments<'a> {
    values: std::slice::IterMut<'a, Value>,
}

impl<'a> Arguments<'a> {
    pub(super) fn of(args: &'a mut Args) -> Self {
        Self { values: args.positional.iter_mut() }
    }

    fn next(&mut self) -> Value {
        self.values.next().map(std::mem::take).unwrap_or_default()
    }
}

/// Marks a value parameter.
#[doc(hidden)]
pub struct ByValue;

impl<T: Data> Parameter<ByValue> for T {
    type Held = Option<T>;
    type Given<'a> = T;

    fn ty() -> Option<ValueType> {
        Some(ValueType::of::<T>())
    }

    fn hold(call: &mut Arguments<'_>) -> Result<Self::Held, TypeMismatch> {
        call.next().take().map(Some)
    }

    fn give<'a>(held: &'a mut Self::Held, _: &'a Callee) -> T {
        held.take().expect("a parameter is given once")
    }
}

/// Marks a borrowed parameter.
#[doc(hidden)]
pub struct ByRef;

#[diagnostic::do_not_recommend]
impl<T: Data> Parameter<ByRef> for &'static T {
    type Held = Arc<T>;
    type Given<'a> = &'a T;

    fn ty() -> Option<ValueType> {
        Some(ValueType::of::<T>())
    }

    fn hold(call: &mut Arguments<'_>) -> Result<Self::Held, TypeMismatch> {
        call.next().shared()
    }

    fn give<'a>(held: &'a mut Self::Held, _: &'a Callee) -> &'a T {
        held
    }
}

/// A parameter of a worker function that is made from the worker's [`Context`], such as a handle to
/// something around the run. It is not an argument: it has no position, and cannot be given by
/// name.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::worker::FromContext;
///
/// /// The key of the worker.
/// struct Me(String);
///
/// impl FromContext for Me {
///     fn from_context(cx: &Context) -> Self {
///         Self(cx.key().to_string())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("who");
/// let who = async |x: i64, me: Me| format!("{} got {x}", me.0);
/// automa.add_func_as_worker("ada", who, start().output())?;
/// assert_eq!(automa.run(args!(7)).output::<String>().await?, "ada got 7");
/// # Ok(())
/// # }
/// ```
///
/// In a block, where only the names of types are known, such a parameter is marked `#[context]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made from the context of a worker",
    label = "`FromContext` is not implemented",
    note = "data that a worker is given needs no mark: drop the `#[context]`"
)]
pub trait FromContext: Send + Sync + Sized + 'static {
    /// Makes the parameter of one execution.
    fn from_context(cx: &Context) -> Self;
}

/// Marks a parameter that is made from the context.
#[doc(hidden)]
pub struct Derived;

#[diagnostic::do_not_recommend]
impl<T: FromContext> Parameter<Derived> for T {
    type Held = ();
    type Given<'a> = T;

    fn ty() -> Option<ValueType> {
        None
    }

    fn hold(_: &mut Arguments<'_>) -> Result<(), TypeMismatch> {
        Ok(())
    }

    fn give<'a>((): &'a mut (), callee: &'a Callee) -> T {
        T::from_context(callee.context())
    }
}

/// Marks the context.
#[doc(hidden)]
pub struct Injected;

impl Parameter<Injected> for Context {
    type Held = ();
    type Given<'a> = Self;

    fn ty() -> Option<ValueType> {
        None
    }

    fn hold(_: &mut Arguments<'_>) -> Result<(), TypeMismatch> {
        Ok(())
    }

    fn give<'a>((): &'a mut (), callee: &'a Callee) -> Self {
        callee.context().clone()
    }
}

impl Parameter<Injected> for &'static Context {
    type Held = ();
    type Given<'a> = &'a Context;

    fn ty() -> Option<ValueType> {
        None
    }

    fn hold(_: &mut Arguments<'_>) -> Result<(), TypeMismatch> {
        Ok(())
    }

    fn give<'a>((): &'a mut (), callee: &'a Callee) -> &'a Context {
        callee.context()
    }
}
