use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    automa.run(()).stored_in("runs.db", "a").await?;
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
