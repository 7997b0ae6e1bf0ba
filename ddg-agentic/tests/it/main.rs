//! What agents do, through the public API: one file per behaviour.

mod messages;
