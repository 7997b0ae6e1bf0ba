use ddg_core::prelude::*;

struct Agent<D, M>(D, M);

#[automa]
impl<D: Clone + Send + Sync, M: Send + Sync> Agent<D, M> {
    #[worker(start, output)]
    async fn first(&self, x: D) -> D {
        x
    }
}

fn main() {}
