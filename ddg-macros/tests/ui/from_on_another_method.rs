use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    fn helper(&self, #[from(start)] _x: i64) {}
}

fn main() {}
