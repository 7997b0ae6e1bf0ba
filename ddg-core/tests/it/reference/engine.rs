//! The real engine, with the types of the reference.

use std::fmt::Write;

use ddg_core::context::GraphView;
use ddg_core::graph::{EditError, Fault};
use ddg_core::prelude::*;
use ddg_core::run::{BindError, FailureKind, StepFailure};
use serde_json::Value as Json;

use super::{Called, Kind, Mapping, Worker, joined};

pub(crate) fn options(worker: &Worker) -> WorkerOptions {
    let mut options = match worker.dependencies.is_empty() && !worker.after_nobody {
        true => free(),
        false => after(&worker.dependencies),
    };
    if worker.after_loops {
        options = options.after_loops();
    }
    if worker.start {
        options = options.start();
    }
    if worker.output {
        options = options.output();
    }
    if worker.in_order {
        options = options.in_order();
    }
    options = match worker.mapping {
        Mapping::AsIs => options.as_is(),
        Mapping::Merge => options.merge(),
        Mapping::Unpack => options.unpack(),
        Mapping::Suppressed => options.suppressed(),
    };
    if let Some(n) = worker.takes.parameters() {
        options = options.params((0..n).map(|place| format!("p{place}")));
    }
    if let Some(from) = &worker.from {
        options = options.from_or("p0", from, -1_i64);
    }
    match worker.kind {
        Kind::Inline => options.inline(),
        Kind::Blocking => options.blocking(),
        Kind::Own | Kind::Async | Kind::Silent => options,
    }
}

pub(crate) fn args(called: &Called) -> Args {
    let by_position = called.by_position.iter().cloned();
    let args = by_position.fold(Args::new(), |args, value| args.with(Value::from_json(value)));
    let by_name = called.by_name.iter().cloned();
    by_name.fold(args, |args, (name, value)| args.with_named(name, Value::from_json(value)))
}

pub(crate) fn called_with(args: &Args) -> Called {
    Called {
        by_position: args.positional().iter().map(json).collect(),
        by_name: args.by_name().map(|(name, value)| (name.to_owned(), json(value))).collect(),
    }
}

pub(crate) fn json(value: &Value) -> Json {
    value.to_json().unwrap()
}

/// A graph in the words of the reference.
fn nodes(nodes: impl Iterator<Item = (String, Vec<String>)>) -> String {
    let mut text = String::new();
    for (key, dependencies) in nodes {
        write!(text, "{}{key}", if text.is_empty() { "" } else { "; " }).unwrap();
        if !dependencies.is_empty() {
            write!(text, " < {}", joined(dependencies)).unwrap();
        }
    }
    text
}

pub(crate) fn graph(automa: &GraphAutoma) -> String {
    nodes(automa.keys().map(|key| {
        let dependencies = automa.dependencies(key.as_str()).unwrap();
        (key.to_string(), dependencies.iter().map(ToString::to_string).collect())
    }))
}

pub(crate) fn view(view: &GraphView<'_>) -> String {
    nodes(view.keys().iter().map(|key| {
        let dependencies = view.dependencies(key.as_str()).unwrap();
        (key.to_string(), dependencies.iter().map(ToString::to_string).collect())
    }))
}

/// Who failed, and why.
pub(crate) fn failure(failure: &StepFailure) -> (String, String) {
    let why = match &failure.kind {
        FailureKind::Worker(error) if error.to_string() == "as the script says" => {
            "failed".to_owned()
        }
        FailureKind::Bind(error) => bind_error(error),
        FailureKind::Edit(error) => edit_error(error),
        FailureKind::UnknownFerryTarget { target, .. } => format!("ferry to unknown {target}"),
        FailureKind::InOrder { successors, .. } => format!("deals to {successors}"),
        FailureKind::SecondOutput { first } => format!("output after {first}"),
        _ => failure.to_string(),
    };
    (failure.worker.to_string(), why)
}

fn bind_error(error: &BindError) -> String {
    let unquoted = |name: &String| name.trim_matches('`').to_owned();
    match error {
        BindError::TooFew { parameter, .. } => format!("nothing for {}", unquoted(parameter)),
        BindError::TooMany { .. } => "too many arguments".to_owned(),
        BindError::UnknownName { name, .. } => format!("no parameter {name}"),
        BindError::Mismatch { parameter, .. } => format!("no number for {}", unquoted(parameter)),
        BindError::ArgumentNotUnpackable { .. } => "cannot unpack the run's".to_owned(),
        BindError::NotUnpackable { dependency, .. } => format!("cannot unpack {dependency}"),
        other => other.to_string(),
    }
}

pub(crate) fn edit_error(error: &EditError) -> String {
    match error {
        EditError::Fault(fault) => match fault {
            Fault::DuplicateKey { key } => format!("duplicate key {key}"),
            Fault::UnknownDependency { worker, dependency, .. } => {
                format!("{worker} after unknown {dependency}")
            }
            Fault::DuplicateDependency { worker, dependency } => {
                format!("{worker} after {dependency} twice")
            }
            Fault::UnknownDependent { worker, .. } => format!("change unknown {worker}"),
            Fault::SelfDependency { worker } => format!("{worker} after itself"),
            Fault::Cycle { .. } => "cycle".to_owned(),
            Fault::TooManyDependencies { worker, .. } => {
                format!("{worker} has too many dependencies")
            }
            Fault::UnpackDependencies { worker, dependencies } => {
                format!("{worker} unpacks {dependencies}")
            }
            other => other.to_string(),
        },
        EditError::UnknownWorker { key, .. } => format!("remove unknown {key}"),
        EditError::NoSuchDependency { worker, dependency } => {
            format!("{worker} is not after {dependency}")
        }
        other => other.to_string(),
    }
}
