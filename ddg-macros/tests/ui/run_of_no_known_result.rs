use ddg_core::prelude::*;

async fn run(automa: &GraphAutoma) -> Result<(), RunError> {
    let sum = automa.run(args!(5)).output().await?;
    println!("{sum:?}");
    Ok(())
}

fn main() {}
