use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    let mut n = 0;
    automa.add_func_as_worker("f", move || { n += 1; n }, start())?;
    Ok(())
}
