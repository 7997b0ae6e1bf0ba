use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    let mut other = GraphAutoma::new();
    other.add_func_as_worker("f", async || 1, start())?;
    Ok(())
}
