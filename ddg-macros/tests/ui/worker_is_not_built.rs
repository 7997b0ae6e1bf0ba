use ddg_core::prelude::*;

struct Adder;

#[automa]
impl Adder {
    #[worker(start, output)]
    async fn add(&self, x: i64) -> i64 {
        x + 1
    }
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_worker("adder", Adder, start())?;
    Ok(())
}
