use ddg_core::prelude::*;

use std::collections::BTreeMap;

struct Money(#[allow(dead_code)] u32);

fn f(all: BTreeMap<String, Money>) -> usize {
    all.len()
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
