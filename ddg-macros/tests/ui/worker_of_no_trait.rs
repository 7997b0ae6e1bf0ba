use ddg_core::prelude::*;

struct Money(#[allow(dead_code)] u32);

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_worker("f", Money(1), start())?;
    Ok(())
}
