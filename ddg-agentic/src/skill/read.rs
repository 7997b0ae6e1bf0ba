//! The tool with which a model reads skills.

use std::sync::Arc;

use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};

use super::Skill;
use super::files::Content;
use crate::tool::{Tool, ToolOutput, ToolSpec};

/// Maximum number of bytes of the names in the description of the tool.
const MAX_NAMES: usize = 600;

/// The tool with which a model reads skills and their files, created by
/// [`Skills::reader`](super::Skills::reader).
///
/// It reads only files in the folder of a skill, up to 1 MiB each: no path and no symbolic link
/// leads out of it. Called without a skill it lists all of them.
#[derive(Clone, Debug)]
pub struct ReadSkill {
    spec: ToolSpec,
    skills: Arc<[Skill]>,
}

impl ReadSkill {
    /// The name of the tool.
    pub const NAME: &str = "read_skill";

    pub(super) fn new(skills: &[Skill]) -> Self {
        let names: Vec<_> = skills.iter().map(Skill::name).collect();
        let mut listed = names.join(", ");
        if listed.len() > MAX_NAMES {
            listed = format!("{} skills", names.len());
        }
        let description = format!(
            "Reads the instructions of a skill ({listed}), or a file of it. Without a skill it lists \
             all of them with their descriptions."
        );
        let skill = match names.is_empty() {
            true => json!({ "type": "string" }),
            false => json!({ "type": "string", "enum": names }),
        };
        let parameters = json!({
            "type": "object",
            "properties": {
                "skill": described(skill, "The name of the skill."),
                "file": {
                    "type": "string",
                    "description": "The path of a file in the skill's folder, as its instructions \
                                    or its list of files name it. Without, its instructions.",
                },
            },
            "additionalProperties": false,
        });
        Self { spec: ToolSpec::new(Self::NAME, description, parameters), skills: skills.into() }
    }

    /// What the model reads.
    fn text(&self, skill: Option<&str>, file: Option<&str>) -> Result<String, String> {
        let Some(name) = skill else {
            let listed = self.skills.iter();
            let listed = listed.map(|skill| format!("{}: {}", skill.name(), skill.description()));
            return Ok(listed.collect::<Vec<_>>().join("\n"));
        };
        // The enumeration of the schema refuses other names.
        let skill = self.skills.iter().find(|skill| skill.name() == name);
        let skill = skill.ok_or_else(|| format!("there is no skill `{name}`"))?;
        if let Some(file) = file {
            return Ok(match skill.files().read(file)? {
                Content::Text(text) => text,
                Content::Binary(n_bytes) => format!("[`{file}` is not text: {n_bytes} bytes]"),
            });
        }
        let files = skill.files().list();
        let others: Vec<_> = files.into_iter().filter(|file| file != super::SKILL_FILE).collect();
        let mut text = skill.instructions().to_owned();
        if !others.is_empty() {
            text += &format!("\n\nFiles of this skill: {}", others.join(", "));
        }
        Ok(text)
    }
}

impl Tool for ReadSkill {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async move {
            let this = self.clone();
            let read = tokio::task::spawn_blocking(move || {
                this.text(arguments["skill"].as_str(), arguments["file"].as_str())
            });
            match read.await? {
                Ok(text) => Ok(ToolOutput::text(text)),
                Err(why) => Err(WorkerError::msg(why)),
            }
        })
    }
}

fn described(mut schema: Json, description: &str) -> Json {
    schema["description"] = description.into();
    schema
}
