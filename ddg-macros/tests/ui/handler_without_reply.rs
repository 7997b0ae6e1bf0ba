use ddg_core::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Ask(String);

impl ddg_core::feedback::Request for Ask {
    type Reply = bool;
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.on_request(|ask: Ask| println!("{}", ask.0));
    Ok(())
}
