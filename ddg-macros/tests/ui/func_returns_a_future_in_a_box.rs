use ddg_core::prelude::*;

use std::future::Future;
use std::pin::Pin;

fn f(x: i64) -> Pin<Box<dyn Future<Output = i64>>> {
    Box::pin(async move { x })
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
