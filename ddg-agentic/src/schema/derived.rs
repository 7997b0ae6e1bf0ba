//! Validation by the keywords of schemas derived from Rust types. The messages are those of the
//! library that supports all of JSON Schema.
//!
//! Other keywords (`pattern`, `format`, `if` …) are ignored: reading the JSON as the type reports
//! what they would.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value as Json};

use super::well_formed::resolve;
use super::{LONGEST_FAULT, WHAT_IS_HERE, at_path};

/// Maximum number of references in a row. More are taken for a circle.
const MOST_REFERENCES: u32 = 16;
/// Maximum number of candidates in a message.
const MOST_CANDIDATES: usize = 3;

/// A schema that is derived from a type.
pub(super) struct Rules(Json);

impl Rules {
    /// Creates the rules of `schema`, which is well-formed.
    #[expect(clippy::unnecessary_wraps, reason = "that of the whole of JSON Schema can fail")]
    pub(super) fn new(schema: &Json) -> Result<Self, String> {
        Ok(Self(schema.clone()))
    }

    /// The faults of `json`.
    pub(super) fn faults(&self, json: &Json) -> Vec<String> {
        let here = Here { root: &self.0, json, path: String::new(), n_references: 0 };
        let faults = here.check(&self.0);
        faults.iter().map(|fault| at_path(&fault.path, &fault.what)).collect()
    }
}

/// A part of the JSON, with its path.
#[derive(Clone)]
struct Here<'a> {
    root: &'a Json,
    json: &'a Json,
    path: String,
    n_references: u32,
}

struct Fault {
    path: String,
    kind: Kind,
    what: String,
}

/// The kind of a fault, which shows whether another alternative is meant.
#[derive(PartialEq)]
enum Kind {
    Type,
    Constant,
    Other,
}

impl<'a> Here<'a> {
    fn at(&self, step: &str, json: &'a Json) -> Self {
        let path = match self.path.as_str() {
            "" => step.to_owned(),
            path => format!("{path}.{step}"),
        };
        Self { root: self.root, json, path, n_references: 0 }
    }

    fn check(&self, schema: &'a Json) -> Vec<Fault> {
        let mut faults = Vec::new();
        match schema {
            Json::Bool(false) => {
                faults.extend(self.fault(|it| format!("False schema does not allow {it}")));
            }
            Json::Object(keywords) => {
                for (keyword, value) in keywords {
                    self.keyword(keywords, keyword, value, &mut faults);
                }
            }
            _ => {}
        }
        faults
    }

    fn keyword(
        &self,
        keywords: &'a Map<String, Json>,
        keyword: &str,
        value: &'a Json,
        faults: &mut Vec<Fault>,
    ) {
        let list = value.as_array().map_or(&[][..], Vec::as_slice);
        match keyword {
            "$ref" if self.n_references < MOST_REFERENCES => {
                let target = value.as_str().and_then(|target| resolve(self.root, target));
                let there = Self { n_references: self.n_references + 1, ..self.clone() };
                faults.extend(target.into_iter().flat_map(|schema| there.check(schema)));
            }
            "type" if !is_of_type(self.json, value) => {
                let what = |it: &str| match value {
                    Json::Array(types) => {
                        let types: Vec<_> = types.iter().map(Json::to_string).collect();
                        format!("{it} is not of types {}", types.join(", "))
                    }
                    one => format!("{it} is not of type {one}"),
                };
                let fault = self.fault(what);
                faults.extend(fault.map(|fault| Fault { kind: Kind::Type, ..fault }));
            }
            "const" if self.json != value => {
                let fault = self.fault(|_| format!("{value} was expected"));
                faults.extend(fault.map(|fault| Fault { kind: Kind::Constant, ..fault }));
            }
            "enum" if !list.contains(self.json) => {
                faults.extend(self.fault(|it| format!("{it} is not one of {}", candidates(list))));
            }
            "anyOf" | "oneOf" => self.alternatives(keyword, list, faults),
            "allOf" => faults.extend(list.iter().flat_map(|schema| self.check(schema))),
            "not" if self.check(value).is_empty() => {
                faults.extend(self.fault(|it| format!("{value} is not allowed for {it}")));
            }
            _ => match self.json {
                Json::Number(number) => faults.extend(self.number(keyword, number, value)),
                Json::String(text) => {
                    let n_chars = text.chars().count();
                    let bound = Bound { least: "minLength", most: "maxLength" };
                    let words = ["shorter than", "longer than", "character", "characters"];
                    faults.extend(self.size(keyword, value, n_chars, &bound, words, "is"));
                }
                Json::Array(items) => self.array(keywords, keyword, value, items, faults),
                Json::Object(fields) => self.object(keywords, keyword, value, fields, faults),
                Json::Null | Json::Bool(_) => {}
            },
        }
    }

