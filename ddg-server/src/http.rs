//! What every request goes through, and what every reply is made of.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod events;
pub(crate) mod owner;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod rate;
pub(crate) mod request;
pub(crate) mod sse;
