use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start], output)]
    async fn f(&self, x: i64) -> i64 {
        let y = x 3;
        y
    }
}

fn main() {
    let _: &str = Agent::F.key();
    std::mem::drop(Agent.run(args!(1)));
}
