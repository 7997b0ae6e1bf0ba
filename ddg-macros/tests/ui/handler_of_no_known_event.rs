use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.on_post(|event, _| println!("{event:?}"));
    Ok(())
}
