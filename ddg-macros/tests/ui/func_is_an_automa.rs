use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    let inner = GraphAutoma::new("inner");
    automa.add_func_as_worker("f", inner, start())?;
    Ok(())
}
