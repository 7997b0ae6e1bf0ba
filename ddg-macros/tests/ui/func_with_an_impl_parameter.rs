use ddg_core::prelude::*;

fn f(x: impl Into<String>) -> String {
    x.into()
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
