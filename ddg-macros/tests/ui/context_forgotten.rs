use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self) {
        cx.ferry_to(Self::FINISH, (1,));
    }

    #[worker(output)]
    async fn finish(&self, x: i64) -> i64 {
        x
    }
}

fn main() {}
