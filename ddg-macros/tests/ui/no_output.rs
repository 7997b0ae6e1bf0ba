use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }
}

async fn run() -> Result<i64, RunError> {
    Agent.run(args!(1)).await
}

fn main() {
    std::mem::drop(run());
}
