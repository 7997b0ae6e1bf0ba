//! Binding of arguments.

use serde_json::Value as Json;

use super::{Called, Mapping, Program, Takes, Worker};

/// What dependencies give, each with its key, by the worker's mapping.
pub(super) fn mapped(worker: &Worker, outputs: Vec<(String, Json)>) -> Result<Called, String> {
    let mut called = Called::default();
    match worker.mapping {
        Mapping::AsIs => called.by_position = outputs.into_iter().map(|(_, value)| value).collect(),
        Mapping::Merge => {
            called.by_position.push(outputs.into_iter().map(|(_, value)| value).collect());
        }
        Mapping::Suppressed => {}
        Mapping::Unpack => match outputs.into_iter().next() {
            None => {}
            Some((_, Json::Array(list))) => called.by_position = list,
            Some((_, Json::Object(map))) => called.by_name = map.into_iter().collect(),
            Some((key, _)) => return Err(format!("cannot unpack {key}")),
        },
    }
    Ok(called)
}

/// How many positional arguments of the run its start workers take at most.
pub(crate) fn most_taken(program: &Program) -> usize {
    let starts = program.graph.workers.iter().filter(|placed| placed.worker.start);
    starts.map(|start| taken(&start.worker, program)).max().unwrap_or_default()
}

/// How many positional arguments of the run a start worker takes at most.
fn taken(worker: &Worker, program: &Program) -> usize {
    let is_given =
        |place: &usize| program.own_names().iter().any(|(name, _)| *name == format!("p{place}"));
    let first = usize::from(worker.from.is_some());
    let left = match worker.takes.parameters() {
        None => usize::MAX,
        Some(parameters) => (first..parameters).filter(|place| !is_given(place)).count(),
    };
    match worker.mapping {
        Mapping::Suppressed => 0,
        _ if left == 0 => 0,
        Mapping::AsIs => left,
        Mapping::Merge => usize::MAX,
        Mapping::Unpack => 1,
    }
}

/// What a start worker takes of the run's arguments.
pub(super) fn of_run(worker: &Worker, program: &Program) -> Result<Called, String> {
    let n_taken = taken(worker, program).min(program.input.by_position.len());
    let taken = program.input.by_position[..n_taken].iter().cloned();
    if worker.mapping != Mapping::AsIs {
        if worker.mapping == Mapping::Merge && self::taken(worker, program) == 0 {
            return Ok(Called::default());
        }
        return mapped(worker, taken.map(|value| ("the run's".to_owned(), value)).collect());
    }
    let mut called = Called::default();
    let Some(parameters) = worker.takes.parameters() else {
        called.by_position.extend(taken);
        return Ok(called);
    };
    let mut taken = taken.peekable();
    for place in usize::from(worker.from.is_some())..parameters {
        let name = format!("p{place}");
        let by_name = program.own_names().iter().find(|(given, _)| *given == name);
        if taken.peek().is_some() {
            called
                .by_position
                .extend(by_name.map(|(_, value)| value.clone()).or_else(|| taken.next()));
        }
    }
    Ok(called)
}

/// Matches what is given, and the run's inputs by name, with the worker's parameters.
pub(super) fn bound(
    worker: &Worker,
    given: Called,
    ferried: bool,
    inputs: &[(String, Json)],
    last_output: impl Fn(&str) -> Option<Json>,
) -> Result<Called, String> {
    let Some(parameters) = worker.takes.parameters() else {
        return Ok(given);
    };
    let find = |names: &[(String, Json)], name: &str| {
        names.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone())
    };
    let Called { by_position, by_name } = given;
    let known = |name: &String| (0..parameters).any(|place| *name == format!("p{place}"));
    if let Some((name, _)) = by_name.iter().find(|(name, _)| !known(name)) {
        return Err(format!("no parameter {name}"));
    }
    let mut positions = by_position.into_iter();
    let mut called = Called::default();
    for place in 0..parameters {
        let name = format!("p{place}");
        let value = match &worker.from {
            Some(from) if place == 0 => {
                // An unpacked map is weaker than the default.
                let by_ferry = find(&by_name, &name).filter(|_| ferried);
                by_ferry.or_else(|| last_output(from)).or_else(|| Some(Json::from(-1)))
            }
            _ => positions.next().or_else(|| find(&by_name, &name)).or_else(|| find(inputs, &name)),
        };
        let value = value.ok_or_else(|| format!("nothing for {name}"))?;
        if matches!(worker.takes, Takes::Numbers(_)) && !value.is_number() {
            return Err(format!("no number for {name}"));
        }
        called.by_position.push(value);
    }
    if positions.next().is_some() {
        return Err("too many arguments".to_owned());
    }
    Ok(called)
}
