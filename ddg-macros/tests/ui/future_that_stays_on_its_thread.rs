use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self) {
        let shared = std::rc::Rc::new(1);
        tick().await;
        drop(shared);
    }
}

fn main() {}

async fn tick() {}
