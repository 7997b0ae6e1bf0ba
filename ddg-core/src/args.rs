//! Arguments of workers and runs: values by position and by name.

mod into_args;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::printable::shown;
use crate::values::{Data, TypeMismatch, Value};

pub use into_args::IntoArgs;
#[doc(hidden)]
pub use into_args::{AnyValue, Argument};

/// Arguments by position and by name, usually written with [`args!`](crate::args!).
///
/// ```
/// use ddg_core::args;
/// use ddg_core::args::Args;
///
/// let args = args!("Tokyo", days = 3);
/// assert_eq!(args.get::<String>(0)?, "Tokyo");
/// assert_eq!(args.named::<u32>("days")?, 3);
/// assert!(args.get::<String>(1).is_err());
/// # Ok::<(), ddg_core::args::ArgError>(())
/// ```
#[derive(Default, Serialize, Deserialize)]
pub struct Args {
    pub(crate) positional: SmallVec<[Value; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) named: Option<Box<Named>>,
}

// By hand, because most arguments are one or two, and the list copies those slowly.
impl Clone for Args {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.copy(self);
        copy
    }

    fn clone_from(&mut self, source: &Self) {
        self.clear();
        self.copy(source);
    }
}

/// Values by name, in the order in which they were given.
pub(crate) type Named = Vec<(Cow<'static, str>, Value)>;

/// The named values that all workers of a run can read. Most runs have none.
#[derive(Clone, Default)]
pub(crate) struct Inputs(Option<Arc<Named>>);

impl From<Named> for Inputs {
    fn from(inputs: Named) -> Self {
        Self((!inputs.is_empty()).then(|| Arc::new(inputs)))
    }
}

impl Deref for Inputs {
    type Target = Named;

    fn deref(&self) -> &Named {
        static NONE: Named = Named::new();
        self.0.as_deref().unwrap_or(&NONE)
    }
}

/// An argument is missing or has another type.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgError {
    /// The argument was not given.
    #[error("argument {which} was not given", which = shown(.which))]
    Missing {
        /// Its position, from 0, or its name in backquotes.
        which: String,
    },
    /// The argument has another type than asked for.
    #[error("argument {which}: {source}", which = shown(.which))]
    Mismatch {
        /// Its position, from 0, or its name in backquotes.
        which: String,
        /// The expected type and the actual one.
        r#source: TypeMismatch,
    },
}

impl Args {
    /// Creates empty arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument by position.
    ///
    /// ```
    /// use ddg_core::args::Args;
    ///
    /// let args = Args::new().with("Tokyo".to_owned()).with_named("days", 3);
    /// assert_eq!(format!("{args:?}"), r#"("Tokyo", days = 3)"#);
    /// ```
    #[must_use]
    pub fn with<T: Data>(mut self, value: T) -> Self {
        self.positional.push(Value::new(value));
        self
    }

    /// Adds an argument by name. If a name occurs twice, the last value counts.
    #[must_use]
    pub fn with_named<T: Data>(mut self, name: impl Into<Cow<'static, str>>, value: T) -> Self {
        self.set_named(name.into(), Value::new(value));
        self
    }

    /// The values by position.
    pub fn positional(&self) -> &[Value] {
        &self.positional
    }

    /// The values by name, in the order in which they were given.
    pub fn by_name(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.named_slice().iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.positional.is_empty() && self.named_slice().is_empty()
    }

    /// Reads the argument at `position`, counted from 0, as a `T`.
    ///
    /// # Errors
    /// [`ArgError`] if it does not exist or is not a `T`.
    pub fn get<T: Data>(&self, position: usize) -> Result<T, ArgError> {
        read(self.positional.get(position), || position.to_string())
    }

    /// Reads the argument `name` as a `T`.
    ///
    /// # Errors
    /// [`ArgError`] if it does not exist or is not a `T`.
    pub fn named<T: Data>(&self, name: &str) -> Result<T, ArgError> {
        read(self.find(name), || format!("`{name}`"))
    }

    /// Adds the values of `source` to these arguments, which are empty.
    #[inline]
    fn copy(&mut self, source: &Self) {
        match &source.positional[..] {
            [] => {}
            [one] => self.positional.push(one.clone()),
            values => self.positional.extend(values.iter().cloned()),
        }
        if source.named.is_some() {
            self.named.clone_from(&source.named);
        }
    }

