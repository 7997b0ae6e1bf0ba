use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(start, in_order)]
    async fn list(&self) -> Vec<i64> {
        vec![1]
    }

    #[worker(dependencies = [list])]
    async fn f(&self, _x: String) {}
}

fn main() {}
