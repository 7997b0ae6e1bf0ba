//! The random programs of the tests of the engine.
#![allow(dead_code, unused_imports, reason = "the tests of the engine use all of it")]

#[path = "../it/random_graphs/actor.rs"]
mod actor;
#[path = "../it/random_graphs/dice.rs"]
mod dice;
#[path = "../it/random_graphs/generate.rs"]
pub(crate) mod generate;
#[path = "../it/random_graphs/pause.rs"]
mod pause;
#[path = "../it/random_graphs/stage.rs"]
pub(crate) mod stage;
#[path = "../it/random_graphs/watched.rs"]
mod watched;

pub(crate) use dice::Dice;
use pause::pause;
