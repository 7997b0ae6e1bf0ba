use ddg_core::prelude::*;

struct Money(u32);

async fn f() -> Money {
    Money(1)
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
