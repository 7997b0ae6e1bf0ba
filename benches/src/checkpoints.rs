//! What it costs to keep a run in a file.
//!
//! Runs of a graph of [`letters`] are written as each [`Mode`] says, to a store that is
//! [`watched`]; [`bare`] writes as much to the same disk without an engine. [`measure`] lets them
//! take turns, and [`report`] shows what comes out.

pub mod bare;
pub mod letters;
pub mod measure;
pub mod report;
pub mod watched;

use ddg_core::checkpoint::{CheckpointPolicy, Durability};
use serde::Serialize;

/// When a run is written, and with what promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Not at all: the run is no durable one.
    Off,
    /// When it begins and ends.
    OnPause,
    /// After every step; nobody waits for the disk.
    EveryStepUnsynced,
    /// After every step.
    EveryStep,
    /// After every step, and the results of workers as they end.
    EveryWorker,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Off, Self::OnPause, Self::EveryStepUnsynced, Self::EveryStep, Self::EveryWorker];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::OnPause => "on pause",
            Self::EveryStepUnsynced => "every step, unsynced",
            Self::EveryStep => "every step",
            Self::EveryWorker => "every worker",
        }
    }

    /// When a run is written; `None` if it is not.
    pub fn checkpoints(self) -> Option<CheckpointPolicy> {
        match self {
            Self::Off => None,
            Self::OnPause => Some(CheckpointPolicy::OnPause),
            Self::EveryStepUnsynced | Self::EveryStep => Some(CheckpointPolicy::EveryStep),
            Self::EveryWorker => Some(CheckpointPolicy::EveryWorker),
        }
    }

    /// What the store promises of what is written: the default, unless it is unsynced.
    pub fn durability(self) -> Durability {
        match self {
            Self::EveryStepUnsynced => Durability::ProcessCrash,
            Self::Off | Self::OnPause | Self::EveryStep | Self::EveryWorker => {
                Durability::default()
            }
        }
    }
}