    /// Adds the faults of the alternative that is meant, if it can be identified.
    fn alternatives(&self, keyword: &str, schemas: &'a [Json], faults: &mut Vec<Fault>) {
        let of_each: Vec<_> = schemas.iter().map(|schema| self.check(schema)).collect();
        match of_each.iter().filter(|faults| faults.is_empty()).count() {
            0 => {}
            2.. if keyword == "oneOf" => {
                return faults.extend(self.fault(|it| {
                    format!("{it} is valid under more than one of the schemas listed in the 'oneOf' keyword")
                }));
            }
            _ => return,
        }
        // Another type or another tag means that this alternative is not meant.
        let is_other = |fault: &Fault| match fault.kind {
            Kind::Type => fault.path == self.path,
            Kind::Constant => true,
            Kind::Other => false,
        };
        let mut meant = of_each.into_iter().filter(|faults| !faults.iter().any(is_other));
        match (meant.next(), meant.next()) {
            (Some(meant), None) => {
                faults.extend(meant.into_iter().map(|fault| Fault { kind: Kind::Other, ..fault }));
            }
            _ => faults.extend(self.fault(|it| {
                format!(
                    "{it} is not valid under any of the schemas listed in the '{keyword}' keyword"
                )
            })),
        }
    }

    fn number(&self, keyword: &str, number: &Number, limit: &Json) -> Option<Fault> {
        let order = order(number, limit.as_number()?)?;
        let wrong = match keyword {
            "minimum" if order == Ordering::Less => "less than the minimum of",
            "maximum" if order == Ordering::Greater => "greater than the maximum of",
            "exclusiveMinimum" if order != Ordering::Greater => {
                "less than or equal to the minimum of"
            }
            "exclusiveMaximum" if order != Ordering::Less => {
                "greater than or equal to the maximum of"
            }
            _ => return None,
        };
        self.fault(|it| format!("{it} is {wrong} {limit}"))
    }

    fn array(
        &self,
        keywords: &'a Map<String, Json>,
        keyword: &str,
        value: &'a Json,
        items: &'a [Json],
        faults: &mut Vec<Fault>,
    ) {
        let prefix = keywords.get("prefixItems").and_then(Json::as_array).map_or(0, Vec::len);
        let each = items.iter().enumerate();
        let at = |(place, item): (usize, &'a Json), schema| {
            self.at(&place.to_string(), item).check(schema)
        };
        match (keyword, value) {
            ("prefixItems", Json::Array(schemas)) => {
                faults.extend(each.zip(schemas).flat_map(|(item, schema)| at(item, schema)));
            }
            ("items", schema) => faults.extend(each.skip(prefix).flat_map(|item| at(item, schema))),
            ("uniqueItems", Json::Bool(true)) => {
                let is_twice = |(place, item)| items[..place].contains(item);
                if each.into_iter().any(is_twice) {
                    faults.extend(self.fault(|it| format!("{it} has non-unique elements")));
                }
            }
            _ => {
                let bound = Bound { least: "minItems", most: "maxItems" };
                let words = ["less than", "more than", "item", "items"];
                faults.extend(self.size(keyword, value, items.len(), &bound, words, "has"));
            }
        }
    }

