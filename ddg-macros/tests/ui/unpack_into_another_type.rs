use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(start)]
    async fn pair(&self) -> (i64, String) {
        (1, String::new())
    }

    #[worker(dependencies = [pair], unpack)]
    async fn f(&self, _a: i64, _b: u8) {}

    #[worker(start)]
    async fn list(&self) -> Vec<i64> {
        Vec::new()
    }

    #[worker(dependencies = [list], unpack)]
    async fn g(&self, _a: &str) {}
}

fn main() {}
