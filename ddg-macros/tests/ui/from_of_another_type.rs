use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(
        &self,
        #[from(start)] _a: u8,
        #[from(start)] _b: Option<String>,
        #[from(start, default = 0)] _c: u32,
        #[from(start)] _d: &str,
    ) {
    }
}

fn main() {}
