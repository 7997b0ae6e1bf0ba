use ddg_core::prelude::*;

fn f(cx: &mut Context) -> bool {
    cx.is_waiting()
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
