//! Types that convert into arguments: tuples, JSON, `args!`.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::Args;
use crate::values::{Data, Value};

/// A type that a worker or a run can be called with.
///
/// A tuple gives values by position, a JSON object by name, and [`args!`](crate::args!) gives both.
/// Any other JSON value or a [`Value`] is one argument by position; `()` and null are no arguments.
///
/// ```
/// use ddg_core::args::IntoArgs;
/// use serde_json::json;
///
/// assert_eq!(format!("{:?}", (1, true).into_args()), "(1, true)");
/// assert_eq!(format!("{:?}", json!({"city": "Tokyo"}).into_args()), r#"(city = "Tokyo")"#);
/// assert_eq!(format!("{:?}", json!(["Tokyo"]).into_args()), r#"(["Tokyo"])"#);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of arguments",
    note = "write a tuple such as `(x,)`, `args!(x, name = y)`, or a JSON object"
)]
pub trait IntoArgs {
    /// Converts into arguments.
    fn into_args(self) -> Args;
}

impl IntoArgs for Args {
    fn into_args(self) -> Args {
        self
    }
}

impl IntoArgs for Json {
    fn into_args(self) -> Args {
        let mut args = Args::new();
        match self {
            Self::Null => {}
            Self::Object(map) => {
                for (name, json) in map {
                    args.set_named(Cow::Owned(name), Value::from_json(json));
                }
            }
            json => args.push_value(Value::from_json(json)),
        }
        args
    }
}

impl IntoArgs for Value {
    fn into_args(self) -> Args {
        if self.is_null() {
            return Args::new();
        }
        let mut args = Args::new();
        match (self.ty(), self.map_entries()) {
            (None, Some(entries)) => {
                for (name, value) in entries {
                    args.set_named(Cow::Owned(name), value);
                }
            }
            _ => args.push_value(self),
        }
        args
    }
}

macro_rules! tuples {
    ($($T:ident),*) => {
        impl<$($T: Data),*> IntoArgs for ($($T,)*) {
            fn into_args(self) -> Args {
                #[expect(non_snake_case, reason = "one variable per type parameter")]
                let ($($T,)*) = self;
                let mut args = Args::new();
                $(args.push_value(Value::new($T));)*
                args
            }
        }
    };
}

impl IntoArgs for () {
    fn into_args(self) -> Args {
        Args::new()
    }
}

tuples!(A);
tuples!(A, B);
tuples!(A, B, C);
tuples!(A, B, C, D);
tuples!(A, B, C, D, E);
tuples!(A, B, C, D, E, F);
tuples!(A, B, C, D, E, F, G);
tuples!(A, B, C, D, E, F, G, H);
tuples!(A, B, C, D, E, F, G, H, I);
tuples!(A, B, C, D, E, F, G, H, I, J);
tuples!(A, B, C, D, E, F, G, H, I, J, K);
tuples!(A, B, C, D, E, F, G, H, I, J, K, L);

/// An expression in `args!`.
#[doc(hidden)]
pub struct Argument<T>(pub T);

impl Argument<&str> {
    /// Converts text into a `String`. As an inherent method it takes precedence over [`AnyValue`].
    pub fn into_value(self) -> Value {
        Value::new(self.0.to_owned())
    }
}

/// Any other expression in `args!`.
#[doc(hidden)]
pub trait AnyValue {
    /// The type of the expression.
    type Inner;

    /// Converts into a value. The bound is on this method rather than on the impl, because
    /// otherwise the compiler would report a missing method instead of the missing trait.
    fn into_value(self) -> Value
    where
        Self::Inner: Data;
}

impl<T> AnyValue for Argument<T> {
    type Inner = T;

    fn into_value(self) -> Value
    where
        T: Data,
    {
        Value::new(self.0)
    }
}
