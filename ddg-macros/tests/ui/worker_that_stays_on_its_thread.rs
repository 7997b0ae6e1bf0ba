use ddg_core::prelude::*;

use std::rc::Rc;

struct Double;

impl Worker for Double {
    type Output = i64;

    async fn run(&self, args: Args, _: &Context) -> Result<i64, WorkerError> {
        let x = Rc::new(args.get::<i64>(0)?);
        std::future::ready(()).await;
        Ok(2 * *x)
    }
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_worker("f", Double, start())?;
    Ok(())
}
