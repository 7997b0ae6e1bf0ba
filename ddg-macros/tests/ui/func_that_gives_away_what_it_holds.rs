use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    let text = String::new();
    let f = move |x: usize| async move { text.len() + x };
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
