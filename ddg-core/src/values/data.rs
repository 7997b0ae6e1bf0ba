//! The bound on everything that workers take and give.

use serde::{Deserialize, Serialize};

/// Data that can travel between workers. Implemented for every type that can be cloned, sent
/// between threads, and serialised as JSON.
///
/// In memory a value keeps its own type and is shared, not copied. JSON is written only where it is
/// needed: for snapshots, tool arguments and other machines. A type that cannot be serialised
/// travels in an [`Opaque`](crate::values::Opaque), a type that cannot be cloned in an `Arc`.
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
/// Text literals are text: a `&'static str` goes wherever a `String` goes, also inside tuples,
/// `Option` and `Result`. In memory it is a `String`.
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
// The bound is `Deserialize<'static>` rather than `DeserializeOwned`, because the compiler first
// takes `&'static str` for a `DeserializeOwned`, and later refuses it with an error about lifetimes
// that does not mention `String`.
pub trait Data: Serialize + Deserialize<'static> + Clone + Send + Sync + 'static {}

// Diagnostics name the type once, instead of each missing trait.
#[diagnostic::do_not_recommend]
impl<T: Serialize + Deserialize<'static> + Clone + Send + Sync + 'static> Data for T {}

/// A type that the result of a run can be read as: any [`Data`].
#[diagnostic::on_unimplemented(
    message = "the result of a run cannot be read as `{Self}`",
    label = "read as `{Self}`",
    note = "if its type is not given anywhere, give it: `let result: i64 = …`, or `()` where \
            there is none",
    note = "if it is a type of yours: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`"
)]
pub trait RunResult: Data {}

#[diagnostic::do_not_recommend]
impl<T: Data> RunResult for T {}

/// A type that an answer or a reply can be read as: any [`Data`].
#[diagnostic::on_unimplemented(
    message = "the answer cannot be read as `{Self}`",
    label = "read as `{Self}`",
    note = "if its type is not given anywhere, give it: `let yes: bool = cx.interact_with_human(…)?`",
    note = "if it is a type of yours: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`"
)]
pub trait Answer: Data {}

#[diagnostic::do_not_recommend]
impl<T: Data> Answer for T {}
