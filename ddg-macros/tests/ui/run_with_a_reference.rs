use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let automa = GraphAutoma::new("automa");
    let name = String::new();
    _ = automa.run(args!(&name));
    Ok(())
}
