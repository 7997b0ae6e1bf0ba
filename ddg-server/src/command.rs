//! The command `ddg`, with a subcommand in each file of this module.

mod config;
mod logging;
pub(crate) mod riddles;
mod serve;
mod signals;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// Durable agents behind OpenAI's APIs.
#[derive(Parser)]
#[command(name = "ddg", version, propagate_version = true)]
struct Ddg {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Riddles(Box<riddles::Riddles>),
}

/// Runs the command with the arguments of the process, and returns its exit code: 0 if it ended
/// well, 1 if it failed, and 2 if its arguments are wrong.
pub fn main() -> ExitCode {
    let matches = match config::matches(Ddg::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return config::report(&error),
    };
    let command = match Ddg::from_arg_matches(&matches) {
        Ok(command) => command,
        Err(error) => return config::report(&error.into()),
    };
    let ended = match command.command {
        Command::Serve(serve) => serve.run(),
        Command::Riddles(riddles) => return riddles.run(&riddles::shipped()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ddg: {error}");
            ExitCode::FAILURE
        }
    }
}
