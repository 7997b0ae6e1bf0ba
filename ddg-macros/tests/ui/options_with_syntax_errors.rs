use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start, timeout = )]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start,, ], output)]
    async fn f(&self, x: i64) -> i64 {
        x
    }

    #[worker(start output)]
    async fn g(&self, x: i64) -> i64 {
        x
    }
}

fn main() {
    let _: &str = Agent::F.key();
    std::mem::drop(Agent.run(args!(1)));
}
