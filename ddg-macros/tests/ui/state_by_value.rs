use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", with(vec![1], async |all: Vec<i64>, x: i64| all.len() as i64 + x), start())?;
    Ok(())
}
