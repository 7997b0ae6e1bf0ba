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
    fn f(&self) -> impl Future<Output = i64> + Send + use<> {
        async { 0 }
    }

    #[worker]
    fn g(&self) -> impl Stream {
        stream::empty::<i64>()
    }
}

fn main() {}
