use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    fn f(&self) -> std::fmt::Result {
        Ok(())
    }
}

fn main() {}
