use ddg_core::prelude::*;

trait Thinks {
    #[worker(start)]
    fn think(&self) -> String;
}

fn main() {}
