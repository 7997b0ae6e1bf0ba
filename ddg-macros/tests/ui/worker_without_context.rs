use ddg_core::prelude::*;

struct Double;

impl Worker for Double {
    type Output = i64;

    async fn run(&self, args: Args) -> Result<i64, WorkerError> {
        Ok(2 * args.get::<i64>(0)?)
    }
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_worker("f", Double, start())?;
    Ok(())
}
