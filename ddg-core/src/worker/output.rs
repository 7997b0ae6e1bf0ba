//! Return types of worker functions: data, a `Result`, or a stream.

use std::error::Error;

use futures::Stream;
use serde_json::Value as Json;

use crate::error::{BoxError, WorkerError};
use crate::values::{Data, ItemStream, Value, ValueType};

/// A return type of worker functions: `T`, `impl Stream<Item = T>`, or a `Result` of either, where
/// `T` is [`Data`]. The compiler infers `M`.
///
/// An error type that is data, as in `Result<T, String>`, works as well. To the compiler the whole
/// `Result` is data then, so the output goes through JSON. If an error type is both an [`Error`]
/// and data the compiler cannot choose; return `Result<T, WorkerError>` instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of a worker",
    label = "not worker data",
    note = "a worker returns `T`, `Result<T, E>` or `impl Stream<Item = T>`, where `T` has `#[derive(Clone, serde::Serialize, serde::Deserialize)]`",
    note = "`E` is an error that is `Send + Sync`: `WorkerError`, `Box<dyn Error + Send + Sync>`"
)]
pub trait IntoOutput<M> {
    /// The type of the output, if it is known.
    #[doc(hidden)]
    fn ty() -> Option<ValueType>;
    /// Converts into the output as a value, or the worker's error.
    #[doc(hidden)]
    fn into_output(self) -> Result<Value, WorkerError>;
}

/// An error of worker functions: any [`Error`], or a type that wraps one (`anyhow::Error`,
/// [`WorkerError`], `Box<dyn Error + Send + Sync>`). The compiler infers `M`.
pub trait IntoWorkerError<M> {
    /// Converts into the error of the engine.
    #[doc(hidden)]
    fn into_failure(self) -> WorkerError;
}

/// Marks a plain error.
#[doc(hidden)]
pub struct Plain;

/// Marks a type that wraps an error.
#[doc(hidden)]
pub struct Wrapped;

impl<E: Error + Send + Sync + 'static> IntoWorkerError<Plain> for E {
    fn into_failure(self) -> WorkerError {
        WorkerError::boxed(self)
    }
}

impl<E: AsRef<dyn Error + Send + Sync> + Into<BoxError>> IntoWorkerError<Wrapped> for E {
    fn into_failure(self) -> WorkerError {
        WorkerError::boxed(self)
    }
}

impl<T: Data> IntoOutput<AsData> for T {
    fn ty() -> Option<ValueType> {
        if !is_result::<T>() {
            Some(ValueType::of::<T>())
        } else if std::any::type_name::<T>().starts_with("core::result::Result<(), ") {
            Some(ValueType::of::<()>())
        } else {
            None
        }
    }

    fn into_output(self) -> Result<Value, WorkerError> {
        if is_result::<T>() { result_as_data(&self) } else { Ok(Value::new(self)) }
    }
}

impl<T: Data, M, E: IntoWorkerError<M>> IntoOutput<AsResult<M>> for Result<T, E> {
    fn ty() -> Option<ValueType> {
        Some(ValueType::of::<T>())
    }

    fn into_output(self) -> Result<Value, WorkerError> {
        self.map(Value::new).map_err(IntoWorkerError::into_failure)
    }
}

/// Marks a `Result` with an error.
#[doc(hidden)]
pub struct AsResult<M>(M);

/// Marks data.
#[doc(hidden)]
pub struct AsData;

/// Marks a stream.
#[doc(hidden)]
pub struct AsStream;

impl<T: Data, S: Stream<Item = T> + Send + 'static> IntoOutput<AsStream> for S {
    fn ty() -> Option<ValueType> {
        Some(ValueType::of::<ItemStream<T>>())
    }

    fn into_output(self) -> Result<Value, WorkerError> {
        Ok(Value::new(ItemStream::new(self)))
    }
}

/// Marks a `Result` of a stream.
#[doc(hidden)]
pub struct AsResultOfStream<M>(M);

impl<T, S, M, E> IntoOutput<AsResultOfStream<M>> for Result<S, E>
where
    T: Data,
    S: Stream<Item = T> + Send + 'static,
    E: IntoWorkerError<M>,
{
    fn ty() -> Option<ValueType> {
        Some(ValueType::of::<ItemStream<T>>())
    }

    fn into_output(self) -> Result<Value, WorkerError> {
        self.map(|items| Value::new(ItemStream::new(items))).map_err(IntoWorkerError::into_failure)
    }
}

/// Whether `T` is a `Result` whose error is data and not an [`Error`], such as
/// `Result<i64, String>`. It implements serde, so to the compiler it is data like any other.
fn is_result<T>() -> bool {
    std::any::type_name::<T>().starts_with("core::result::Result<")
}

/// Takes apart a `Result` that the compiler only knows as data. Its output goes through JSON.
fn result_as_data<T: Data>(result: &T) -> Result<Value, WorkerError> {
    match serde_json::to_value(result)? {
        Json::Object(mut object) => match (object.remove("Ok"), object.remove("Err")) {
            (Some(output), _) => Ok(Value::from_json(output)),
            (_, Some(Json::String(message))) => Err(WorkerError::msg(message)),
            (_, Some(Json::Null) | None) => Err(WorkerError::msg(
                "it returned `Err(())`, which says nothing; return an error that says what is wrong",
            )),
            (_, Some(error)) => Err(WorkerError::msg(error.to_string())),
        },
        other => Err(WorkerError::msg(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_with_a_text_for_an_error_is_still_a_result() {
        type R = Result<i64, String>;
        assert_eq!(<R as IntoOutput<AsData>>::ty(), None);
        assert_eq!(Ok::<i64, String>(3).into_output().unwrap().get::<i64>().unwrap(), 3);
        let error = Err::<i64, _>("no".to_owned()).into_output().unwrap_err();
        assert_eq!(error.to_string(), "no");
        assert!(<i64 as IntoOutput<AsData>>::ty().is_some());
    }
}
