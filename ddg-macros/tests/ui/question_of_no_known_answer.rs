use ddg_core::prelude::*;

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", async |cx: Context| -> Result<(), WorkerError> {
        cx.interact_with_human("Go on?")?;
        Ok(())
    }, start())?;
    Ok(())
}
