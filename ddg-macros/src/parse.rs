//! From the tokens of a block to its model.
//!
//! Parsing never stops at a fault: what is wrong is reported and left out, or stands in the model
//! in the form that leads to no second message.

mod automa;
mod block;
mod entry;
mod from;
mod method;
mod options;
mod output;
mod param;
mod reference;
mod worker;

pub(crate) use self::block::{parse_block, strip_from_attributes};
pub(crate) use self::options::{Grammar, Options, Shape};
pub(crate) use self::worker::cfgs;
