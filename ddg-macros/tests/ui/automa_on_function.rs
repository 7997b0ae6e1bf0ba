use ddg_core::prelude::*;

#[automa(name = "agent")]
pub async fn agent(x: i64) -> i64 {
    x
}

fn main() {}
