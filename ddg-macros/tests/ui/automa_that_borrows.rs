use ddg_core::prelude::*;

struct Agent<'a> {
    name: &'a str,
}

#[automa]
impl<'a> Agent<'a> {
    #[worker(start)]
    async fn start(&self) -> String {
        self.name.to_owned()
    }
}

fn main() {}
