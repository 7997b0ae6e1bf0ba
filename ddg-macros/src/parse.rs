//! Parses the tokens of a block into its model.
//!
//! Parsing never stops at a fault. A faulty part is reported, and then left out or represented in
//! the model in a way that gives no second message.

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
