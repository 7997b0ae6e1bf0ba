use ddg_core::prelude::*;
use serde::{Deserialize, Serialize};

struct Agent;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct NotFound;

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not found")
    }
}

impl std::error::Error for NotFound {}

#[automa]
impl Agent {
    #[worker(start, output)]
    fn f() -> Result<i64, NotFound> {
        Err(NotFound)
    }
}

fn main() {}
