use ddg_core::prelude::*;

fn f(x: Option<&i64>) -> bool {
    x.is_some()
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
