use ddg_core::prelude::*;

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Broke;

impl std::fmt::Display for Broke {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broke")
    }
}

impl std::error::Error for Broke {}

async fn f() -> Result<i64, Broke> {
    Err(Broke)
}

fn main() -> Result<(), BuildError> {
    let mut automa = GraphAutoma::new("automa");
    automa.add_func_as_worker("f", f, start())?;
    Ok(())
}
