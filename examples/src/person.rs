//! Asks a person on the terminal, or lets another process go on with the answer.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;

/// What the examples that ask a person take: `--snapshot FILE` and `--answer TEXT`.
#[derive(Default)]
pub struct Asking {
    /// The run ends on the question, and is in this file.
    pub snapshot: Option<PathBuf>,
    /// The run in the file goes on with this answer.
    pub answer: Option<String>,
}

impl Asking {
    /// What the process was called with.
    ///
    /// # Errors
    /// There is something else, or an answer to no snapshot.
    pub fn from_args() -> Result<Self, String> {
        let mut asking = Self::default();
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} takes a value"))?;
            match name.as_str() {
                "--snapshot" => asking.snapshot = Some(value.into()),
                "--answer" => asking.answer = Some(value),
                _ => return Err(format!("unknown option {name}: there are --snapshot, --answer")),
            }
        }
        if asking.answer.is_some() && asking.snapshot.is_none() {
            return Err("--answer needs the --snapshot that it answers".to_owned());
        }
        Ok(asking)
    }

    /// Begins a run with `args`, or goes on with the one in the file, and lets a person answer all its
    /// questions: `text` puts one in words, `answer` reads what is typed. `None` if it has been put
    /// into the file, to be gone on with by another process.
    ///
    /// # Errors
    /// The run fails, or the file cannot be read or written.
    pub async fn run<A: ddg_core::Data>(
        &self,
        automa: &GraphAutoma,
        args: Args,
        text: impl Fn(&Value) -> String,
        answer: impl Fn(&str) -> A,
    ) -> Result<Option<Outcome>, Box<dyn std::error::Error>> {
        let mut outcome = match (&self.snapshot, &self.answer) {
            (Some(file), Some(typed)) => {
                let text = fs::read_to_string(file)
                    .map_err(|error| format!("no run is in {}: {error}", file.display()))?;
                let mut snapshot: Snapshot = serde_json::from_str(&text)?;
                for question in snapshot.questions() {
                    snapshot.answer(&question.id, answer(typed))?;
                }
                automa.resume(snapshot).await?
            }
            _ => automa.run(args).await?,
        };
        while outcome.is_paused() {
            let mut snapshot = outcome.snapshot()?;
            if let Some(file) = &self.snapshot {
                for question in outcome.questions() {
                    println!("question {}: {}", question.id, text(&question.content));
                }
                fs::write(file, serde_json::to_string(&snapshot)?)?;
                println!("the run is in {}; answer it with --answer yes", file.display());
                return Ok(None);
            }
            for question in outcome.questions() {
                snapshot.answer(&question.id, answer(&typed(&text(&question.content))?))?;
            }
            outcome = automa.resume(snapshot).await?;
        }
        Ok(Some(outcome))
    }
}

/// Asks on the terminal; where there is none, nobody is there to say yes.
fn typed(question: &str) -> io::Result<String> {
    print!("{question} [y/n] ");
    io::stdout().flush()?;
    if !io::stdin().is_terminal() {
        println!("n (this is no terminal)");
        return Ok("n".to_owned());
    }
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    Ok(typed)
}
