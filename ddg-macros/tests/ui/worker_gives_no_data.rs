use ddg_core::prelude::*;

struct Money(#[allow(dead_code)] u32);

struct Pay;

impl Worker for Pay {
    type Output = Money;

    async fn run(&self, _: Args, _: &Context) -> Result<Money, WorkerError> {
        Ok(Money(1))
    }
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_worker("f", Pay, start())?;
    Ok(())
}
