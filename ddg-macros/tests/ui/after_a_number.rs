use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", async |x: i64| x, after(1))?;
    Ok(())
}
