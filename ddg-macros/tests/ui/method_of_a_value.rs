use ddg_core::prelude::*;

struct Prices;

impl Prices {
    async fn price(&self, n: u32) -> u32 {
        n
    }
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    let prices = Prices;
    automa.add_func_as_worker("f", prices.price, start())?;
    Ok(())
}
