use ddg_core::prelude::*;

struct Agent {
    part: Part,
}

struct Part;

#[automa]
impl Part {}

#[automa(fragments = [self.part])]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }
}

fn main() {}
