use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    const LIMIT: i64 = ;

    #[worker(start, output)]
    async fn start(&self, x: i64) -> i64 {
        self.help(x)
    }

    fn help(&self, x: i64) -> i64 {
        x +
    }
}

fn main() {
    let _: &str = Agent::START.key();
    std::mem::drop(Agent.run(args!(1)));
}
