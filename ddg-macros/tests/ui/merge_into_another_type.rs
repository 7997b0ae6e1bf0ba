use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(start)]
    async fn text(&self) -> String {
        String::new()
    }

    #[worker(dependencies = [start, text], merge)]
    async fn f(&self, _all: Vec<i64>) {}

    #[worker(dependencies = [start, text], merge)]
    async fn g(&self, _all: (i64, u8)) {}

    #[worker(dependencies = [text], merge)]
    async fn h(&self, _all: &[u8]) {}
}

fn main() {}