    fn object(
        &self,
        keywords: &'a Map<String, Json>,
        keyword: &str,
        value: &'a Json,
        fields: &'a Map<String, Json>,
        faults: &mut Vec<Fault>,
    ) {
        match (keyword, value) {
            ("properties", Json::Object(schemas)) => {
                let each =
                    fields.iter().filter_map(|(name, json)| Some((name, json, schemas.get(name)?)));
                faults.extend(
                    each.flat_map(|(name, json, schema)| self.at(name, json).check(schema)),
                );
            }
            ("required", Json::Array(names)) => {
                let missing =
                    |name: &&Json| name.as_str().is_some_and(|name| !fields.contains_key(name));
                let missing = names.iter().filter(missing);
                faults.extend(
                    missing.filter_map(|name| {
                        self.fault(|_| format!("{name} is a required property"))
                    }),
                );
            }
            ("additionalProperties", schema) if !keywords.contains_key("patternProperties") => {
                let known = keywords.get("properties").and_then(Json::as_object);
                let is_known = |name: &str| known.is_some_and(|known| known.contains_key(name));
                let more: Vec<_> = fields.iter().filter(|(name, _)| !is_known(name)).collect();
                if schema != &Json::Bool(false) {
                    faults.extend(
                        more.iter().flat_map(|(name, json)| self.at(name, json).check(schema)),
                    );
                } else if !more.is_empty() {
                    faults.extend(self.fault(|it| unexpected(&more, it == WHAT_IS_HERE)));
                }
            }
            _ => {
                let bound = Bound { least: "minProperties", most: "maxProperties" };
                let words = ["less than", "more than", "property", "properties"];
                faults.extend(self.size(keyword, value, fields.len(), &bound, words, "has"));
            }
        }
    }

    fn size(
        &self,
        keyword: &str,
        limit: &Json,
        size: usize,
        bound: &Bound,
        [less, more, one, many]: [&str; 4],
        verb: &str,
    ) -> Option<Fault> {
        let limit = usize::try_from(limit.as_u64()?).unwrap_or(usize::MAX);
        let wrong = match keyword {
            least if least == bound.least && size < limit => less,
            most if most == bound.most && size > limit => more,
            _ => return None,
        };
        let noun = if limit == 1 { one } else { many };
        self.fault(|it| format!("{it} {verb} {wrong} {limit} {noun}"))
    }

    /// A fault of this part. `what` gets the JSON to quote, unless it is too long.
    fn fault(&self, what: impl Fn(&str) -> String) -> Option<Fault> {
        let mut told = what(&self.json.to_string());
        if told.len() > LONGEST_FAULT {
            told = what(WHAT_IS_HERE);
        }
        Some(Fault { path: self.path.clone(), kind: Kind::Other, what: told })
    }
}

/// The keywords that limit a size.
struct Bound {
    least: &'static str,
    most: &'static str,
}

fn is_of_type(json: &Json, types: &Json) -> bool {
    let is = |ty: &Json| match ty.as_str() {
        Some("array") => json.is_array(),
        Some("boolean") => json.is_boolean(),
        Some("integer") => {
            json.is_i64() || json.is_u64() || json.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        Some("null") => json.is_null(),
        Some("number") => json.is_number(),
        Some("object") => json.is_object(),
        Some("string") => json.is_string(),
        _ => false,
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

fn order(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// Formats a list as `"a", "b" or "c"`.
fn candidates(list: &[Json]) -> String {
    let shown = if list.len() > MOST_CANDIDATES { MOST_CANDIDATES - 1 } else { list.len() };
    let (shown, more) = list.split_at(shown);
    let mut shown: Vec<_> = shown.iter().map(Json::to_string).collect();
    let last = match more.len() {
        0 => shown.pop(),
        n_more => Some(format!("{n_more} other candidates")),
    };
    match (shown.is_empty(), last) {
        (false, Some(last)) => format!("{} or {last}", shown.join(", ")),
        (_, last) => last.unwrap_or_default(),
    }
}

/// Lists the fields that are not allowed, or only counts them.
fn unexpected(fields: &[(&String, &Json)], counted: bool) -> String {
    let what = match (counted, fields) {
        (true, [_]) => return "Additional properties are not allowed (1 item)".to_owned(),
        (true, fields) => {
            return format!("Additional properties are not allowed ({} items)", fields.len());
        }
        (false, fields) => {
            let names: Vec<_> = fields.iter().map(|(name, _)| format!("'{name}'")).collect();
            names.join(", ")
        }
    };
    let were = if fields.len() == 1 { "was" } else { "were" };
    format!("Additional properties are not allowed ({what} {were} unexpected)")
}
