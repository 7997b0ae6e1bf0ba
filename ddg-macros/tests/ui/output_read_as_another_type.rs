use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start, output)]
    async fn start(&self, x: i64) -> i64 {
        x
    }
}

async fn run() -> Result<(), RunError> {
    let _text: String = Agent.run(args!(1)).await?;
    Ok(())
}

fn main() {
    drop(run());
}
