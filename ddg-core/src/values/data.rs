//! The bound on everything a worker takes or gives.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something that can travel between workers, implemented for every type that can be cloned,
/// sent between threads and written as JSON.
///
/// In memory a value keeps its own type and is shared, not copied; JSON is written only where it
/// must be (snapshots, tool arguments, other machines). What cannot be written as JSON travels in
/// an [`Opaque`](crate::Opaque); what cannot be cloned travels in an `Arc`.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between workers",
    label = "not worker data",
    note = "if it is a type of yours: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`",
    note = "or wrap it: `Opaque<T>` for what cannot be written as JSON, `Arc<T>` for what cannot be cloned"
)]
pub trait Data: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

// What is missing is said of the type, once, and not of each of these traits.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Data for T {}
