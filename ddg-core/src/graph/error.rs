//! Faults of graphs and of edits.

use std::fmt::{self, Write};

use crate::__debug_is_display;
use crate::hint::nearest;
use crate::key::Key;
use crate::printable::{Printable, shown};

/// A graph that cannot be declared or run, with all of its faults.
///
/// ```
/// use ddg_core::prelude::*;
///
/// let mut automa = GraphAutoma::new("trip");
/// automa.add_func_as_worker("plan", |city: String| city, after(["weather"]))?;
/// assert_eq!(
///     automa.validate().unwrap_err().to_string(),
///     "automa `trip`: worker `plan` depends on `weather`, which does not exist; \
///      the workers are: `plan`",
/// );
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildError {
    /// The name of the automa.
    pub automa: String,
    /// The faults: first those of edges, then cycles, then arguments, each in the order in which
    /// the workers were added. Never empty.
    pub faults: Vec<Fault>,
}

/// A fault of a graph.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A key is empty.
    #[error("a worker's key is empty: give it a name")]
    EmptyKey,
    /// Two workers have the same key.
    #[error(
        "there is a worker `{key}` already: choose another key, or remove the other first",
        key = shown(.key)
    )]
    DuplicateKey {
        /// The key.
        key: Key,
    },
    /// Two workers are declared to be placed at run time under the same name.
    #[error("`{name}` is declared already: choose another name", name = shown(.name))]
    DuplicateName {
        /// The name.
        name: Key,
    },
    /// The worker to replace does not exist.
    #[error("there is no worker `{key}` to override{}", listing(.key, .known), key = shown(.key))]
    NothingToOverride {
        /// The key.
        key: Key,
        /// The keys that exist, or the first few of many.
        known: Vec<Key>,
    },
    /// The worker to remove does not exist.
    #[error(
        "cannot remove `{key}`: there is no such worker{}",
        listing(.key, .known),
        key = shown(.key)
    )]
    UnknownWorker {
        /// The key.
        key: Key,
        /// The keys that exist, or the first few of many.
        known: Vec<Key>,
    },
    /// The dependency to remove does not exist.
    #[error(
        "cannot remove the dependency of `{worker}` on `{dependency}`: it has none",
        worker = shown(.worker), dependency = shown(.dependency)
    )]
    NoSuchDependency {
        /// The worker.
        worker: Key,
        /// The worker that it was to stop depending on.
        dependency: Key,
    },
    /// A worker depends on one that does not exist.
    #[error(
        "worker `{worker}` depends on `{dependency}`, which does not exist{}",
        listing(.dependency, .known),
        worker = shown(.worker), dependency = shown(.dependency)
    )]
    UnknownDependency {
        /// The worker.
        worker: Key,
        /// The missing dependency.
        dependency: Key,
        /// The keys that exist, or the first few of many.
        known: Vec<Key>,
    },
    /// A dependency is to be added to or removed from a worker that does not exist.
    #[error(
        "cannot change the dependencies of `{worker}`: there is no such worker{}",
        listing(.worker, .known),
        worker = shown(.worker)
    )]
    UnknownDependent {
        /// The worker.
        worker: Key,
        /// The keys that exist, or the first few of many.
        known: Vec<Key>,
    },
    /// A worker names a dependency twice.
    #[error(
        "worker `{worker}` names its dependency `{dependency}` twice",
        worker = shown(.worker), dependency = shown(.dependency)
    )]
    DuplicateDependency {
        /// The worker.
        worker: Key,
        /// The dependency.
        dependency: Key,
    },
    /// A worker depends on itself.
    #[error(
        "worker `{worker}` depends on itself; to repeat it, let it ferry to itself",
        worker = shown(.worker)
    )]
    SelfDependency {
        /// The worker.
        worker: Key,
    },
    /// Workers depend on each other in a cycle.
    #[error("the dependencies {} form a cycle; to go back, use a ferry", arrows(.keys))]
    Cycle {
        /// The workers along the cycle: each depends on the one before it, the first on the last.
        keys: Vec<Key>,
    },
    /// The output of a dependency does not fit the parameter that it fills.
    #[error(
        "parameter {parameter} of worker `{worker}` takes `{expected}`, \
         but dependency `{dependency}` gives `{found}`",
        parameter = shown(.parameter),
        worker = shown(.worker),
        expected = shown(.expected),
        dependency = shown(.dependency),
        found = shown(.found)
    )]
    TypeMismatch {
        /// The worker.
        worker: Key,
        /// The parameter: a name in backquotes, or a position from 1.
        parameter: String,
        /// The dependency that fills it.
        dependency: Key,
        /// The parameter's type.
        expected: String,
        /// The dependency's output type.
        found: String,
    },
    /// A worker has more dependencies with an output than parameters to take them.
    #[error(
        "worker `{worker}` gets {} from its dependencies, but has {} to take them: \
         add parameters, or `.merge()` or `.suppressed()`",
        count(*.dependencies, "output"), count(*.parameters, "parameter"),
        worker = shown(.worker)
    )]
    TooManyDependencies {
        /// The worker.
        worker: Key,
        /// Number of dependencies that have an output.
        dependencies: usize,
        /// Number of parameters that could take one.
        parameters: usize,
    },
    /// A worker with `unpack` has more than one dependency.
    #[error(
        "worker `{worker}` unpacks, which takes one dependency; it has {dependencies}",
        worker = shown(.worker)
    )]
    UnpackDependencies {
        /// The worker.
        worker: Key,
        /// Number of its dependencies.
        dependencies: usize,
    },
    /// `params` names a different number of parameters than the function has.
    #[error(
        "worker `{worker}` has {}, but `.params([…])` names {names}",
        count(*.parameters, "parameter"),
        worker = shown(.worker)
    )]
    ParamNames {
        /// The worker.
        worker: Key,
        /// Number of parameters, without the context.
        parameters: usize,
        /// Number of names.
        names: usize,
    },
    /// `from` fills a parameter that does not exist.
    #[error(
        "worker `{worker}` has no parameter `{parameter}` to fill from `{from}`; \
         name its parameters with `.params([…])`",
        worker = shown(.worker), parameter = shown(.parameter), from = shown(.from)
    )]
    UnknownParameter {
        /// The worker.
        worker: Key,
        /// The parameter.
        parameter: String,
        /// The worker whose output was to fill it.
        from: Key,
    },
    /// `input` names a parameter that does not exist.
    #[error(
        "worker `{worker}` has no parameter `{parameter}` to fill with an input; \
         name its parameters with `.params([…])`",
        worker = shown(.worker), parameter = shown(.parameter)
    )]
    UnknownInputParameter {
        /// The worker.
        worker: Key,
        /// The parameter.
        parameter: String,
    },
    /// A worker was asked for under a name that was never declared.
    #[error(
        "`{name}` was not declared in this automa: declare it with `#[worker(detached)]` \
         or `declare_func`",
        name = shown(.name)
    )]
    NotDeclared {
        /// The name.
        name: Key,
    },
    /// A declared worker is placed with options that belong to its declaration.
    #[error(
        "`{name}` is declared with its parameters: leave `.params([…])` and `.from(…)` out where \
         it is placed as `{key}`",
        name = shown(.name), key = shown(.key)
    )]
    ParametersAreDeclared {
        /// The name that it is declared under.
        name: Key,
        /// The key that it is placed under.
        key: Key,
    },
    /// Another fault, found by the type that [declares](crate::Automa::declare) the automa.
    #[error("{what}", what = shown(.what))]
    Refused {
        /// What is wrong, and what to do.
        what: String,
    },
    /// A nested automa has a fault.
    #[error("in nested automa `{key}`: {fault}", key = shown(.key))]
    Nested {
        /// The key of the automa.
        key: Key,
        /// The fault.
        fault: Box<Fault>,
    },
}

