use ddg_core::prelude::*;

unsafe fn f(x: i64) -> i64 {
    x
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
