//! Agents that come with the platform, and adapters that make agents of other things.

mod arithmetic;
mod calculator;
mod func;
mod react;
mod text;

pub use calculator::{Calculator, Checker};
pub use func::{AgentFn, AgentReply, agent_fn};
pub use react::ReActAgent;
pub use text::Text;
