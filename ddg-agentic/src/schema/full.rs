//! Validation by all of JSON Schema.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value as Json;

use super::{LONGEST_FAULT, WHAT_IS_HERE, at_path};

/// A schema with any keywords.
pub(super) struct Rules(jsonschema::Validator);

impl Rules {
    /// Compiles `schema`.
    ///
    /// # Errors
    /// The reason why it is not a schema.
    pub(super) fn new(schema: &Json) -> Result<Self, String> {
        jsonschema::validator_for(schema).map(Self).map_err(|error| told(&error))
    }

    /// The faults of `json`.
    pub(super) fn faults(&self, json: &Json) -> Vec<String> {
        let mut faults = Vec::new();
        self.0.iter_errors(json).for_each(|error| explain(&error, &mut faults));
        faults
    }
}

/// Describes a fault. Of several alternatives, the one that is meant is described if it can be
/// identified.
fn explain(error: &ValidationError<'_>, faults: &mut Vec<String>) {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        return faults.push(told(error));
    };
    // Another type or another tag means that this alternative is not meant.
    let is_other = |within: &ValidationError<'_>| match within.kind() {
        ValidationErrorKind::Type { .. } => within.instance_path() == error.instance_path(),
        ValidationErrorKind::Constant { .. } => true,
        _ => false,
    };
    let mut meant = context.iter().filter(|errors| !errors.iter().any(is_other));
    match (meant.next(), meant.next()) {
        (Some(meant), None) => meant.iter().for_each(|error| explain(error, faults)),
        _ => faults.push(told(error)),
    }
}

fn told(error: &ValidationError<'_>) -> String {
    let mut what = error.to_string();
    if what.len() > LONGEST_FAULT {
        what = error.masked_with(WHAT_IS_HERE).to_string();
    }
    let path = error.instance_path().to_string();
    at_path(&path.trim_start_matches('/').replace('/', "."), &what)
}
