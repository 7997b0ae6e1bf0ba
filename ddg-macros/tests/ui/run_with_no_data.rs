use ddg_core::prelude::*;

struct Money(u32);

fn main() -> Result<(), BuildError> {
    let automa = GraphAutoma::new("automa");
    _ = automa.run(args!(price = Money(1)));
    Ok(())
}
