use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    automa.resume("{}").await?;
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
