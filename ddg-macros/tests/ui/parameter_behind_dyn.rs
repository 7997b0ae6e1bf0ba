use std::sync::Arc;

use ddg_core::prelude::*;

struct Agent;

trait Model: Send + Sync {}

#[automa]
impl Agent {
    #[worker(start)]
    fn f(_model: Arc<dyn Model>) {}

    #[worker(start)]
    fn g(_model: Box<dyn Model>) {}
}

fn main() {}
