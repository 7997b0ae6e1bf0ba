//! What the command line asks for, where all of a program is measured.

use std::error::Error;
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Only a look: less is measured, and the page is left alone.
    pub quick: bool,
    /// Where one JSON object per figure goes.
    pub json: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// There is one that is not known, or a value is missing.
    pub fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--json" => {
                    let file = args.next().ok_or("--json needs a file")?;
                    options.json = Some(file.into());
                }
                _ => return Err(format!("{arg}: options are --quick and --json").into()),
            }
        }
        Ok(options)
    }
}
