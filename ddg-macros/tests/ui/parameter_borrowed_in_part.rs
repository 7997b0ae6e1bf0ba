use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self, _a: Option<&str>, _b: std::borrow::Cow<'_, str>) {}
}

fn main() {}
