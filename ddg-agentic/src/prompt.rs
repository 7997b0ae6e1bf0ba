//! Prompt templates.

mod worker;

use ddg_core::__report::{shown, shown_lines};
use std::fmt;
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde::{Deserialize, Serialize};

pub use worker::PromptWorker;

/// A prompt with variables, in the language of Jinja: `{{ city }}`, `{% for day in days %}`.
///
/// A missing variable is an error, never an empty text, unless the template provides a default:
/// `{{ mood | default("any") }}`. A template serialises to its text.
///
/// ```
/// use ddg_agentic::prompt::PromptTemplate;
/// use serde_json::json;
///
/// let template = PromptTemplate::new("Plan {{ days }} days in {{ city }}.")?;
/// assert_eq!(template.variables(), ["days", "city"]);
/// assert_eq!(template.render(&json!({ "city": "Tokyo", "days": 3 }))?, "Plan 3 days in Tokyo.");
///
/// let error = template.render(&json!({ "city": "Tokyo" })).unwrap_err();
/// assert_eq!(error.to_string(), "line 1 of the prompt: `days` is not given");
/// let error = PromptTemplate::new("Plan\n{{ days").unwrap_err();
/// assert_eq!(error.to_string(), "line 2 of the prompt: unexpected end of input, expected end of variable block");
/// # Ok::<(), ddg_agentic::prompt::PromptError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PromptTemplate {
    engine: Arc<Environment<'static>>,
    text: Arc<str>,
}

/// A prompt cannot be rendered.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The text is not a valid template.
    #[error("line {line} of the prompt: {message}", message = shown_lines(.message))]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A variable that the template needs is missing.
    #[error("line {line} of the prompt: `{variable}` is not given", variable = shown(.variable))]
    Missing {
        /// The line, from 1.
        line: usize,
        /// The name of the variable in the template.
        variable: String,
    },
    /// A value does not fit the template.
    #[error("line {line} of the prompt: {message}", message = shown_lines(.message))]
    Render {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

const NAME: &str = "prompt";

impl PromptTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// If the text is not a valid template. The error has the line.
    pub fn new(text: impl Into<String>) -> Result<Self, PromptError> {
        let text: Arc<str> = text.into().into();
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_debug(true);
        engine.add_template_owned(NAME, text.to_string()).map_err(|error| PromptError::Syntax {
            line: error.line().unwrap_or(1),
            message: message(&error),
        })?;
        Ok(Self { engine: Arc::new(engine), text })
    }

    /// The text of the template.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The variables, in the order in which the template names them.
    pub fn variables(&self) -> Vec<String> {
        let Ok(template) = self.engine.get_template(NAME) else { return Vec::new() };
        let globals: Vec<_> = self.engine.globals().map(|(name, _)| name).collect();
        let mut variables: Vec<_> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|variable| !globals.contains(&variable.as_str()))
            .collect();
        variables
            .sort_by_cached_key(|variable| (first_place(&self.text, variable), variable.clone()));
        variables
    }

    /// Renders the prompt with `values`, a struct or a map.
    ///
    /// # Errors
    /// If a variable is missing, or a value does not fit.
    pub fn render(&self, values: &impl Serialize) -> Result<String, PromptError> {
        let values = minijinja::Value::from(Serde(values));
        let template = self.engine.get_template(NAME);
        let rendered = template.and_then(|template| template.render(values.clone()));
        rendered.map_err(|error| self.fault(&error, &values))
    }

    fn fault(&self, error: &minijinja::Error, values: &minijinja::Value) -> PromptError {
        let line = error.line().unwrap_or(1);
        let missing = match error.kind() {
            ErrorKind::UndefinedError => self.missing(error, values),
            _ => None,
        };
        match missing {
            Some(variable) => PromptError::Missing { line, variable },
            None => PromptError::Render { line, message: message(error) },
        }
    }

    /// The name of the undefined variable: the one that the error points at or, if the error is in
    /// a filter, the first variable of the line without a value.
    fn missing(&self, error: &minijinja::Error, values: &minijinja::Value) -> Option<String> {
        let variables = self.variables();
        let place = error.range()?;
        let named = self.text.get(place.clone())?.trim();
        let root = named.split(['.', '[']).next()?;
        if variables.iter().any(|variable| variable == root) {
            return Some(named.to_owned());
        }
        let line = self.text[..place.start].rfind('\n').map_or(0, |end| end + 1);
        let given =
            |variable: &str| values.get_attr(variable).is_ok_and(|value| !value.is_undefined());
        let before = &self.text[line..place.start];
        variables.into_iter().find(|name| first_place(before, name).is_some() && !given(name))
    }
}

/// The message of an error without its place, which is reported separately.
fn message(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned)
}

/// The offset of the first occurrence of `word` as a whole word.
fn first_place(text: &str, word: &str) -> Option<usize> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = text.match_indices(word).map(|(place, _)| place);
    places.find(|place| {
        !text[..*place].ends_with(in_word) && !text[place + word.len()..].starts_with(in_word)
    })
}

impl TryFrom<String> for PromptTemplate {
    type Error = PromptError;

    fn try_from(text: String) -> Result<Self, PromptError> {
        Self::new(text)
    }
}

impl From<PromptTemplate> for String {
    fn from(template: PromptTemplate) -> Self {
        template.text.to_string()
    }
}

impl fmt::Debug for PromptTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PromptTemplate({:?})", self.text)
    }
}

ddg_core::__report::debug_is_display!(PromptError);