    /// Drops all values, and keeps the memory.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.positional.clear();
        if self.named.is_some() {
            self.named = None;
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Value> {
        find(self.named_slice(), name)
    }

    pub(crate) fn named_slice(&self) -> &[(Cow<'static, str>, Value)] {
        self.named.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Whether both are the same values, as far as that can be told without serialising them.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let (named, others) = (self.named_slice(), other.named_slice());
        type Named = (Cow<'static, str>, Value);
        let is_same = |((name, value), (other_name, other)): (&Named, &Named)| {
            name == other_name && value.is_same(other)
        };
        self.positional.len() == other.positional.len()
            && self.positional.iter().zip(&other.positional).all(|(one, other)| one.is_same(other))
            && named.len() == others.len()
            && named.iter().zip(others).all(is_same)
    }

    #[doc(hidden)]
    #[inline]
    pub fn push_value(&mut self, value: Value) {
        self.positional.push(value);
    }

    #[doc(hidden)]
    pub fn set_named(&mut self, name: Cow<'static, str>, value: Value) {
        let named = self.named.get_or_insert_default();
        match named.iter_mut().find(|(have, _)| *have == name) {
            Some((_, old)) => *old = value,
            None => named.push((name, value)),
        }
    }
}

impl Args {
    /// Replaces each value by the result of `map`.
    ///
    /// # Errors
    /// The first error of `map`.
    pub(crate) fn try_map<E>(&self, map: impl Fn(&Value) -> Result<Value, E>) -> Result<Self, E> {
        let positional = self.positional.iter().map(&map).collect::<Result<_, _>>()?;
        let named = |(name, value): &(Cow<'static, str>, _)| Ok((name.clone(), map(value)?));
        let named = self.named.as_ref().map(|all| all.iter().map(named).collect());
        Ok(Self { positional, named: named.transpose()?.map(Box::new) })
    }
}

pub(crate) fn find<'a>(named: &'a [(Cow<'static, str>, Value)], name: &str) -> Option<&'a Value> {
    named.iter().find(|(have, _)| have == name).map(|(_, value)| value)
}

fn read<T: Data>(value: Option<&Value>, which: impl Fn() -> String) -> Result<T, ArgError> {
    value
        .ok_or_else(|| ArgError::Missing { which: which() })?
        .get()
        .map_err(|source| ArgError::Mismatch { which: which(), source })
}

impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        let mut comma = "";
        for value in &self.positional {
            write!(f, "{comma}{value:?}")?;
            comma = ", ";
        }
        for (name, value) in self.named_slice() {
            write!(f, "{comma}{name} = {value:?}")?;
            comma = ", ";
        }
        f.write_str(")")
    }
}

/// Creates [`Args`] from values by position and `name = value` pairs.
///
/// Text literals become `String`s. Numbers can be read as any number type that they fit.
///
/// ```
/// use ddg_core::args;
///
/// assert_eq!(format!("{:?}", args!(1, "two", three = 3.0)), r#"(1, "two", three = 3.0)"#);
/// assert!(args!().is_empty());
/// ```
#[macro_export]
macro_rules! args {
    () => { $crate::args::Args::new() };
    ($($all:tt)+) => {{
        let mut args = $crate::args::Args::new();
        $crate::__args!(args; $($all)+);
        args
    }};
}

/// The part of [`args!`] that handles one argument after another.
#[doc(hidden)]
#[macro_export]
macro_rules! __args {
    ($args:ident;) => {};
    ($args:ident; $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        {
            use $crate::__private::AnyValue as _;
            $args.set_named(
                ::std::borrow::Cow::Borrowed(stringify!($name)),
                $crate::__private::Argument($value).into_value(),
            );
        }
        $crate::__args!($args; $($($rest)*)?);
    };
    ($args:ident; $value:expr $(, $($rest:tt)*)?) => {
        {
            use $crate::__private::AnyValue as _;
            $args.push_value($crate::__private::Argument($value).into_value());
        }
        $crate::__args!($args; $($($rest)*)?);
    };
}

crate::__debug_is_display!(ArgError);
