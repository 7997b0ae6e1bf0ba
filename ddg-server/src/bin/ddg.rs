//! The command `ddg`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ddg_server::command::main()
}
