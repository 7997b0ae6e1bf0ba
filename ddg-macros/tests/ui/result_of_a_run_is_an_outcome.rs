use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    let _sum: i64 = automa.run(args!(1)).await?;
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
