//! This engine's agent, used as its guide says.

use std::error::Error;
use std::sync::Arc;

use ddg_agentic::prelude::*;
use ddg_core::checkpoint::MemoryStore;

use super::model::{AtOnce, Script};
use super::tool::toolbox;
use super::{Subject, TASK};

/// How many messages the model is shown where that is bounded.
const N_SHOWN: usize = 20;

/// An agent whose model is shown all that has been said.
///
/// # Errors
/// Never, but for a defect.
pub fn whole(script: &Arc<Script>) -> Result<Subject, Box<dyn Error>> {
    subject("ReActAutoma", agent(script)?)
}

/// The same, but the model is shown only the last messages.
///
/// # Errors
/// Never, but for a defect.
pub fn windowed(script: &Arc<Script>) -> Result<Subject, Box<dyn Error>> {
    subject("ReActAutoma, 20 messages shown", agent(script)?.memory(LastMessages::new(N_SHOWN)))
}

/// The same as [`whole`], stored after each step.
///
/// # Errors
/// Never, but for a defect.
pub fn stored(script: &Arc<Script>) -> Result<Subject, Box<dyn Error>> {
    let agent = Arc::new(agent(script)?.build()?);
    let run = move || {
        let agent = Arc::clone(&agent);
        Box::pin(async move {
            let store = MemoryStore::new();
            Ok(agent.run(args!(TASK)).stored_in(&store, "run").await?.text())
        }) as _
    };
    Ok(Subject { name: "ReActAutoma, stored in memory", run: Box::new(run) })
}

fn agent(script: &Arc<Script>) -> Result<ReActAutoma, Box<dyn Error>> {
    let limits = Limits::turns(script.turns() as u32 + 1);
    Ok(ReActAutoma::new(AtOnce(Arc::clone(script))).tools(toolbox()?).limits(limits))
}

fn subject(name: &'static str, agent: ReActAutoma) -> Result<Subject, Box<dyn Error>> {
    let agent = Arc::new(agent.build()?);
    let run = move || {
        let agent = Arc::clone(&agent);
        Box::pin(async move { Ok(agent.run(args!(TASK)).await?.text()) }) as _
    };
    Ok(Subject { name, run: Box::new(run) })
}
