use ddg_core::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Turn(u32);

struct Game;

#[automa]
impl Game {
    #[worker(start)]
    async fn play(&self, #[context] turn: Turn) -> u32 { turn.0 }
}

fn main() {}
