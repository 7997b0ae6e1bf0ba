use ddg_core::prelude::*;

struct Agent;

#[automa]
impl std::fmt::Debug for Agent {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

fn main() {}
