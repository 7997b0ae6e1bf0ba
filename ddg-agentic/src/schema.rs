//! JSON schemas of types, and validation of JSON.
//!
//! Schemas that are derived from Rust types use few keywords, which [`derived`] implements. The
//! feature `json-schema` supports all keywords, which tools of MCP servers may use; it compiles a
//! library with 45 crates.

#[cfg(any(test, not(feature = "json-schema")))]
mod derived;
#[cfg(feature = "json-schema")]
mod full;
mod well_formed;

use std::fmt;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value as Json;

#[cfg(not(feature = "json-schema"))]
use derived::Rules;
#[cfg(feature = "json-schema")]
use full::Rules;
use well_formed::well_formed;

/// Maximum number of faults in a message.
const MOST_FAULTS: usize = 10;
/// Maximum length of a fault that quotes the value, in bytes.
const LONGEST_FAULT: usize = 400;
/// Stands for the value in faults that would be longer.
const WHAT_IS_HERE: &str = "what is here";

/// The schema of a `T`, without references except for recursive types.
pub(crate) fn schema_of<T: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let generator = settings.with_transform(WithoutNumberFormats).into_generator();
    generator.into_root_schema_for::<T>().into()
}

/// Removes formats such as `uint32`, which are not standard and which some providers refuse.
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

/// Checks JSON against a schema.
pub(crate) struct Validator(Rules);

impl Validator {
    /// Compiles `schema`.
    ///
    /// # Errors
    /// The reason why it is not a schema.
    pub(crate) fn new(schema: &Json) -> Result<Self, String> {
        well_formed(schema)?;
        Rules::new(schema).map(Self)
    }

