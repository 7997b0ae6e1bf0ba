//! The description of a function: its name, its doc comment, and the schema of its parameters.

use ddg_agentic::schemars::JsonSchema;
use ddg_agentic::tool;
use ddg_agentic::tool::{State, Tool};
use ddg_core::prelude::*;
use expect_test::{Expect, expect};
use serde::{Deserialize, Serialize};

use super::written;

#[track_caller]
fn check(tool: &impl Tool, expected: &Expect) {
    expected.assert_eq(&written(serde_json::to_value(tool.spec()).unwrap()));
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Unit {
    #[default]
    Celsius,
    /// For Americans.
    Fahrenheit,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Place {
    city: String,
    country: Option<String>,
}

struct Stations;

/// Tells the weather of the next days.
///
/// Use it before you plan a trip.
#[tool]
async fn weather(
    /// Where, in English.
    place: Place,
    #[default = 2 + 1]
    #[schemars(range(min = 1))]
    days: u32,
    #[default] unit: Unit,
    /// What to look at;
    /// everything if left out.
    only: Option<Vec<String>>,
    #[serde(rename = "min-temperature")] min: Option<f64>,
    _cx: &Context,
    _stations: State<Stations>,
) -> String {
    format!("{place:?} {days} {unit:?} {only:?} {min:?}")
}

#[test]
fn a_model_gets_names_types_docs_and_defaults_and_no_injected_parameters() {
    check(
        &weather::tool(),
        &expect![[r#"
            {
              "description": "Tells the weather of the next days.\n\nUse it before you plan a trip.",
              "name": "weather",
              "parameters": {
                "additionalProperties": false,
                "properties": {
                  "days": {
                    "default": 3,
                    "minimum": 1,
                    "type": "integer"
                  },
                  "min-temperature": {
                    "type": [
                      "number",
                      "null"
                    ]
                  },
                  "only": {
                    "description": "What to look at;\neverything if left out.",
                    "items": {
                      "type": "string"
                    },
                    "type": [
                      "array",
                      "null"
                    ]
                  },
                  "place": {
                    "description": "Where, in English.",
                    "properties": {
                      "city": {
                        "type": "string"
                      },
                      "country": {
                        "type": [
                          "string",
                          "null"
                        ]
                      }
                    },
                    "required": [
                      "city"
                    ],
                    "type": "object"
                  },
                  "unit": {
                    "default": "celsius",
                    "oneOf": [
                      {
                        "enum": [
                          "celsius"
                        ],
                        "type": "string"
                      },
                      {
                        "const": "fahrenheit",
                        "description": "For Americans.",
                        "type": "string"
                      }
                    ]
                  }
                },
                "required": [
                  "place"
                ],
                "type": "object"
              }
            }"#]],
    );
}

#[test]
fn nothing_to_give_is_an_object_without_properties() {
    /// What time it is.
    #[tool]
    fn now() -> u32 {
        12
    }
    check(
        &now::tool(),
        &expect![[r#"
            {
              "description": "What time it is.",
              "name": "now",
              "parameters": {
                "additionalProperties": false,
                "properties": {},
                "type": "object"
              }
            }"#]],
    );
    assert_eq!(now(), 12);
}

#[test]
fn name_and_description_can_be_set() {
    #[tool(name = "web-search", description = "Searches.")]
    async fn r#type(r#in: &str, words: &[String]) -> usize {
        r#in.len() + words.len()
    }
    check(
        &r#type::tool(),
        &expect![[r#"
            {
              "description": "Searches.",
              "name": "web-search",
              "parameters": {
                "additionalProperties": false,
                "properties": {
                  "in": {
                    "type": "string"
                  },
                  "words": {
                    "items": {
                      "type": "string"
                    },
                    "type": "array"
                  }
                },
                "required": [
                  "in",
                  "words"
                ],
                "type": "object"
              }
            }"#]],
    );
}
