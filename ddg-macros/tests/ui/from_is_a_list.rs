use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(output, dependencies = [start])]
    async fn end(&self, _x: i64, #[from(start, other)] y: i64) -> i64 {
        y
    }
}

fn main() {}
