use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    let store = ddg_core::checkpoint::MemoryStore::new();
    automa.run(()).stored_in(&store, 7).await?;
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
