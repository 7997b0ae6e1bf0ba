//! The first automa, declared twice: by calls, and by methods that the compiler checks.
//!
//! Run it with `cargo run -p examples --example adder`. The last line is 27.

use ddg_core::prelude::*;
use examples::Trace;

const PICTURE: &str = "
             ┌─▶ worker_2 (+2) ─┐
  worker_1 ──┤                  ├─▶ worker_4 (sum)
    (+1)     └─▶ worker_3 (+3) ─┘
";

async fn worker_1(x: i64) -> i64 {
    x + 1
}

async fn worker_2(x: i64) -> i64 {
    x + 2
}

async fn worker_3(x: i64) -> i64 {
    x + 3
}

async fn worker_4(x1: i64, x2: i64) -> i64 {
    x1 + x2
}

struct Adder;

#[automa]
impl Adder {
    #[worker(start)]
    async fn worker_1(&self, x: i64) -> i64 {
        worker_1(x).await
    }

    #[worker(dependencies = [worker_1])]
    async fn worker_2(&self, x: i64) -> i64 {
        worker_2(x).await
    }

    #[worker(dependencies = [worker_1])]
    async fn worker_3(&self, x: i64) -> i64 {
        worker_3(x).await
    }

    #[worker(dependencies = [worker_2, worker_3], output)]
    async fn worker_4(&self, x1: i64, x2: i64) -> i64 {
        worker_4(x1, x2).await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{PICTURE}");
    println!("declared by calls, run with 10:");
    let mut adder = GraphAutoma::new("adder");
    adder.add_func_as_worker("worker_1", worker_1, start())?;
    adder.add_func_as_worker("worker_2", worker_2, after(["worker_1"]))?;
    adder.add_func_as_worker("worker_3", worker_3, after(["worker_1"]))?;
    adder.add_func_as_worker("worker_4", worker_4, after(["worker_2", "worker_3"]).output())?;
    adder.add_callback(Trace);
    let by_calls: i64 = adder.run(args!(10)).output().await?;

    println!("declared by methods, whose edges and types the compiler checks:");
    let mut adder = Adder.build()?;
    adder.add_callback(Trace);
    let by_methods = adder.run(args!(x = 10)).await?;

    assert_eq!(by_calls, by_methods);
    assert_eq!(by_methods, 27);
    println!("both give {by_methods}");
    Ok(())
}
