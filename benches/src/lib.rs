//! What is measured, how, and against what.
//!
//! Read in this order: [`workload`] says what is to be done, with the graphs of [`shape`];
//! [`subject`] is an engine that does it: [`ddg`], the [`baselines`], and the peers. [`measure`]
//! lets them take turns; [`figure`] is what comes out, and [`report`] shows it.
//!
//! Two more things are measured, each by a program of its own: `checkpoints`, what it costs to keep
//! a run in a file, and `agents`, what a turn of an agent costs.

#[cfg(feature = "agents")]
pub mod agents;
pub mod baselines;
#[cfg(feature = "sqlite")]
pub mod checkpoints;
pub mod counting;
pub mod ddg;
pub mod dice;
pub mod figure;
pub mod gate;
pub mod measure;
pub mod options;
#[cfg(feature = "peers")]
pub mod peers;
pub mod report;
pub mod shape;
pub mod subject;
pub mod work;
pub mod workload;
