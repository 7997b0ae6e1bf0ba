//! The bound on everything a worker takes or gives.

use serde::{Deserialize, Serialize};

/// Something that can travel between workers, implemented for every type that can be cloned,
/// sent between threads and written as JSON.
///
/// In memory a value keeps its own type and is shared, not copied; JSON is written only where it
/// must be (snapshots, tool arguments, other machines). What cannot be written as JSON travels in
/// an [`Opaque`](crate::values::Opaque); what cannot be cloned travels in an `Arc`.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct City { name: String, days: u32 }
///
/// fn travels<T: ddg_core::Data>() {}
/// travels::<City>();
/// travels::<Vec<(String, Option<f64>)>>();
/// ```
///
/// Text is text: a literal goes wherever a `String` goes, as itself and inside tuples, `Option` and
/// `Result`. In memory it is a `String`.
///
/// ```
/// use ddg_core::Value;
///
/// assert_eq!(Value::new("Tokyo").get::<String>()?, "Tokyo");
/// assert_eq!(Value::new(("Tokyo", 3)).get::<(String, i32)>()?, ("Tokyo".to_owned(), 3));
/// # Ok::<(), ddg_core::values::TypeMismatch>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between workers",
    label = "not worker data",
    note = "if it is a type of yours: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`",
    note = "or wrap it: `Opaque<T>` for what cannot be written as JSON, `Arc<T>` for what cannot be cloned",
    note = "if it is a reference: give what it points to, `.clone()`"
)]
// `Deserialize<'static>` and not `DeserializeOwned`: the compiler takes `&'static str` for a
// `DeserializeOwned` until it looks at lifetimes, and then refuses it without a word of `String`.
pub trait Data: Serialize + Deserialize<'static> + Clone + Send + Sync + 'static {}

// What is missing is said of the type, once, and not of each of these traits.
#[diagnostic::do_not_recommend]
impl<T: Serialize + Deserialize<'static> + Clone + Send + Sync + 'static> Data for T {}

/// What the result of a run can be asked for as: any [`Data`].
#[diagnostic::on_unimplemented(
    message = "the result of a run cannot be read as `{Self}`",
    label = "read as `{Self}`",
    note = "if its type is said nowhere, say it: `let result: i64 = …`, or `()` where there is none",
    note = "if it is a type of yours: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`"
)]
pub trait RunResult: Data {}

#[diagnostic::do_not_recommend]
impl<T: Data> RunResult for T {}
