use ddg_core::prelude::*;
use std::rc::Rc;

async fn f() -> i64 {
    let x = Rc::new(1);
    std::future::ready(()).await;
    *x
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
