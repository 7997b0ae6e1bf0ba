use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    if let Err(error) = automa.run(()).await {
        match error {
            RunError::Build(_) => {}
            RunError::Step(_) => {}
        }
    }
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
