use ddg_core::prelude::*;

struct Agent {
    count: std::cell::Cell<i64>,
}

#[automa]
impl Agent {
    #[worker(start)]
    fn start(&self) -> i64 {
        self.count.get()
    }
}

fn main() {}
