#![deny(unused_must_use)]

use ddg_core::prelude::*;

async fn run(automa: GraphAutoma) -> Result<(), RunError> {
    automa.run(args!(1));
    Ok(())
}

fn main() {
    drop(run(GraphAutoma::new("automa")));
}
