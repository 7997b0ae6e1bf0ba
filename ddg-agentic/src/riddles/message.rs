//! The messages between management and agents, as JSON on the wire.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A message about a riddle: what is known of it, and what is asked.
///
/// Agents answer with the same object. Fields that this version does not know are kept in `extra`
/// and written again.
///
/// ```
/// use ddg_agentic::riddles::AgentMessage;
///
/// let text = r#"{ "riddle": { "question": "x * y =" }, "colour": "blue" }"#;
/// let message: AgentMessage = serde_json::from_str(text)?;
/// assert_eq!(message.riddle.question, "x * y =");
/// assert!(message.status.solve.required && !message.status.solved);
/// assert_eq!(serde_json::to_value(&message)?["colour"], "blue");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AgentMessage {
    /// The id of the riddle: letters, digits, `-`, `_` and `.`; `<parent>-<n>` for a sub-riddle. If
    /// it is empty, the management chooses one.
    pub id: String,
    /// The ids of the sub-riddles that were posed for this riddle.
    pub sub_ids: Vec<String>,
    /// The question.
    pub riddle: Riddle,
    /// Proposed solutions. One object, or null, is read as a list as well.
    #[serde(deserialize_with = "one_or_many")]
    pub solution: Vec<RiddleSolution>,
    /// The documents of the riddle, and what was extracted from them.
    pub data: Vec<RiddleData>,
    /// What is required, and how far the riddle is.
    pub status: RiddleStatus,
    /// Hops that led to this message: from the management to an agent, or back.
    pub contacts: u32,
    /// The index in `data` of the item that is to be extracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl AgentMessage {
    /// A new riddle with this question, without data and without an id.
    pub fn new(question: impl Into<String>) -> Self {
        let riddle = Riddle { question: question.into(), ..Riddle::default() };
        Self { riddle, ..Self::default() }
    }

    /// Sets the id of the riddle.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the context of the question.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.riddle.context = context.into();
        self
    }

    /// Adds a document: its type, and its path inside of the shared folder.
    #[must_use]
    pub fn data(mut self, kind: DataType, file: impl Into<String>) -> Self {
        self.data.push(RiddleData::new(kind, file));
        self
    }

    /// Says which stages are needed, for example that no gatekeeper is.
    #[must_use]
    pub fn required(mut self, extract: bool, solve: bool, validate: bool) -> Self {
        self.status.extract.required = extract;
        self.status.solve.required = solve;
        self.status.validate.required = validate;
        self
    }
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Riddle {
    /// What one has to know to understand the question.
    #[serde(deserialize_with = "text")]
    pub context: String,
    /// The question.
    #[serde(deserialize_with = "text")]
    pub question: String,
    /// The solutions of earlier trials, with their reviews.
    pub solutions_before: Vec<RiddleSolution>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A proposed solution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RiddleSolution {
    /// The solution. A number is read as its text.
    #[serde(deserialize_with = "text")]
    pub solution: String,
    /// Why it is the solution.
    #[serde(deserialize_with = "text")]
    pub explanation: String,
    /// The data that it was found with, as the solver names it.
    pub used_data: Vec<Value>,
    /// Whether a gatekeeper has accepted it.
    pub accepted: bool,
    /// What the gatekeepers say of it.
    pub review: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl RiddleSolution {
    /// A solution with its explanation.
    pub fn new(solution: impl Into<String>, explanation: impl Into<String>) -> Self {
        let (solution, explanation) = (solution.into(), explanation.into());
        Self { solution, explanation, ..Self::default() }
    }

    /// Whether both are the same proposal: solution, explanation and used data are equal.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.solution, &self.explanation, &self.used_data)
            == (&other.solution, &other.explanation, &other.used_data)
    }
}

/// A document, or what one agent extracted from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RiddleData {
    /// What kind of document it is.
    #[serde(rename = "type")]
    pub kind: DataType,
    /// The path of the document inside of the shared folder.
    pub file_plain: String,
    /// The path of the extracted text inside of the shared folder.
    #[serde(default)]
    pub file_extracted: Option<String>,
    /// What is to be extracted.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl RiddleData {
    /// A document without an extraction.
    pub fn new(kind: DataType, file: impl Into<String>) -> Self {
        let extra = Map::new();
        Self { kind, file_plain: file.into(), file_extracted: None, prompt: None, extra }
    }

    /// Whether both are about the same item: file, type and prompt are equal.
    pub fn is_same_item(&self, other: &Self) -> bool {
        (self.kind, &self.file_plain, &self.prompt)
            == (other.kind, &other.file_plain, &other.prompt)
    }
}

/// The kind of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DataType {
    /// Text in UTF-8.
    Text,
    /// An image.
    Image,
    /// Sound.
    Audio,
}

impl DataType {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Text, Self::Image, Self::Audio];

    /// The word for it on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a riddle requires, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RiddleStatus {
    /// Data to text.
    pub extract: StageStatus,
    /// Text to solutions.
    pub solve: StageStatus,
    /// Solutions to reviews.
    pub validate: StageStatus,
    /// Number of trials before this one.
    pub trial: u32,
    /// Whether a solution was accepted.
    pub solved: bool,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Whether a stage is needed, and whether it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StageStatus {
    /// Whether the riddle goes through this stage.
    pub required: bool,
    /// Whether the stage is done.
    pub finished: bool,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for StageStatus {
    fn default() -> Self {
        Self { required: true, finished: false, extra: Map::new() }
    }
}

/// Reads null as nothing, one as a list of one, and a list.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RiddleSolution>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(Vec::new()),
        list @ Value::Array(_) => serde_json::from_value(list),
        one => serde_json::from_value(one).map(|one| vec![one]),
    }
    .map_err(serde::de::Error::custom)
}

/// Reads null as an empty text, and numbers and truth values as theirs.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        scalar @ (Value::Bool(_) | Value::Number(_)) => Ok(scalar.to_string()),
        other => {
            let message = format!("expected a text, found {other}");
            Err(serde::de::Error::custom(message))
        }
    }
}
