//! JSON schemas of types, and whether JSON is what a schema asks for.

use std::fmt;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value as Json;

/// How many faults are told at a time.
const MOST_FAULTS: usize = 10;
/// How many bytes a fault may have before it no longer cites what is wrong.
const LONGEST_FAULT: usize = 400;

/// The schema of what a `T` is read from: in one piece, but for types that hold themselves.
pub(crate) fn schema_of<T: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let generator = settings.with_transform(WithoutNumberFormats).into_generator();
    generator.into_root_schema_for::<T>().into()
}

/// Drops `uint32` and the like: they are of no standard, and some providers refuse them.
#[derive(Clone)]
struct WithoutNumberFormats;

impl Transform for WithoutNumberFormats {
    fn transform(&mut self, schema: &mut Schema) {
        let is_number = |format: &str| {
            let bits = format.trim_start_matches('u').strip_prefix("int");
            let is_integer = bits.is_some_and(|bits| bits.bytes().all(|bit| bit.is_ascii_digit()));
            is_integer || matches!(format, "float" | "double")
        };
        if schema.get("format").and_then(Json::as_str).is_some_and(is_number) {
            schema.remove("format");
        }
        transform_subschemas(self, schema);
    }
}

/// Tells whether JSON is what a schema asks for.
pub(crate) struct Validator(jsonschema::Validator);

impl Validator {
    /// That of `schema`.
    ///
    /// # Errors
    /// Why it is no schema.
    pub(crate) fn new(schema: &Json) -> Result<Self, String> {
        jsonschema::validator_for(schema).map(Self).map_err(|error| at_path(&error))
    }

    /// Checks `json`.
    ///
    /// # Errors
    /// What is wrong with it, sorted, each as `path: what is wrong`, in words that a model can act
    /// on, and no more of it than a model can read.
    pub(crate) fn check(&self, json: &Json) -> Result<(), Vec<String>> {
        let mut faults = Vec::new();
        self.0.iter_errors(json).for_each(|error| explain(&error, &mut faults));
        faults.sort_unstable();
        if let Some(n_more @ 1..) = faults.len().checked_sub(MOST_FAULTS) {
            faults.truncate(MOST_FAULTS);
            faults.push(format!("and {n_more} more"));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validator")
    }
}

/// Says what is wrong; with one of several alternatives, what is wrong with the one that is meant, if
/// that can be told.
fn explain(error: &ValidationError<'_>, faults: &mut Vec<String>) {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        return faults.push(at_path(error));
    };
    // Another type, or another tag, and it is not the one that is meant.
    let is_other = |within: &ValidationError<'_>| match within.kind() {
        ValidationErrorKind::Type { .. } => within.instance_path() == error.instance_path(),
        ValidationErrorKind::Constant { .. } => true,
        _ => false,
    };
    let mut meant = context.iter().filter(|errors| !errors.iter().any(is_other));
    match (meant.next(), meant.next()) {
        (Some(meant), None) => meant.iter().for_each(|error| explain(error, faults)),
        _ => faults.push(at_path(error)),
    }
}

/// `trip.days: "x" is not of type "integer"`; without a path where the whole is meant.
fn at_path(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let mut what = error.to_string();
    if what.len() > LONGEST_FAULT {
        what = error.masked_with("what is here").to_string();
    }
    match path.trim_start_matches('/').replace('/', ".") {
        path if path.is_empty() => what,
        path => format!("{path}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Trip {
        /// Where to.
        city: String,
        days: u8,
        nights: Option<usize>,
        price: f64,
        then: Option<Box<Trip>>,
        by: Option<By>,
    }

    #[derive(JsonSchema)]
    #[serde(tag = "by", rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum By {
        Train { class: u8 },
        Car { seats: u8 },
    }

    /// As it is written whether or not objects keep the order of their entries.
    fn sorted(json: Json) -> Json {
        match json {
            Json::Object(map) => {
                let map: BTreeMap<_, _> =
                    map.into_iter().map(|(key, json)| (key, sorted(json))).collect();
                map.into_iter().collect()
            }
            Json::Array(items) => items.into_iter().map(sorted).collect(),
            scalar => scalar,
        }
    }

    #[test]
    fn numbers_have_no_format_and_nothing_is_nested_but_what_holds_itself() {
        expect![[r##"
            {
              "properties": {
                "by": {
                  "anyOf": [
                    {
                      "oneOf": [
                        {
                          "properties": {
                            "by": {
                              "const": "train",
                              "type": "string"
                            },
                            "class": {
                              "maximum": 255,
                              "minimum": 0,
                              "type": "integer"
                            }
                          },
                          "required": [
                            "by",
                            "class"
                          ],
                          "type": "object"
                        },
                        {
                          "properties": {
                            "by": {
                              "const": "car",
                              "type": "string"
                            },
                            "seats": {
                              "maximum": 255,
                              "minimum": 0,
                              "type": "integer"
                            }
                          },
                          "required": [
                            "by",
                            "seats"
                          ],
                          "type": "object"
                        }
                      ]
                    },
                    {
                      "type": "null"
                    }
                  ]
                },
                "city": {
                  "description": "Where to.",
                  "type": "string"
                },
                "days": {
                  "maximum": 255,
                  "minimum": 0,
                  "type": "integer"
                },
                "nights": {
                  "minimum": 0,
                  "type": [
                    "integer",
                    "null"
                  ]
                },
                "price": {
                  "type": "number"
                },
                "then": {
                  "anyOf": [
                    {
                      "$ref": "#"
                    },
                    {
                      "type": "null"
                    }
                  ]
                }
              },
              "required": [
                "city",
                "days",
                "price"
              ],
              "title": "Trip",
              "type": "object"
            }"##]]
        .assert_eq(&serde_json::to_string_pretty(&sorted(schema_of::<Trip>())).unwrap());
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_path() {
        let validator = Validator::new(&schema_of::<Trip>()).unwrap();
        let checked = validator.check(&json!({
            "city": 1,
            "then": { "days": "x", "by": { "by": "plane" } },
            "by": { "by": "car", "seats": "two" },
        }));
        expect![[r#"
            "days" is a required property
            "price" is a required property
            by.seats: "two" is not of type "integer"
            city: 1 is not of type "string"
            then.by: {"by":"plane"} is not valid under any of the schemas listed in the 'oneOf' keyword
            then.days: "x" is not of type "integer"
            then: "city" is a required property
            then: "price" is a required property"#]].assert_eq(&checked.unwrap_err().join("\n"));
        let no_schema = Validator::new(&json!({ "type": "numbr" })).unwrap_err();
        expect![[
            r#"type: "numbr" is not valid under any of the schemas listed in the 'anyOf' keyword"#
        ]]
        .assert_eq(&no_schema);
    }

    #[test]
    fn no_more_is_told_than_a_model_can_read() {
        let validator = Validator::new(&schema_of::<Vec<u8>>()).unwrap();
        let faults = validator.check(&vec!["x"; 50].into()).unwrap_err();
        assert_eq!((faults.len(), faults[10].as_str()), (11, "and 40 more"));
        assert_eq!(validator.check(&vec!["x"; 10].into()).unwrap_err().len(), 10);
        let faults = validator.check(&json!([{ "x": "y".repeat(1000) }])).unwrap_err();
        assert_eq!(faults, [r#"0: what is here is not of type "integer""#]);
    }
}
