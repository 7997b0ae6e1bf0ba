use ddg_core::prelude::*;

struct Money(#[allow(dead_code)] u32);

fn f(pair: (i64, Money)) -> i64 {
    pair.0
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
