//! Asks a person on the terminal, or lets another process resume the run with the answer.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use ddg_core::prelude::*;
use ddg_core::printable;
use ddg_core::snapshot::Snapshot;

/// The options of examples that ask a person: `--snapshot FILE` and `--answer TEXT`.
#[derive(Default)]
pub struct Asking {
    /// The file to which a paused run is written.
    pub snapshot: Option<PathBuf>,
    /// The answer with which the run in the file is resumed.
    pub answer: Option<String>,
}

impl Asking {
    /// Reads the arguments of the process.
    ///
    /// # Errors
    /// If there is another argument, or an answer without a snapshot.
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

    /// Begins a run with `args`, or resumes the one in the file, and lets a person answer its
    /// questions. `text` formats a question, `answer` parses an answer. Returns `None` if the run
    /// was written to the file, to be resumed by another process.
    ///
    /// # Errors
    /// If the run fails, or the file cannot be read or written.
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
                    let asked = text(&question.content);
                    println!("question {}: {}", question.id, printable::lines(&asked));
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

/// Asks on the terminal. Without a terminal the answer is no.
fn typed(question: &str) -> io::Result<String> {
    print!("{} [y/n] ", printable::lines(question));
    io::stdout().flush()?;
    if !io::stdin().is_terminal() {
        println!("n (this is no terminal)");
        return Ok("n".to_owned());
    }
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    Ok(typed)
}
