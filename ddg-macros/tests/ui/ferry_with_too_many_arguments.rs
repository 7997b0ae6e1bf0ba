use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, cx: &Context) {
        cx.ferry_to(Self::END, (1, 2));
    }

    #[worker(output)]
    async fn end(&self, x: i64) -> i64 {
        x
    }
}

fn main() {}
