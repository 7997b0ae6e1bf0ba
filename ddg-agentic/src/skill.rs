//! Skills: folders with instructions that a model reads when it needs them.
//!
//! A skill is a folder with a file `SKILL.md`: front matter in YAML (`name`, `description`), and
//! the instructions. Other files may lie beside it. The format is that of the [Agent Skills
//! specification](https://agentskills.io/specification).

mod error;
mod files;
mod front_matter;
mod read;
mod script;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::SkillError;
pub use read::ReadSkill;
pub use script::SkillScript;

use files::Files;
use front_matter::FrontMatter;

/// The name of the file with the instructions.
const SKILL_FILE: &str = "SKILL.md";

/// A skill: its name, what it is good for, its instructions and its files. Cheap to clone.
///
/// ```
/// use ddg_agentic::skill::Skill;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let home = tempfile::tempdir()?;
/// let folder = home.path().join("haiku");
/// std::fs::create_dir(&folder)?;
/// std::fs::write(
///     folder.join("SKILL.md"),
///     "---\nname: haiku\ndescription: Writes haiku. Use it for short poems.\n---\nCount 5, 7, 5.\n",
/// )?;
/// let skill = Skill::load(&folder)?;
/// assert_eq!(skill.name(), "haiku");
/// assert_eq!(skill.instructions(), "Count 5, 7, 5.");
///
/// std::fs::write(folder.join("SKILL.md"), "---\nname: Haiku!\ndescription: Poems.\n---\n")?;
/// let error = Skill::load(&folder).unwrap_err().to_string();
/// assert!(error.contains("SKILL.md, line 2: the name `Haiku!` has other characters"), "{error}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Skill(Arc<Parts>);

struct Parts {
    front: FrontMatter,
    instructions: String,
    files: Files,
}

impl Skill {
    /// Loads the skill in `folder`.
    ///
    /// # Errors
    /// If there is no `SKILL.md`, or it is not as the specification wants it. The error names the
    /// file and the line.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self, SkillError> {
        let folder = folder.as_ref();
        let files = Files::open(folder)?;
        let text = files.skill_file()?;
        let path = folder.join(SKILL_FILE);
        let (front, body) = FrontMatter::read(&text, &path)?;
        front.is_in_folder(folder, &path)?;
        Ok(Self(Arc::new(Parts { front, instructions: body.trim().to_owned(), files })))
    }

    /// The name, which is that of the folder.
    pub fn name(&self) -> &str {
        &self.0.front.name
    }

    /// What the skill does, and when to use it.
    pub fn description(&self) -> &str {
        &self.0.front.description
    }

    /// The instructions: `SKILL.md` without the front matter.
    pub fn instructions(&self) -> &str {
        &self.0.instructions
    }

    /// The licence, if the skill names one.
    pub fn license(&self) -> Option<&str> {
        self.0.front.license.as_deref()
    }

    /// What the skill needs of its environment, if it says so.
    pub fn compatibility(&self) -> Option<&str> {
        self.0.front.compatibility.as_deref()
    }

    /// Further properties.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.front.metadata
    }

    /// The tools that the skill wants to use (`allowed-tools`). This only tells: nothing is allowed
    /// by it. A program allows tools by adding them to the toolbox.
    pub fn wanted_tools(&self) -> impl Iterator<Item = &str> {
        self.0.front.allowed_tools.split_whitespace()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.files.folder()
    }

    /// A script of the skill as a tool, by its path in the folder, such as `scripts/fill.py`. No
    /// script of a skill runs unless a program adds it to a toolbox.
    ///
    /// # Errors
    /// If there is no such file in the folder.
    pub fn script(&self, path: impl Into<PathBuf>) -> Result<SkillScript, SkillError> {
        SkillScript::new(self, path.into())
    }

    fn files(&self) -> &Files {
        &self.0.files
    }
}

impl fmt::Debug for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Skill({:?} in {})", self.name(), self.folder().display())
    }
}

/// Several skills for one agent.
///
/// The model sees the names and descriptions in the system prompt, and reads a skill with a tool
/// when it needs it.
///
/// ```
/// use ddg_agentic::prelude::*;
/// use ddg_agentic::skill::Skills;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let home = tempfile::tempdir()?;
/// # let folder = home.path().join("haiku");
/// # std::fs::create_dir(&folder)?;
/// # let text = "---\nname: haiku\ndescription: Writes haiku.\n---\nCount 5, 7, 5.\n";
/// # std::fs::write(folder.join("SKILL.md"), text)?;
/// let skills = Skills::load(home.path())?;
/// let model = ScriptedModel::new()
///     .calls([ToolCall::new("call_1", "read_skill", json!({ "skill": "haiku" }))])
///     .text("An old silent pond…").expects_last("Count 5, 7, 5.");
/// let agent = ReActAutoma::new(model)
///     .system(format!("You write.\n\n{}", skills.prompt()))
///     .tools(Toolbox::builder().with(skills.reader()).build()?)
///     .build()?;
/// let outcome = agent.run(args!("A poem, please.")).await?;
/// # assert_eq!(outcome.turns, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Skills {
    skills: Vec<Skill>,
    left_out: Vec<SkillError>,
}

impl Skills {
    /// No skills.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads all skills in `folder`: each folder in it that has a `SKILL.md`, in the order of their
    /// names. A bad skill is [left out](Self::left_out), with a warning in the log.
    ///
    /// # Errors
    /// If `folder` cannot be read.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self, SkillError> {
        let mut skills = Self::new();
        for folder in files::folders_in(folder.as_ref())? {
            match Skill::load(&folder) {
                Ok(skill) => skills = skills.with(skill),
                Err(SkillError::Missing { .. }) => {}
                Err(error) => {
                    tracing::warn!(%error, "a skill is left out");
                    skills.left_out.push(error);
                }
            }
        }
        Ok(skills)
    }

    /// Adds a skill. It replaces one of the same name.
    #[must_use]
    pub fn with(mut self, skill: Skill) -> Self {
        self.skills.retain(|other| other.name() != skill.name());
        self.skills.push(skill);
        self
    }

    /// Only the skills with these names.
    #[must_use]
    pub fn only<T: AsRef<str>>(mut self, names: &[T]) -> Self {
        self.skills.retain(|skill| names.iter().any(|name| name.as_ref() == skill.name()));
        self
    }

    /// The skill `name`.
    pub fn skill(&self, name: &str) -> Option<&Skill> {
        self.skills.iter().find(|skill| skill.name() == name)
    }

    /// All skills, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Skill> {
        self.skills.iter()
    }

    /// Why skills were left out when a folder was loaded.
    pub fn left_out(&self) -> &[SkillError] {
        &self.left_out
    }

    /// The names and descriptions, for the system prompt of an agent. Empty if there are no skills.
    pub fn prompt(&self) -> String {
        if self.skills.is_empty() {
            return String::new();
        }
        let mut prompt = format!(
            "You have skills: instructions for kinds of tasks. If a task fits the description of \
             one, read it with the tool `{}` before you begin, and follow it.",
            ReadSkill::NAME
        );
        for skill in &self.skills {
            // A description of several lines is one item of the list.
            let words: Vec<_> = skill.description().split_whitespace().collect();
            prompt += &format!("\n- {}: {}", skill.name(), words.join(" "));
        }
        prompt
    }

    /// The tool with which a model reads the skills and their files.
    pub fn reader(&self) -> ReadSkill {
        ReadSkill::new(&self.skills)
    }
}
