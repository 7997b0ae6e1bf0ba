use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(output, dependencies = [Self::START])]
    async fn end(&self, x: i64) -> i64 {
        x
    }
}

fn main() {}