/// An edit that a running worker asked for and that is impossible.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The edit would make the graph invalid.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The worker to remove does not exist.
    #[error(
        "cannot remove `{key}`: there is no such worker{}",
        listing(.key, .known),
        key = shown(.key)
    )]
    UnknownWorker {
        /// Its key.
        key: Key,
        /// The keys that exist, or the first few of many.
        known: Vec<Key>,
    },
    /// The dependency to remove does not exist.
    #[error(
        "cannot remove the dependency of `{worker}` on `{dependency}`: it has none",
        worker = shown(.worker), dependency = shown(.dependency)
    )]
    NoSuchDependency {
        /// The worker.
        worker: Key,
        /// The worker that it was to stop depending on.
        dependency: Key,
    },
    /// The worker is not an automa whose graph could be edited.
    #[error("`{key}` is not a nested automa of this run", key = shown(.key))]
    NotNested {
        /// Its key.
        key: Key,
    },
    /// The edit of a nested automa's graph is impossible.
    #[error("in nested automa `{key}`: {error}", key = shown(.key))]
    Nested {
        /// The key of the nested automa.
        key: Key,
        /// The reason.
        error: Box<EditError>,
    },
}

impl BuildError {
    /// An error for `automa` with these faults.
    pub fn new(automa: impl Into<String>, faults: Vec<Fault>) -> Self {
        Self { automa: automa.into(), faults }
    }

