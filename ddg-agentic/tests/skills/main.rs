//! Skills: loaded from folders, read by models, and their scripts as tools.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod call;
mod loading;
mod reading;
mod scripts;
