use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self) -> &'static [u8] {
        &[]
    }

    #[worker]
    async fn g(&self) -> Result<i64, &'static str> {
        Err("none")
    }
}

fn main() {}
