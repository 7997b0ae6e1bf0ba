//! What a worker function may take.

use std::sync::Arc;

use super::Call;
use crate::context::Context;
use crate::values::{Data, Type, TypeMismatch};

/// A parameter of a worker function: a value by `T` or `&T`, or the [`Context`] by value or
/// reference. `M` is found by the compiler.
///
/// `T` may be `Arc<U>` (the value, shared), `Option<U>` (`None` where nothing is given) and
/// [`Value`](crate::Value) (whatever it is).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a worker",
    note = "parameters are `T`, `&T`, `Arc<T>`, `Option<T>`, `Value` or `Context`, where `T` is `Clone + Serialize + DeserializeOwned + Send + Sync + 'static`"
)]
pub trait Parameter<M>: 'static {
    /// What is kept while the worker runs.
    #[doc(hidden)]
    type Held: Send + Sync + 'static;
    /// What the function is given.
    #[doc(hidden)]
    type Given<'a>;

    /// The type of the value, or `None` for the context.
    #[doc(hidden)]
    fn ty() -> Option<Type>;
    /// Takes the next value, or the context, of the call.
    #[doc(hidden)]
    fn hold(call: &mut Arguments) -> Result<Self::Held, TypeMismatch>;
    /// Hands it out; once.
    #[doc(hidden)]
    fn give(held: &mut Self::Held) -> Self::Given<'_>;
}

/// The arguments of a call, taken one after the other.
#[doc(hidden)]
pub struct Arguments {
    values: smallvec::IntoIter<[crate::Value; 2]>,
    cx: Option<Context>,
}

impl Arguments {
    pub(super) fn of(call: Call) -> Self {
        Self { values: call.args.positional.into_iter(), cx: call.cx }
    }

    fn next(&mut self) -> crate::Value {
        self.values.next().unwrap_or_default()
    }

    fn context(&self) -> Context {
        self.cx.clone().expect("a function with a context parameter asks for the context")
    }
}

/// Marks a value parameter.
#[doc(hidden)]
pub struct ByValue;

impl<T: Data> Parameter<ByValue> for T {
    type Held = Option<T>;
    type Given<'a> = T;

    fn ty() -> Option<Type> {
        Some(Type::of::<T>())
    }

    fn hold(call: &mut Arguments) -> Result<Self::Held, TypeMismatch> {
        call.next().take().map(Some)
    }

    fn give(held: &mut Self::Held) -> T {
        held.take().expect("a parameter is given once")
    }
}

/// Marks a borrowed parameter.
#[doc(hidden)]
pub struct ByRef;

impl<T: Data> Parameter<ByRef> for &'static T {
    type Held = Arc<T>;
    type Given<'a> = &'a T;

    fn ty() -> Option<Type> {
        Some(Type::of::<T>())
    }

    fn hold(call: &mut Arguments) -> Result<Self::Held, TypeMismatch> {
        call.next().shared()
    }

    fn give(held: &mut Self::Held) -> &T {
        held
    }
}

/// Marks the context.
#[doc(hidden)]
pub struct Injected;

impl Parameter<Injected> for Context {
    type Held = Self;
    type Given<'a> = Self;

    fn ty() -> Option<Type> {
        None
    }

    fn hold(call: &mut Arguments) -> Result<Self::Held, TypeMismatch> {
        Ok(call.context())
    }

    fn give(held: &mut Self::Held) -> Self {
        held.clone()
    }
}

impl Parameter<Injected> for &'static Context {
    type Held = Context;
    type Given<'a> = &'a Context;

    fn ty() -> Option<Type> {
        None
    }

    fn hold(call: &mut Arguments) -> Result<Self::Held, TypeMismatch> {
        Ok(call.context())
    }

    fn give(held: &mut Self::Held) -> &Context {
        held
    }
}
