use ddg_core::prelude::*;

#[automa]
enum Agent {
    Quick,
}

fn main() {}
