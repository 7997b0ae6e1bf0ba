use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let automa = GraphAutoma::new("automa");
    _ = automa.run(5);
    Ok(())
}
