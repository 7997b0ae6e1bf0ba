use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker(1, async || 1, start())?;
    Ok(())
}
