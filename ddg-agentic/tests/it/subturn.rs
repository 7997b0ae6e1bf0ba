//! Child agents of a turn. Tests cite the rules of `docs/subturn.md` by number. Each test runs a
//! turn of an agent.

mod asking;
mod calling;
mod durable;
mod ends;
mod inherited;
mod isolation;
mod limits;
mod logged;
mod mistakes;
mod models;
mod open_runs;
mod races;
mod setup;
mod spawning;
mod stopping;
mod watched;
mod workers;
