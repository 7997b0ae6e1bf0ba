use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self) -> &str {
        "x"
    }

    #[worker]
    async fn g(&self, x: &str) -> Result<std::borrow::Cow<'_, str>, std::io::Error> {
        Ok(x.to_owned().into())
    }
}

fn main() {}
