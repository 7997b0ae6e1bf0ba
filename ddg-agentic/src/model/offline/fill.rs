//! Finds values for a JSON schema in a text.

use serde_json::{Map, Value as Json, json};

use super::words::{Text, words_of_name};

/// Names of parameters that are places to start from, and places to go to.
const ORIGINS: [&str; 5] = ["from", "origin", "source", "departure", "start"];
const GOALS: [&str; 5] = ["to", "destination", "target", "arrival", "end"];
const PLACES: [&str; 7] = ["city", "place", "location", "town", "country", "region", "area"];

/// Values that the text does not have.
#[derive(Debug)]
pub(super) struct Missing {
    /// The names of the missing values.
    pub(super) names: Vec<String>,
    /// The value with blanks for the missing ones: empty texts and zeros.
    pub(super) rest: Json,
}

/// Finds a value for `schema`, an object.
///
/// # Errors
/// If the text does not have everything that is required.
pub(super) fn fill(schema: &Json, text: &Text<'_>) -> Result<Json, Missing> {
    let mut filling = Filling { text, taken: Vec::new(), missing: Vec::new() };
    let json = filling.object(schema);
    if filling.missing.is_empty() {
        Ok(json)
    } else {
        Err(Missing { names: filling.missing, rest: json })
    }
}

struct Filling<'a> {
    text: &'a Text<'a>,
    /// The positions of numbers that have been used.
    taken: Vec<usize>,
    missing: Vec<String>,
}

impl Filling<'_> {
    fn object(&mut self, schema: &Json) -> Json {
        let parameters = parameters(schema);
        // A number next to the name of one parameter belongs to no other.
        let named: Vec<_> =
            parameters.iter().map(|parameter| self.number_by_name(parameter)).collect();
        let mut object = Map::new();
        for (parameter, named) in parameters.iter().zip(named) {
            let found = named.or_else(|| self.find(parameter));
            let value = match found.or_else(|| parameter.schema.get("default").cloned()) {
                Some(value) => value,
                None if parameter.required => {
                    self.missing.push(parameter.name.to_owned());
                    blank(parameter)
                }
                None => continue,
            };
            object.insert(parameter.name.to_owned(), value);
        }
        Json::Object(object)
    }

    fn find(&mut self, parameter: &Parameter<'_>) -> Option<Json> {
        if let Some(values) = parameter.schema["enum"].as_array() {
            let named = |value: &&Json| value.as_str().is_some_and(|value| self.text.has(value));
            return values.iter().find(named).cloned();
        }
        match parameter.ty {
            "string" => self.string(parameter).map(Json::from),
            "integer" | "number" => self.next_number(parameter),
            "boolean" => {
                parameter.words.iter().any(|word| self.text.has(word)).then_some(Json::Bool(true))
            }
            "object" => Some(self.object(parameter.schema)),
            "array" => self.list(parameter),
            _ => None,
        }
    }

    fn string(&self, parameter: &Parameter<'_>) -> Option<String> {
        let text = self.text;
        if parameter.is_any(&ORIGINS) {
            return text.place_after(&["from"]);
        }
        if parameter.is_any(&GOALS) {
            return text.place_after(&["to"]).or_else(|| text.place_after(&["in", "at", "for"]));
        }
        if parameter.is_any(&PLACES) {
            let prepositions: [&[&str]; 3] = [&["to", "in"], &["at", "for", "of"], &["from"]];
            return prepositions.into_iter().find_map(|before| text.place_after(before));
        }
        let quoted = text.quoted().map(ToOwned::to_owned);
        quoted.or_else(|| parameter.required.then(|| text.raw().to_owned()))
    }

    fn number_by_name(&mut self, parameter: &Parameter<'_>) -> Option<Json> {
        if !parameter.is_number() {
            return None;
        }
        let (place, number) = self.text.numbers().find(|(place, _)| {
            !self.taken.contains(place) && self.text.stands_by(*place, &parameter.words)
        })?;
        self.taken.push(place);
        parameter.number(number)
    }

    /// The next unused number, or the only number.
    fn next_number(&mut self, parameter: &Parameter<'_>) -> Option<Json> {
        if !parameter.required {
            return None;
        }
        let free = self.text.numbers().find(|(place, _)| !self.taken.contains(place));
        if let Some((place, number)) = free {
            self.taken.push(place);
            return parameter.number(number);
        }
        let mut numbers = self.text.numbers().map(|(_, number)| number);
        let first = numbers.next()?;
        numbers.all(|number| number == first).then(|| parameter.number(first)).flatten()
    }

    fn list(&self, parameter: &Parameter<'_>) -> Option<Json> {
        let item = Parameter::new(parameter.name, &parameter.schema["items"], parameter.required);
        if item.is_number() {
            return Some(
                self.text.numbers().filter_map(|(_, number)| item.number(number)).collect(),
            );
        }
        match item.ty {
            "string" => self.string(&item).map(|text| json!([text])),
            _ => None,
        }
    }
}

/// A parameter of a schema.
struct Parameter<'a> {
    name: &'a str,
    words: Vec<String>,
    schema: &'a Json,
    ty: &'a str,
    required: bool,
}

impl<'a> Parameter<'a> {
    fn new(name: &'a str, schema: &'a Json, required: bool) -> Self {
        let schema = filled(schema);
        Self { name, words: words_of_name(name), schema, ty: type_of(schema), required }
    }

    fn is_any(&self, names: &[&str]) -> bool {
        self.words.iter().any(|word| names.contains(&word.as_str()))
    }

    fn is_number(&self) -> bool {
        matches!(self.ty, "integer" | "number")
    }

    /// Converts a number; `None` if it must be whole and is not.
    fn number(&self, number: f64) -> Option<Json> {
        match self.ty {
            "integer" if number.fract() == 0.0 => Some(json!(number as i64)),
            "integer" => None,
            _ => Some(json!(number)),
        }
    }
}

/// The parameters of an object: the required ones in their order, then the others.
fn parameters(schema: &Json) -> Vec<Parameter<'_>> {
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let optional = properties.keys().map(String::as_str).filter(|name| !required.contains(name));
    let names = required.iter().copied().map(|name| (name, true));
    names
        .chain(optional.map(|name| (name, false)))
        .filter_map(|(name, required)| Some(Parameter::new(name, properties.get(name)?, required)))
        .collect()
}

/// The schema of an optional value without the option.
fn filled(schema: &Json) -> &Json {
    let mut forms = ["anyOf", "oneOf"].into_iter().filter_map(|form| schema[form].as_array());
    let some = |forms: &'_ Vec<Json>| forms.iter().position(|form| type_of(form) != "null");
    forms.find_map(|forms| some(forms).map(|place| &forms[place])).unwrap_or(schema)
}

fn type_of(schema: &Json) -> &str {
    match &schema["type"] {
        Json::String(ty) => ty,
        Json::Array(types) => {
            types.iter().filter_map(Json::as_str).find(|ty| *ty != "null").unwrap_or_default()
        }
        _ => "",
    }
}

fn blank(parameter: &Parameter<'_>) -> Json {
    if let Some(values) = parameter.schema["enum"].as_array() {
        return values.first().cloned().unwrap_or_default();
    }
    match parameter.ty {
        "string" => json!(""),
        "integer" | "number" => json!(0),
        "boolean" => json!(false),
        "array" => json!([]),
        _ => Json::Null,
    }
}
