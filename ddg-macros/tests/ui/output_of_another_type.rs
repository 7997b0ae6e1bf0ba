use ddg_core::prelude::*;

struct Agent;

#[automa(output = String)]
impl Agent {
    #[worker(start, output)]
    async fn count(&self, x: u8) -> u8 {
        x
    }
}

struct Silent;

#[automa(output = String)]
impl Silent {
    #[worker(start, output)]
    async fn nothing(&self) {}
}

fn main() {}
