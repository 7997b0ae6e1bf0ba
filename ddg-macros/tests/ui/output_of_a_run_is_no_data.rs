use ddg_core::prelude::*;

struct Money(#[allow(dead_code)] u32);

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    automa.run(args!(1)).output::<Money>().await?;
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
