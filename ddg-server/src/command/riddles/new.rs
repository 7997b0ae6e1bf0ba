//! `ddg riddles new`: a template of an agent.

use std::path::{Path, PathBuf};

use clap::Args;

/// Write a template of an agent into a new folder.
///
/// It has an agent, its tests, a Dockerfile, a compose file, and the documents of a first riddle.
#[derive(Args)]
pub(crate) struct New {
    /// Folder of the template; it is created, or must be empty.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Write it in Python, with the standard library alone, and not in Rust.
    #[arg(long)]
    python: bool,

    /// Folder of the sources of ddg, with which the template is built [default: this command's].
    #[arg(long, env = "DDG_SOURCES", value_name = "DIR")]
    sources: Option<PathBuf>,
}

/// A file of the template: where it is written, and its text.
type File = (&'static str, &'static str);

/// What templates in all languages have.
const SHARED: [File; 5] = [
    ("compose.yaml", include_str!("../../../templates/compose.yaml")),
    ("shared/riddle.json", include_str!("../../../templates/shared/riddle.json")),
    ("shared/x.txt", include_str!("../../../templates/shared/x.txt")),
    ("shared/y.txt", include_str!("../../../templates/shared/y.txt")),
    ("shared/z.txt", include_str!("../../../templates/shared/z.txt")),
];

const PYTHON: [File; 5] = [
    ("README.md", include_str!("../../../templates/python/README.md")),
    ("agent.py", include_str!("../../../templates/python/agent.py")),
    ("test_agent.py", include_str!("../../../templates/python/test_agent.py")),
    ("Dockerfile", include_str!("../../../templates/python/Dockerfile")),
    (".dockerignore", "persist\nshared\n__pycache__\n"),
];

const RUST: [File; 8] = [
    ("README.md", include_str!("../../../templates/rust/README.md")),
    // Not called `Cargo.toml` among the sources: it is no package there.
    ("Cargo.toml", include_str!("../../../templates/rust/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../../../templates/rust/src/lib.rs")),
    ("src/main.rs", include_str!("../../../templates/rust/src/main.rs")),
    ("tests/agent.rs", include_str!("../../../templates/rust/tests/agent.rs")),
    ("Dockerfile", include_str!("../../../templates/rust/Dockerfile")),
    (".dockerignore", "persist\nshared\ntarget\n"),
    (".gitignore", "/persist\n/target\n"),
];

/// Where the folder of the sources stands in the files.
const PLACE: &str = "@SOURCES@";
/// Where the contexts of the agent's build stand in the compose file.
const CONTEXTS: &str = "@CONTEXTS@";

impl New {
    pub(super) fn run(self) -> Result<(), String> {
        let sources = self.sources()?;
        let folder = &self.folder;
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(failed)?;
        if std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(format!("{} is not empty: name a new folder", folder.display()));
        }
        let own: &[File] = if self.python { &PYTHON } else { &RUST };
        for (name, text) in SHARED.iter().chain(own) {
            write(&folder.join(name), &self.filled(text, &sources))?;
        }
        if !self.python {
            // With the same versions nothing has to be resolved, and nothing be fetched again.
            let lock = std::fs::read_to_string(sources.join("Cargo.lock"));
            write(&folder.join("Cargo.lock"), &lock.map_err(failed)?)?;
        }
        println!("{} has the agent `mine`; its README.md says how to try it", folder.display());
        Ok(())
    }

    fn filled(&self, text: &str, sources: &Path) -> String {
        // The build of an agent in Rust needs the sources, too.
        let contexts = if self.python {
            String::new()
        } else {
            format!("      additional_contexts:\n        ddg: \"{PLACE}\"\n")
        };
        text.replace(CONTEXTS, &contexts).replace(PLACE, &sources.display().to_string())
    }

    /// The folder of the sources, without links and `..`.
    fn sources(&self) -> Result<PathBuf, String> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let named = self.sources.as_ref().unwrap_or(&own);
        let found = named.canonicalize().ok();
        let found = found.filter(|found| found.join("ddg-server/Cargo.toml").is_file());
        found.ok_or_else(|| {
            format!(
                "{} has not the sources of ddg: say with --sources where they are",
                named.display()
            )
        })
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}
