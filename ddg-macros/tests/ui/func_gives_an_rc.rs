use ddg_core::prelude::*;

fn f() -> std::rc::Rc<i64> {
    std::rc::Rc::new(1)
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
