use ddg_core::prelude::*;

struct Agent<D>(D);

#[automa]
impl<D> Agent<D> {
    #[worker(start)]
    async fn first(&self, x: D) -> Vec<D> {
        vec![x]
    }

    #[worker(dependencies = [first], output)]
    async fn last(&self, mut all: Vec<D>) -> Option<D> {
        all.pop()
    }
}

fn main() {
    let agent = Agent(1_u8);
    std::mem::drop(agent.run(args!(1)));
}
