use ddg_core::prelude::*;

async fn f(numbers: &[i64]) -> i64 {
    numbers.iter().sum()
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
