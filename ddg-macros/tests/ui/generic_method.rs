use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f<T: ddg_core::Data, const N: usize>(&self, x: Vec<[T; N]>) -> Vec<T> {
        x.into_iter().flatten().collect()
    }
}

fn main() {}
