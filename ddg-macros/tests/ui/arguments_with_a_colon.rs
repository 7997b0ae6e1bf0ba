use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    automa.run(args!(x: 1)).await?;
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
