use ddg_core::prelude::*;

struct Held(std::rc::Rc<i64>);

impl Worker for Held {
    type Output = i64;

    async fn run(&self, _: Args, _: &Context) -> Result<i64, WorkerError> {
        Ok(*self.0)
    }
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_worker("f", Held(std::rc::Rc::new(1)), start())?;
    Ok(())
}
