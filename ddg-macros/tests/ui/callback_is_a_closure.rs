use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_callback(|cx: &Context| println!("{}", cx.key()));
    Ok(())
}
