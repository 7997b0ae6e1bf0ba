use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", async |cx: Context| cx.ferry_to("g", 1, 2), start())?;
    Ok(())
}
