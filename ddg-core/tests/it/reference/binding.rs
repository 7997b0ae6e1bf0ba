//! From what there is to what a worker is called with.

use serde_json::Value as Json;

use super::{Called, Mapping, Takes, Worker};

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

/// Matches what is given, and the run's inputs by name, with the worker's parameters.
pub(super) fn bound(
    worker: &Worker,
    given: Called,
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
                find(&by_name, &name).or_else(|| last_output(from)).or_else(|| Some(Json::from(-1)))
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
