use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start], output)]
    async fn early(&self, _x: i64) {}

    #[worker(dependencies = [early])]
    async fn middle(&self) {}

    #[worker(dependencies = [middle], output)]
    async fn late(&self) {}
}

fn main() {}
