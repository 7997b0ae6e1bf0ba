//! Scripts of skills as tools.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use ddg_core::{Context, WorkerError};
use futures::future::BoxFuture;
use process_wrap::tokio::{ChildWrapper, CommandWrap};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::{Skill, SkillError};
use crate::message::cut;
use crate::tool::{Tool, ToolOutput, ToolSpec};

/// The environment variables that a script inherits: no keys.
const PASSED_ON: &[&str] =
    &["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "SYSTEMROOT", "TEMP", "TERM", "TMPDIR", "USER"];

/// Maximum number of arguments, and of bytes of an output that is read.
const MOST_ARGS: usize = 64;
const MAX_OUTPUT: u64 = 1 << 20;

/// Maximum number of bytes of a script's output to stderr in the message to the model.
const MAX_STDERR: usize = 4 << 10;

/// A script of a skill as a tool, created by [`Skill::script`].
///
/// The model gives its arguments and its standard input, and reads its output. A script that fails
/// is an error with its exit code and the end of its output to stderr. It has the rights of the
/// program that runs it, so read a script before you allow it, or add it with
/// [`ToolOptions::approval`](crate::tool::ToolOptions::approval). It inherits only a short list of
/// environment variables, and so no keys. A script that is not waited for any longer is killed,
/// with everything that it has started.
///
/// ```no_run
/// use ddg_agentic::Toolbox;
/// use ddg_agentic::skill::Skills;
/// use ddg_agentic::tool::ToolOptions;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let skills = Skills::load("skills")?;
/// let forms = skills.skill("pdf-forms").expect("it is there");
/// let fill = forms
///     .script("scripts/fill.py")?
///     .run_with("python3")
///     .name("fill_form")
///     .description("Fills a PDF form. Arguments: the form, the output, then `field=value` ….");
/// let tools = Toolbox::builder()
///     .with(skills.reader())
///     .with_options(fill, ToolOptions::new().approval())
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SkillScript {
    skill: Skill,
    path: PathBuf,
    interpreter: Option<OsString>,
    env: BTreeMap<OsString, OsString>,
    current_dir: Option<PathBuf>,
    timeout: Duration,
    spec: ToolSpec,
}

impl SkillScript {
    pub(super) fn new(skill: &Skill, path: PathBuf) -> Result<Self, SkillError> {
        let missing = |message| SkillError::File { skill: skill.name().to_owned(), message };
        skill.files().program(&path).map_err(missing)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let usable = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String =
            format!("{}_{stem}", skill.name()).chars().map(usable).take(64).collect();
        let description = format!("Runs `{}` of the skill `{}`.", path.display(), skill.name());
        let parameters = json!({
            "type": "object",
            "properties": {
                "args": {
                    "type": "array",
                    "items": { "type": "string" },
                    "maxItems": MOST_ARGS,
                    "description": "The arguments, as on a command line.",
                },
                "stdin": { "type": "string", "description": "The standard input; none by default." },
            },
            "additionalProperties": false,
        });
        let env = PASSED_ON.iter().filter_map(|name| {
            let value = std::env::var_os(name)?;
            Some((OsString::from(name), value))
        });
        Ok(Self {
            skill: skill.clone(),
            path,
            interpreter: None,
            env: env.collect(),
            current_dir: None,
            timeout: Duration::from_secs(60),
            spec: ToolSpec::new(name, description, parameters),
        })
    }

    /// Sets the program that runs the script, such as `python3`. Without, the script is run itself.
    #[must_use]
    pub fn run_with(mut self, interpreter: impl Into<OsString>) -> Self {
        self.interpreter = Some(interpreter.into());
        self
    }

    /// Sets the name of the tool. The default is made of the names of the skill and of the script.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// Sets the description of the tool: what the script does, and its arguments.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.spec.description = description.into();
        self
    }

    /// Sets an environment variable of the script.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets the working directory. The default is the folder of the skill.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(directory.into());
        self
    }

    /// Sets how long the script may take (60 seconds by default). It is then killed.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn command(&self, args: &[Json]) -> Result<CommandWrap, String> {
        // It is looked up again, because files can be replaced.
        let program = self.skill.files().program(&self.path)?;
        let mut command = match &self.interpreter {
            Some(interpreter) => {
                let mut command = Command::new(interpreter);
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        let folder = self.skill.folder();
        command.args(args.iter().filter_map(Json::as_str)).env_clear().envs(&self.env);
        command.current_dir(self.current_dir.as_deref().unwrap_or(folder));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::tokio::JobObject);
        Ok(command)
    }

    async fn run(&self, arguments: Json) -> Result<String, String> {
        let args = arguments["args"].as_array().map_or(&[][..], Vec::as_slice);
        let mut child = self.command(args)?.spawn().map_err(|error| self.not_started(&error))?;
        let pipes = (child.stdin().take(), child.stdout().take(), child.stderr().take());
        let mut group = Group(child);
        let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err("it has no stdin, stdout or stderr".to_owned());
        };
        let given = arguments["stdin"].as_str().unwrap_or_default().to_owned();
        let feed = async move {
            // A script that does not read its input has closed it.
            let _unread = stdin.write_all(given.as_bytes()).await;
        };
        let ended = async {
            let ((), output, errors) = tokio::join!(feed, text_of(stdout), text_of(stderr));
            (group.0.wait().await, output, errors)
        };
        let Ok((status, output, errors)) = timeout(self.timeout, ended).await else {
            return Err(format!("it did not end within {:?}, and was killed", self.timeout));
        };
        let status = status.map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(output);
        }
        let says = format!("{}{}", output.trim_end(), said_on_stderr(&errors));
        Err(format!("it ended with {}: {}", code_of(status), cut(says, MAX_STDERR)))
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        match &self.interpreter {
            Some(interpreter) => {
                format!("`{}` does not start ({error})", interpreter.to_string_lossy())
            }
            None => format!(
                "it does not start ({error}): is it executable, and does it begin with `#!`?"
            ),
        }
    }
}

impl Tool for SkillScript {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(
        &'a self,
        arguments: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async move {
            match self.run(arguments).await {
                Ok(text) if text.trim().is_empty() => Ok(ToolOutput::text("done, without output")),
                Ok(text) => Ok(ToolOutput::text(text)),
                Err(why) => Err(WorkerError::msg(why)),
            }
        })
    }
}

impl fmt::Debug for SkillScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SkillScript({} of {:?})", self.path.display(), self.skill)
    }
}

/// The processes of a script. They are killed when this is dropped.
struct Group(Box<dyn ChildWrapper>);

impl Drop for Group {
    fn drop(&mut self) {
        // An error means that all of them have ended.
        let _gone = self.0.start_kill();
    }
}

/// The output up to 1 MiB. The rest is read and dropped, so that the script does not block.
async fn text_of(mut pipe: impl AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    let read = (&mut pipe).take(MAX_OUTPUT).read_to_end(&mut bytes).await;
    if read.is_ok_and(|n| n as u64 == MAX_OUTPUT) {
        let _rest = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn said_on_stderr(errors: &str) -> String {
    match errors.trim() {
        "" => String::new(),
        errors => format!("\n[stderr]\n{errors}"),
    }
}

fn code_of(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}
