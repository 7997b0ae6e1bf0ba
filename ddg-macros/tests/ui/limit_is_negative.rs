use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.set_max_concurrency(-1);
    Ok(())
}
