use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", "g", start())?;
    Ok(())
}
