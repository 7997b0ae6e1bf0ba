use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self, cx: &Context) {
        cx.ferry_to(Self::start, (1_i64,));
    }
}

fn main() {}
