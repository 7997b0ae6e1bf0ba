use ddg_core::prelude::*;
use futures::stream::{self, Stream};

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    fn f(&self) -> impl Stream<Item = i64> + Send {
        stream::iter([1, 2, 3])
    }
}

fn main() {}
