use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self) -> Result<i64, Box<dyn std::error::Error>> {
        Ok(0)
    }
}

fn main() {}
