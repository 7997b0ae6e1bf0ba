//! The front matter of a `SKILL.md`, checked by the rules of the specification.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;
use serde_saphyr::Spanned;

use super::SkillError;

/// Maximum number of characters of a name, a description, and a note on compatibility.
const MAX_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 1024;
const MAX_COMPATIBILITY: usize = 500;

/// The fields of the front matter, which have been checked.
pub(super) struct FrontMatter {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) license: Option<String>,
    pub(super) compatibility: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) allowed_tools: String,
    /// The line of the name.
    name_line: u64,
}

/// The fields as they are written. Others are ignored, because agents have some of their own.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    name: Spanned<String>,
    description: Spanned<String>,
    license: Option<String>,
    compatibility: Option<Spanned<String>>,
    #[serde(default)]
    metadata: BTreeMap<String, Json>,
    #[serde(default)]
    allowed_tools: Json,
}

impl FrontMatter {
    /// Reads the front matter of `text`. Returns it with the rest of the text.
    pub(super) fn read<'a>(text: &'a str, file: &Path) -> Result<(Self, &'a str), SkillError> {
        let fault = |line: u64, message: String| SkillError::Invalid {
            file: file.to_owned(),
            line,
            message,
        };
        let (yaml, body) = parts(text).map_err(|(line, message)| fault(line, message.into()))?;
        let written: Written = serde_saphyr::from_str(yaml).map_err(|error| {
            let line = error.location().map_or(0, |at| at.line());
            fault(line + 1, message_of(&error))
        })?;
        let line_of = |at: &Spanned<String>| at.referenced.line() + 1;
        let Written { name, description, compatibility, .. } = &written;
        if let Some(message) = fault_of_name(&name.value) {
            return Err(fault(line_of(name), message));
        }
        let n_chars = description.value.chars().count();
        if description.value.trim().is_empty() {
            let message = "the description is empty: say what the skill does, and when to use it";
            return Err(fault(line_of(description), message.to_owned()));
        }
        if n_chars > MAX_DESCRIPTION {
            let message =
                format!("the description has {n_chars} characters, of {MAX_DESCRIPTION} at most");
            return Err(fault(line_of(description), message));
        }
        if let Some(compatibility) = compatibility {
            let n_chars = compatibility.value.chars().count();
            if n_chars > MAX_COMPATIBILITY {
                let message = format!(
                    "the compatibility has {n_chars} characters, of {MAX_COMPATIBILITY} at most"
                );
                return Err(fault(line_of(compatibility), message));
            }
        }
        let name_line = line_of(name);
        let Written { name, description, license, compatibility, metadata, allowed_tools } =
            written;
        let front = Self {
            name: name.value,
            description: description.value.trim().to_owned(),
            license,
            compatibility: compatibility.map(|compatibility| compatibility.value),
            metadata: metadata.into_iter().map(|(name, value)| (name, words(&value))).collect(),
            allowed_tools: words(&allowed_tools),
            name_line,
        };
        Ok((front, body))
    }

    /// Checks that the folder has the name of the skill.
    pub(super) fn is_in_folder(&self, folder: &Path, file: &Path) -> Result<(), SkillError> {
        // `skills/haiku/..` and `.` have no name of their own.
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        match folder.file_name() {
            Some(name) if name != self.name.as_str() => Err(SkillError::Invalid {
                file: file.to_owned(),
                line: self.name_line,
                message: format!(
                    "the name `{}` is not that of the folder, `{}`: rename one",
                    self.name,
                    name.display()
                ),
            }),
            _ => Ok(()),
        }
    }
}

/// A value as text. Many skills have numbers and lists where the specification wants texts.
fn words(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The YAML between the first two lines `---`, and the text after them.
fn parts(text: &str) -> Result<(&str, &str), (u64, &'static str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let missing = "the file must begin with front matter: a line `---`, `name: …`, `description: …`, \
                   and a line `---`";
    let (first, rest) = text.split_once('\n').ok_or((1, missing))?;
    if first.trim_end() != "---" {
        return Err((1, missing));
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Ok((&rest[..at], &rest[at + line.len()..]));
        }
        at += line.len();
    }
    Err((1, "the front matter has no end: a line `---` is missing"))
}

/// What is wrong with the name of a skill.
fn fault_of_name(name: &str) -> Option<String> {
    let n_chars = name.chars().count();
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        Some("the name is empty: it is that of the folder".to_owned())
    } else if n_chars > MAX_NAME {
        Some(format!("the name has {n_chars} characters, of {MAX_NAME} at most"))
    } else if !name.chars().all(is_allowed) {
        Some(format!("the name `{name}` has other characters than `a` to `z`, `0` to `9` and `-`"))
    } else if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        Some(format!("the name `{name}` has a `-` at an end, or two in a row"))
    } else {
        None
    }
}

/// The message of an error of the parser, without the piece of the file that it shows.
fn message_of(error: &serde_saphyr::Error) -> String {
    let message = error.without_snippet().to_string();
    let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    // The line is that of the file, and not that of the front matter.
    first.split(" at line ").next().unwrap_or(first).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let read = FrontMatter::read(text, Path::new("SKILL.md"));
        let said = match read {
            Ok((front, body)) => format!("{}: {} | {body}", front.name, front.description),
            Err(error) => error.to_string(),
        };
        assert_eq!(said, expect, "of {text:?}");
    }

    #[test]
    fn front_matter_is_read_and_its_faults_have_lines() {
        check("---\nname: a-1\ndescription: Does it.\n---\nBody\n", "a-1: Does it. | Body\n");
        check(
            "\u{feff}---\r\nname: a\r\ndescription: >\r\n  Does\r\n  it.\r\n---\r\nBody",
            "a: Does it. | Body",
        );
        check(
            "# Title\n",
            "SKILL.md, line 1: the file must begin with front matter: a line `---`, `name: …`, \
             `description: …`, and a line `---`",
        );
        check(
            "---\nname: a\n",
            "SKILL.md, line 1: the front matter has no end: a line `---` is missing",
        );
        check(
            "---\ndescription: Does it.\nname: -a\n---\n",
            "SKILL.md, line 3: the name `-a` has a `-` at an end, or two in a row",
        );
        check(
            "---\nname: a_b\ndescription: x\n---\n",
            "SKILL.md, line 2: the name `a_b` has other characters than `a` to `z`, `0` to `9` and `-`",
        );
        check(
            "---\nname: a\ndescription: ' '\n---\n",
            "SKILL.md, line 3: the description is empty: say what the skill does, and when to use it",
        );
        let long = format!("---\nname: {}\ndescription: x\n---\n", "a".repeat(65));
        check(&long, "SKILL.md, line 2: the name has 65 characters, of 64 at most");
        let long = format!("---\nname: a\ndescription: {}\n---\n", "é".repeat(1025));
        check(&long, "SKILL.md, line 3: the description has 1025 characters, of 1024 at most");
    }
}
