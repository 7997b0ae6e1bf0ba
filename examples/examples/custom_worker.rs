//! Types as workers: with configuration, state, a signature that is known only at run time, and
//! options for failures and timeouts.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::worker::TimedOut;

/// A text with `{placeholders}`. Its signature has one parameter for each placeholder.
struct Template {
    text: &'static str,
}

impl Template {
    fn placeholders(&self) -> impl Iterator<Item = &'static str> {
        self.text.split('{').skip(1).filter_map(|rest| rest.split('}').next())
    }
}

impl Worker for Template {
    type Output = String;

    fn signature(&self) -> Signature {
        self.placeholders().fold(Signature::new(), Signature::param::<String>)
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<String, WorkerError> {
        println!("  {} fills in {args:?}", cx.key());
        let mut text = self.text.to_owned();
        for (position, name) in self.placeholders().enumerate() {
            text = text.replace(&format!("{{{name}}}"), &args.get::<String>(position)?);
        }
        Ok(text)
    }
}

/// A slow service that is unavailable at first. It counts its calls across all runs.
struct Translator {
    up_from: u32,
    takes: Duration,
    calls: Arc<AtomicU32>,
}

impl Worker for Translator {
    type Output = String;

    fn signature(&self) -> Signature {
        Signature::new().param::<String>("text")
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<String, WorkerError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        println!("  {} is called, attempt {}", cx.key(), cx.attempt());
        if call < self.up_from {
            return Err(WorkerError::msg("the service is not up yet"));
        }
        tokio::time::sleep(self.takes).await;
        Ok(args.get::<String>(0)?.to_uppercase())
    }
}

fn letters(translator: Translator, options: WorkerOptions) -> Result<GraphAutoma, BuildError> {
    let mut letters = GraphAutoma::new("letters");
    letters.add_worker("write", Template { text: "dear {name}, see you in {city}" }, start())?;
    letters.add_worker("translate", translator, options.after(["write"]).output())?;
    Ok(letters)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let calls = Arc::new(AtomicU32::new(0));

    println!("a service that comes up at the third call, and a retry:");
    let retry = free().retry(Retry::times(3).delay(Duration::from_millis(10)));
    let translator = Translator { up_from: 3, takes: Duration::ZERO, calls: Arc::clone(&calls) };
    let letter: String =
        letters(translator, retry)?.run(args!(name = "Ada", city = "Oslo")).output().await?;
    println!("  {letter}");
    assert_eq!(letter, "DEAR ADA, SEE YOU IN OSLO");
    assert_eq!(calls.load(Ordering::Relaxed), 3);

    println!("a service that takes an hour, and a timeout:");
    let timeout = free().timeout(Duration::from_millis(20));
    let hour = Duration::from_secs(3600);
    let translator = Translator { up_from: 0, takes: hour, calls: Arc::clone(&calls) };
    let late = letters(translator, timeout)?.run(args!("Ada", "Oslo")).output::<String>().await;
    let error = late.expect_err("an hour is too long");
    println!("  {error}");
    assert!(error.downcast_ref::<TimedOut>().is_some());
    Ok(())
}
