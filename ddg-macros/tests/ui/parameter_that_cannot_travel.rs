use ddg_core::prelude::*;

struct Agent;

struct Socket;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self, _socket: Socket) {}
}

fn main() {}
