use ddg_core::prelude::*;

async fn f() -> Result<i64, Box<dyn std::error::Error>> {
    Ok(1)
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
