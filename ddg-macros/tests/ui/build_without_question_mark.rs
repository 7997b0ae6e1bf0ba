use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start, output)]
    async fn start(&self, x: i64) -> i64 {
        x
    }
}

fn main() {
    drop(Agent.build().run(args!(1)));
}
