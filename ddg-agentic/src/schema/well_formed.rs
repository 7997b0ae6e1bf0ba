//! Whether JSON is a schema, judged by the keywords that all schemas use.

use serde_json::Value as Json;

use super::at_path;

/// The types of JSON values.
pub(super) const TYPES: [&str; 7] =
    ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Checks that `schema` is a schema.
///
/// # Errors
/// The first fault, with its path.
pub(super) fn well_formed(schema: &Json) -> Result<(), String> {
    let fault = walk(schema, schema, &mut Vec::new());
    fault.map_err(|(path, what)| at_path(&path.join("."), &what))
}

/// A path and a message.
type Fault = (Vec<String>, String);

fn walk(root: &Json, schema: &Json, path: &mut Vec<String>) -> Result<(), Fault> {
    let keywords = match schema {
        Json::Object(keywords) => keywords,
        Json::Bool(_) => return Ok(()),
        other => return Err((path.clone(), format!(r#"{other} is not of type "object""#))),
    };
    for (keyword, value) in keywords {
        path.push(keyword.clone());
        let wrong = |what: String| Err((path.clone(), what));
        let is_not = |ty: &str| wrong(format!(r#"{value} is not of type "{ty}""#));
        match keyword.as_str() {
            "type" => {
                let is_type = |ty: &Json| ty.as_str().is_some_and(|ty| TYPES.contains(&ty));
                let fits = match value {
                    Json::Array(types) => !types.is_empty() && types.iter().all(is_type),
                    one => is_type(one),
                };
                if !fits {
                    let types = TYPES.join(", ");
                    return wrong(format!("{value} is not a JSON type; the types are: {types}"));
                }
            }
            "required" => match value.as_array() {
                None => return is_not("array"),
                Some(names) if !names.iter().all(Json::is_string) => {
                    return wrong(format!("{value} has elements that are not strings"));
                }
                Some(_) => {}
            },
            "enum" if !value.is_array() => return is_not("array"),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
                if !value.is_number() =>
            {
                return is_not("number");
            }
            "$ref" => match value.as_str() {
                None => return is_not("string"),
                Some(target) if target.starts_with('#') && resolve(root, target).is_none() => {
                    return wrong(format!("{value} points nowhere"));
                }
                Some(_) => {}
            },
            "properties" | "$defs" | "definitions" => {
                let Some(schemas) = value.as_object() else { return is_not("object") };
                for (name, schema) in schemas {
                    path.push(name.clone());
                    walk(root, schema, path)?;
                    path.pop();
                }
            }
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                let Some(schemas) = value.as_array() else { return is_not("array") };
                for (place, schema) in schemas.iter().enumerate() {
                    path.push(place.to_string());
                    walk(root, schema, path)?;
                    path.pop();
                }
            }
            "additionalProperties" | "not" => walk(root, value, path)?,
            // Older drafts allow a list of schemas here.
            "items" if !value.is_array() => walk(root, value, path)?,
            _ => {}
        }
        path.pop();
    }
    Ok(())
}

/// Resolves a reference within a schema.
pub(super) fn resolve<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    root.pointer(reference.strip_prefix('#')?)
}
