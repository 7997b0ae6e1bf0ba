use ddg_core::prelude::*;

struct Double;

impl Worker for Double {
    async fn run(&self, args: Args, _: &Context) -> Result<i64, WorkerError> {
        Ok(2 * args.get::<i64>(0)?)
    }
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_worker("f", Double, start())?;
    Ok(())
}
