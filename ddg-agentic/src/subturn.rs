//! Child agents: a tool or worker in an agent's turn lets another agent do a part of the task.
//!
//! A tool gets its [`Turn`] as a parameter. It [calls](Turn::call) a [`SubTurn`] and gets the
//! result back, or [spawns](Turn::spawn) one, whose result is delivered to the turn. [`SubTurns`]
//! has the settings for the children of an agent. The rules are in `docs/subturn.md`.
//!
//! `ledger.rs` decides what becomes of each child, as data. `begin.rs`, `child.rs`, `settle.rs`,
//! `rest.rs` and `recover.rs` act on the decisions, in the order of a child's life.

mod begin;
mod budget;
mod child;
mod config;
mod control;
mod error;
mod event;
mod guard;
mod ledger;
mod node;
mod recover;
mod rest;
mod result;
mod sampling;
mod settings;
mod settle;
mod spawner;
mod state;
mod tools;
mod turn;

pub(crate) use child::INPUT;
pub use config::{ChildTools, Delivery, SubTurn};
pub(crate) use control::Control;
pub use error::SubTurnError;
pub use event::{SubTurnEvent, TurnStatus};
pub(crate) use guard::TurnGuard;
pub(crate) use node::ChildNode;
pub use result::{ChildResult, ChildStatus, ChildSummary, Disposition, OrphanReason};
pub use settings::{SubTurns, WhenFull};
pub use spawner::{ScriptedChildren, Spawner};
pub(crate) use state::{TurnAgent, TurnState};
pub use tools::AgentTools;
#[doc(hidden)]
pub use turn::turn;
pub use turn::{SpawnedChild, Turn};
