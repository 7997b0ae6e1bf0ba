//! A loop without an edge: `accumulate` ferries back to `start` until x is 100.
//!
//! Run it with `cargo run -p examples --example sum100`. The last line ends with 5050, the
//! sum of 1 to 100.

use ddg_core::prelude::*;

struct Sum100;

#[automa]
impl Sum100 {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start])]
    async fn accumulate(&self, x: i64, cx: &Context) {
        // The local space belongs to this worker, and lasts as long as the run.
        let sum = cx.local().update("sum", |sum: &mut i64| {
            *sum += x;
            *sum
        });
        if x % 20 == 0 {
            let next = if x < 100 { "back to `start`" } else { "on to `end`" };
            println!("step {:>3}: x = {x:>3}, sum = {sum:>4}: jump {next}", cx.step());
        }
        if x < 100 {
            cx.ferry_to(Self::START, (x + 1,));
        } else {
            cx.ferry_to(Self::END, (sum,));
        }
    }

    #[worker(output)]
    async fn end(&self, x: i64) -> i64 {
        x
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sum: i64 = Sum100.run(args!(x = 0)).await?;
    assert_eq!(sum, 5050);
    println!("the sum of 0 to 100, by jumps along no edge: {sum}");
    Ok(())
}
