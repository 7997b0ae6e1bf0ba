//! Draws the pictures of the book: `cargo run -p pages --bin pictures`.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::render::History;

/// The workers of the README's first program, each with the milliseconds that it takes.
const WISHES: [(&str, u64); 3] = [("flight", 780), ("hotel", 540), ("museum", 270)];

async fn take(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

async fn plan(cx: Context) {
    take(240).await;
    for (wish, ms) in WISHES {
        cx.add_func_as_worker(wish, async |ms: u64| take(ms).await, free());
        cx.ferry_to(wish, (ms,));
    }
    let report = async || take(210).await;
    cx.add_func_as_worker("report", report, after(WISHES.map(|(wish, _)| wish)).output());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut trip = GraphAutoma::new("trip");
    trip.add_func_as_worker("plan", plan, start())?;
    let history = History::new();
    trip.add_callback(history.clone());
    trip.run(()).await?;
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    history.write_svg(pictures.join("trip.svg"))?;
    Ok(())
}
