//! A worker whose output is a stream: the next worker consumes it while it is produced.
//!
//! ```text
//! tell ─┬▶ speak ─▶ count
//!       └───────────▲
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ddg_core::prelude::*;
use futures::{Stream, StreamExt, stream};

#[derive(Default)]
struct Storyteller {
    told: Arc<AtomicUsize>,
}

#[automa]
impl Storyteller {
    /// Returns at once. The items of its output, a stream, are produced when they are read.
    #[worker(start)]
    async fn tell(&self, story: String) -> impl Stream<Item = String> + use<> {
        println!("step 1: tell gives a stream, and nothing has been read from it yet");
        let words: Vec<_> = story.split_whitespace().map(str::to_owned).collect();
        let told = Arc::clone(&self.told);
        let slowly = stream::iter(words).then(async |word| {
            tokio::time::sleep(Duration::from_millis(20)).await;
            word
        });
        slowly.inspect(move |word| {
            told.fetch_add(1, Ordering::Relaxed);
            println!("  told   {word}");
        })
    }

    #[worker(dependencies = [tell])]
    async fn speak(&self, words: ItemStream<String>) -> Vec<String> {
        println!("step 2: speak reads the stream while it is told");
        let mut spoken = Vec::new();
        let mut words = words.items();
        while let Some(word) = words.next().await {
            println!("         spoken {word}");
            spoken.push(word);
            // No word is produced before the previous one has been spoken.
            assert_eq!(self.told.load(Ordering::Relaxed), spoken.len());
        }
        spoken
    }

    /// A second reader of the stream gets it from the first word on, without producing it again.
    #[worker(dependencies = [tell, speak], output)]
    async fn count(&self, words: ItemStream<String>, spoken: Vec<String>) -> usize {
        let words: Vec<_> = words.items().collect().await;
        println!("step 3: count reads the same {} words", words.len());
        assert_eq!(words, spoken);
        words.len()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let storyteller = Storyteller::default();
    let told = Arc::clone(&storyteller.told);
    let words = storyteller.run(args!(story = "once there was a graph")).await?;
    assert_eq!(words, 5);
    assert_eq!(told.load(Ordering::Relaxed), 5);
    Ok(())
}
