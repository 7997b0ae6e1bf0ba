use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: ) -> i64 {
        0
    }

    #[worker(dependencies = [start], output)]
    async fn f(&self, x: i64, #[from(start)] _y: i64) -> i64 {
        x
    }

    #[worker]
    async fn g(&self, cx: &Context) {
        cx.ferry_to(Self::START, (1_i64,));
    }
}

fn main() {
    let _: &str = Agent::F.key();
    std::mem::drop(Agent.run(args!(1)));
}
