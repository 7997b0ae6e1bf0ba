use ddg_core::prelude::*;

fn f() -> impl Iterator<Item = i64> {
    0..3
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
