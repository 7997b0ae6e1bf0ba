use ddg_core::prelude::*;

async fn same<T>(x: T) -> T {
    x
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", same, start())?;
    Ok(())
}
