//! Displays a run in the terminal: its steps, the running workers with their times, and their
//! reports.
//!
//! A planner adds a worker for each source to search. They run concurrently, and one of them has no
//! connection at first. Then a nested automa writes a report.
//!
//! It is quick by default; `--slow` leaves time to look. If the output is not a terminal, it is
//! lines for a log:
//!
//! ```text
//! cargo run -p examples --features terminal --example watch -- --slow
//! cargo run -p examples --features terminal --example watch 2>&1 | cat
//! ```

use std::sync::Arc;
use std::time::Duration;

use ddg_core::prelude::*;

const SOURCES: [&str; 4] = ["archive", "library", "news", "web"];

/// Simulates work.
#[derive(Clone, Copy)]
struct Work {
    tick: Duration,
}

impl Work {
    async fn ticks(self, n: u32) {
        tokio::time::sleep(self.tick * n).await;
    }
}

struct Research {
    work: Work,
}

#[automa(fragments = [Self::nested])]
impl Research {
    /// Adds a worker for each source, and one that collects their results.
    #[worker(start)]
    async fn plan(&self, cx: &Context) {
        self.work.ticks(4).await;
        for (source, n) in SOURCES.into_iter().zip(1_u32..) {
            let retry = Retry::times(2).delay(self.work.tick * 4);
            cx.add_func_as_worker(source, Self::SEARCH, free().retry(retry));
            cx.ferry_to(source, (n,));
        }
        cx.add_func_as_worker("collect", Self::COLLECT, after(SOURCES).merge());
        cx.add_dependency("report", "collect");
    }

    /// Reports its progress.
    #[worker(detached)]
    async fn search(&self, n: u32, cx: &Context) -> Result<u32, WorkerError> {
        let pages = 4 * n;
        for page in 1..=pages {
            self.work.ticks(1).await;
            if n == 3 && cx.attempt() < 3 && page == 3 {
                return Err(WorkerError::msg("no connection"));
            }
            cx.emit("progress", (page, pages));
        }
        Ok(pages)
    }

    #[worker(detached)]
    async fn collect(&self, found: Vec<u32>) -> u32 {
        found.into_iter().sum()
    }
}

impl Research {
    fn nested(this: &Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError> {
        graph.add_worker("report", Report { work: this.work }.build()?, free().output())
    }
}

struct Report {
    work: Work,
}

#[automa]
impl Report {
    #[worker(start)]
    async fn outline(&self, pages: u32) -> u32 {
        self.work.ticks(3).await;
        pages
    }

    #[worker(dependencies = [outline])]
    async fn figures(&self, pages: u32) -> u32 {
        self.work.ticks(12).await;
        pages / 10
    }

    /// Writes a text, and emits it word by word.
    #[worker(dependencies = [outline])]
    async fn write(&self, pages: u32, topic: String, cx: &Context) -> String {
        let text = format!("On {pages} pages nobody says\nanything new about {topic}.");
        for word in text.split_inclusive(' ') {
            self.work.ticks(2).await;
            cx.emit_chunk(word.to_owned());
        }
        text
    }

    #[worker(dependencies = [figures, write], output)]
    async fn bind(&self, figures: u32, text: String) -> String {
        format!("{text} ({figures} figures)")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let millis = match std::env::args().nth(1).as_deref() {
        None => 10,
        Some("--slow") => 250,
        Some(_) => return Err("usage: watch [--slow]".into()),
    };
    let work = Work { tick: Duration::from_millis(millis) };
    let research = Research { work }.build()?;
    let outcome = research.run(args!(topic = "rain")).watched().await?;

    let text: String = outcome.into_output()?;
    println!("{text}");
    assert!(text.ends_with("about rain. (4 figures)"));
    Ok(())
}
