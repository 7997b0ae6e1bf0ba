use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", with(std::cell::Cell::new(1), async |n: &std::cell::Cell<i64>| n.get()), start())?;
    Ok(())
}