    /// Checks `json`.
    ///
    /// # Errors
    /// The faults, sorted, each as `path: what is wrong`, in words that a model can act on. Their
    /// number and length are limited.
    pub(crate) fn check(&self, json: &Json) -> Result<(), Vec<String>> {
        let mut faults = self.0.faults(json);
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

/// Formats a fault as `trip.days: "x" is not of type "integer"`, without a path for the whole
/// value.
fn at_path(path: &str, what: &str) -> String {
    if path.is_empty() { what.to_owned() } else { format!("{path}: {what}") }
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
        /// The destination.
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

    /// Sorts the entries of objects, so that the result does not depend on whether objects keep
    /// their order.
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
                  "description": "The destination.",
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
    fn all_faults_are_reported_with_their_paths() {
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
    }

    /// The library is the reference: the rules for derived schemas find the same faults, in the
    /// same words.
    #[cfg(feature = "json-schema")]
    #[test]
    fn derived_schemas_are_checked_as_by_the_whole_of_json_schema() {
        let (many, two) = (json!(["a", "b", 1, "d"]), json!(["a", null]));
        let object = json!({
            "type": "object",
            "properties": { "n": { "type": ["integer", "null"], "maximum": 2 }, "t": { "$ref": "#/$defs/T" } },
            "required": ["n", "t"],
            "additionalProperties": false,
            "$defs": { "T": { "type": "string", "minLength": 1, "maxLength": 2 } },
        });
        let mut within = object.clone();
        within["properties"]["t"] = json!({ "type": "string" });
        let mut schemas = vec![
            json!(true),
            json!(false),
            json!({ "enum": many }),
            json!({ "enum": two }),
            json!({ "enum": [3] }),
            json!({ "exclusiveMinimum": 1, "exclusiveMaximum": 3 }),
            json!({ "minimum": 1.5, "maximum": 18_446_744_073_709_551_615_u64 }),
            json!({ "type": "array", "prefixItems": [{ "type": "integer" }], "items": { "const": "a" } }),
            json!({ "items": { "type": "integer" }, "uniqueItems": true, "minItems": 2, "maxItems": 3 }),
            json!({ "additionalProperties": { "type": "boolean" }, "minProperties": 1, "maxProperties": 1 }),
            json!({ "allOf": [{ "type": "string" }, { "maxLength": 1 }], "not": { "const": "" } }),
            json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }, within] }),
            json!({ "anyOf": [{ "type": "integer" }, within] }),
            object,
        ];
        schemas.push(schema_of::<Trip>());
        schemas.push(schema_of::<Option<By>>());
        schemas.push(schema_of::<BTreeMap<String, (u8, Vec<By>)>>());
        let deep =
            json!({ "city": "", "days": 300, "price": "x", "nights": -1, "by": { "by": "car" } });
        let values = vec![
            json!(null),
            json!(true),
            json!(0),
            json!(2.0),
            json!(2.5),
            json!(-1),
            json!(""),
            json!("abc"),
            json!("é"),
            json!([]),
            json!([1, "a"]),
            json!(["x", "a", "b"]),
            json!([1, 1]),
            json!({}),
            json!({ "n": 3, "t": "abc" }),
            json!({ "n": null, "t": "" }),
            json!({ "n": 1, "x": 1, "y": 2 }),
            json!({ "n": 1, "t": "x" }),
            json!({ "by": "train", "class": 256 }),
            json!({ "by": "x" }),
            json!({ "a": [1, [{ "by": "train" }, { "by": "car", "seats": "two" }]], "b": [1] }),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1e300),
            json!("x".repeat(500)),
            json!(vec!["x"; 200]),
            json!({ "city": "a", "days": 1, "price": 1, "then": deep }),
            deep,
        ];
        for schema in &schemas {
            let (ours, full) = (derived::Rules::new(schema).unwrap(), Rules::new(schema).unwrap());
            for value in &values {
                let sorted = |mut faults: Vec<String>| {
                    faults.sort_unstable();
                    faults
                };
                assert_eq!(
                    sorted(ours.faults(value)),
                    sorted(full.faults(value)),
                    "{schema}: {value}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_schema_is_told_with_its_path() {
        let faults = [
            json!(7),
            json!({ "type": "numbr" }),
            json!({ "properties": { "a": { "type": [] } } }),
            json!({ "required": "city" }),
            json!({ "required": [1] }),
            json!({ "anyOf": [{ "items": { "enum": 1 } }] }),
            json!({ "$ref": "#/$defs/T" }),
            json!({ "minimum": "1" }),
            json!({ "$defs": { "T": { "additionalProperties": [] } } }),
        ]
        .map(|schema| Validator::new(&schema).unwrap_err());
        expect![[r##"
            7 is not of type "object"
            type: "numbr" is not a JSON type; the types are: array, boolean, integer, null, number, object, string
            properties.a.type: [] is not a JSON type; the types are: array, boolean, integer, null, number, object, string
            required: "city" is not of type "array"
            required: [1] has elements that are not strings
            anyOf.0.items.enum: 1 is not of type "array"
            $ref: "#/$defs/T" points nowhere
            minimum: "1" is not of type "number"
            $defs.T.additionalProperties: [] is not of type "object""##]].assert_eq(&faults.join("\n"));
        // A circle of references is not a fault, and the check ends.
        let circle = Validator::new(&json!({ "$ref": "#", "type": "string" })).unwrap();
        assert!(circle.check(&json!("x")).is_ok());
    }

    #[test]
    fn faults_are_limited_to_what_a_model_can_read() {
        let validator = Validator::new(&schema_of::<Vec<u8>>()).unwrap();
        let faults = validator.check(&vec!["x"; 50].into()).unwrap_err();
        assert_eq!((faults.len(), faults[10].as_str()), (11, "and 40 more"));
        assert_eq!(validator.check(&vec!["x"; 10].into()).unwrap_err().len(), 10);
        let faults = validator.check(&json!([{ "x": "y".repeat(1000) }])).unwrap_err();
        assert_eq!(faults, [r#"0: what is here is not of type "integer""#]);
    }
}
