//! The program of the agent: `agent` serves it, `try` tries it, `list` lists it.

use std::process::ExitCode;

use ddg_server::riddles::{self, AgentSet};
use riddle_agent::Mine;

fn main() -> ExitCode {
    riddles::main(&AgentSet::new().with("mine", Mine))
}
