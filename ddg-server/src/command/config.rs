//! Arguments of the command, from three places: the command line before the environment before a
//! configuration file.
//!
//! A setting of the file becomes an argument, so that it is checked by the same rules and refused
//! with the same words. The file is read after a first look at the arguments, which say where it
//! is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};
use ddg_core::__report::{shown, shown_lines};
use toml::{Table, Value};

/// Why the arguments cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArgumentsError {
    /// The command line or the environment is wrong, or help was asked for.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// A setting of the file is wrong.
    #[error("in {}: {message}", shown(&file.display()), message = shown_lines(.message))]
    File { file: PathBuf, message: String },
}

/// Prints an error, and returns the exit code for it.
pub(super) fn report(error: &ArgumentsError) -> ExitCode {
    match error {
        ArgumentsError::Arguments(error) => {
            // Fails only if nobody reads the output.
            _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
        ArgumentsError::File { .. } => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Reads the arguments, and those of the file that `--config` names.
pub(super) fn matches(
    command: Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, ArgumentsError> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let matches = command.clone().try_get_matches_from(&arguments)?;
    let Some((name, of_subcommand)) = matches.subcommand() else { return Ok(matches) };
    let subcommand = command.find_subcommand(name).expect("clap has matched it").clone();
    let Ok(Some(file)) = of_subcommand.try_get_one::<PathBuf>("config") else { return Ok(matches) };
    let failed = |message: String| ArgumentsError::File { file: file.clone(), message };
    let more = settings(file, &subcommand, of_subcommand).map_err(failed)?;
    arguments.extend(more);
    command.try_get_matches_from(&arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.into(),
        _ => {
            let text = error.to_string();
            let text = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
            failed(text.to_owned())
        }
    })
}

/// The settings of the file as arguments, without those that are given elsewhere.
fn settings(
    file: &Path,
    subcommand: &Command,
    given: &ArgMatches,
) -> Result<Vec<OsString>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let mut arguments = Vec::new();
    for (name, value) in table {
        let known = subcommand
            .get_arguments()
            .find(|argument| argument.get_long() == Some(&name) && argument.get_id() != "config");
        let Some(argument) = known else {
            let names: Vec<_> = subcommand
                .get_arguments()
                .filter_map(|argument| argument.get_long())
                .filter(|name| !matches!(*name, "config" | "help" | "version"))
                .collect();
            return Err(format!("there is no setting `{name}`; there are {}", names.join(", ")));
        };
        let source = given.value_source(argument.get_id().as_str());
        if matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            continue;
        }
        let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
        match (value, is_switch) {
            (Value::Boolean(true), true) => arguments.push(format!("--{name}").into()),
            (Value::Boolean(false), true) => {}
            (value, true) => {
                let kind = value.type_str();
                return Err(format!("`{name}` is of the type {kind}; write `{name} = true`"));
            }
            (Value::String(text), false) => arguments.push(format!("--{name}={text}").into()),
            (Value::Integer(number), false) => arguments.push(format!("--{name}={number}").into()),
            (value, false) => {
                let kind = value.type_str();
                return Err(format!("`{name}` is of the type {kind}; write a string or a number"));
            }
        }
    }
    Ok(arguments)
}
