use ddg_core::prelude::*;

fn f(x: Box<dyn std::any::Any + Send>) -> bool {
    x.is::<i64>()
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