    pub(crate) fn one(automa: &str, fault: Fault) -> Self {
        Self { automa: automa.to_owned(), faults: vec![fault] }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Printable::lines(f);
        write!(f, "automa `{}`: ", self.automa)?;
        match self.faults.as_slice() {
            [fault] => write!(f, "{fault}"),
            faults => {
                write!(f, "{} faults", faults.len())?;
                faults.iter().try_for_each(|fault| write!(f, "\n- {fault}"))
            }
        }
    }
}

impl std::error::Error for BuildError {}

__debug_is_display!(BuildError, Fault, EditError);

/// Maximum number of keys that a message lists.
const LISTED: usize = 8;

/// The first of `keys` for a message that `name` does not exist. The most similar one is among
/// them.
pub(crate) fn some_keys<'a>(name: &Key, keys: impl Iterator<Item = &'a Key>) -> Vec<Key> {
    let keys: Vec<&Key> = keys.collect();
    let mut some: Vec<Key> = keys.iter().take(LISTED + 1).copied().cloned().collect();
    if let Some(nearest) = nearest(name.as_str(), keys.into_iter().map(Key::as_str))
        && !some.iter().any(|key| key == nearest)
    {
        some.push(nearest.into());
    }
    some
}

/// The end of a message that `name` does not exist: the most similar key, or the existing ones.
pub(crate) fn listing(name: &Key, keys: &[Key]) -> String {
    if keys.is_empty() {
        return "; there are no workers".to_owned();
    }
    match nearest(name.as_str(), keys.iter().map(Key::as_str)) {
        Some(nearest) => format!("; did you mean `{}`?", shown(nearest)),
        None => format!("; the workers are: {}", key_list(keys)),
    }
}

/// The first of `keys` as text.
pub(crate) fn key_list(keys: &[Key]) -> String {
    let listed: Vec<_> = keys.iter().take(LISTED).map(|key| format!("`{}`", shown(key))).collect();
    let more = if keys.len() > LISTED { ", …" } else { "" };
    format!("{}{more}", listed.join(", "))
}

/// A number with its noun: `1 parameter`, `2 parameters`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn arrows(keys: &[Key]) -> String {
    const SHOWN: usize = 12;
    let mut text = String::new();
    for key in keys.iter().take(SHOWN) {
        text += &format!("`{}` → ", shown(key));
    }
    if keys.len() > SHOWN {
        text += &format!("… ({} more) → ", keys.len() - SHOWN);
    }
    if let Some(first) = keys.first() {
        text += &format!("`{}`", shown(first));
    }
    text
}
