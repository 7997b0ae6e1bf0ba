use ddg_core::prelude::*;

struct Money(#[allow(dead_code)] u32);

fn f() -> Vec<Money> {
    vec![Money(1)]
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
