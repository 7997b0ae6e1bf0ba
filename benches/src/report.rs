//! The figures for people.

pub mod machine;
pub mod marked;
pub mod page;
pub mod plot;
pub mod table;
pub mod targets;
