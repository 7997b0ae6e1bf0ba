//! A run is displayed while it is active: as lines without a terminal, painted on one.

mod lines;
mod painted;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::prelude::*;

/// A file that can be read while it is written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// `load` tells how far it is and needs two attempts; beside it, `tell` gives a text in parts; then a
/// nested automa runs.
fn article() -> GraphAutoma {
    let mut check = GraphAutoma::new("check");
    check.add_func_as_worker("spelling", async || sleep(250).await, start()).unwrap();
    check.add_func_as_worker("facts", async || sleep(1500).await, after(["spelling"])).unwrap();

    let load = async |cx: Context| {
        for page in 1..=20 {
            cx.emit("progress", (page, 20));
            sleep(50).await;
            if cx.attempt() == 1 && page == 5 {
                return Err(WorkerError::msg("no connection"));
            }
        }
        cx.emit("pages", 20);
        Ok(())
    };
    let tell = async |cx: Context| {
        for part in ["Once ", "there was\na gr", "aph.\nIt gr", "ew."] {
            cx.emit_chunk(part.to_owned());
            sleep(300).await;
        }
    };
    let mut article = GraphAutoma::new("article");
    let retry = Retry::times(1).delay(Duration::from_millis(100));
    article.add_func_as_worker("load", load, start().retry(retry)).unwrap();
    article.add_func_as_worker("tell", tell, start()).unwrap();
    article.add_worker("check", check, after(["load", "tell"]).suppressed()).unwrap();
    article
}
