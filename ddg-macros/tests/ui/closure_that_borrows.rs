use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    let names = vec!["a".to_owned()];
    automa.add_func_as_worker("f", || names.len(), start())?;
    drop(names);
    Ok(())
}
