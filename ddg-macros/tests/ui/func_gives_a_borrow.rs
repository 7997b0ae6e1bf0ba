use ddg_core::prelude::*;

async fn f(text: &String) -> &String {
    text
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
