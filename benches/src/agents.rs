//! What a turn of an agent costs, with a model that replies at once.
//!
//! A [`Subject`] is a loop that asks the [`model`] and calls the [`tool`]: this engine's
//! [`agent`], the same loop [`by_hand`], and a peer's. The model notes when it is asked, and
//! [`measure`] makes turns of that; [`report`] shows them. [`pieces`] is about the replies of a
//! provider.

pub mod agent;
pub mod by_hand;
pub mod measure;
pub mod model;
pub mod pieces;
pub mod report;
#[cfg(feature = "peers")]
pub mod rig;
pub mod tool;

use std::error::Error;
use std::sync::Arc;

use futures::future::BoxFuture;

use self::model::Script;

/// What is said to all agents.
pub const TASK: &str = "How is the weather in Tokyo?";

/// An agent, in whatever way it is made.
pub struct Subject {
    /// What people call it.
    pub name: &'static str,
    /// Runs it once, from the task to the answer.
    pub run: Box<dyn Fn() -> BoxFuture<'static, Answer> + Send>,
}

/// What an agent says in the end.
pub type Answer = Result<String, Box<dyn Error + Send + Sync>>;

/// All agents, the one that the others are compared with first; their model says what
/// is in `script`.
///
/// # Errors
/// One cannot be built.
pub fn subjects(script: &Arc<Script>) -> Result<Vec<Subject>, Box<dyn Error>> {
    Ok(vec![
        by_hand::plain(script),
        by_hand::in_a_worker(script)?,
        agent::whole(script)?,
        agent::windowed(script)?,
        agent::stored(script)?,
        #[cfg(feature = "peers")]
        rig::agent(script),
    ])
}
