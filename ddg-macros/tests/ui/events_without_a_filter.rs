use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    let _events = automa.run(()).events();
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
