//! The figures for people.

pub mod machine;
pub mod page;
pub mod plot;
pub mod table;
pub mod targets;
