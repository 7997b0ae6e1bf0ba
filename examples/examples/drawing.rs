//! Draws the graph as it was declared and as the run has left it, in Mermaid, and a timeline of the
//! run as an SVG file.
//!
//! A text is drafted, and checked by a nested automa, until it is good, which takes three rounds by
//! ferry. Then a worker is added for each language. The output is Markdown, and can be redirected
//! to a file (`… --example drawing > article.md`). Set the file of the timeline:
//!
//! ```text
//! cargo run -p examples --example drawing -- --out target/timeline.svg
//! ```

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::render::History;

const LANGUAGES: [&str; 3] = ["de", "fr", "ja"];

/// Simulates work. A synchronous worker may block.
fn work(millis: u64) {
    sleep(Duration::from_millis(millis));
}

fn draft(round: i64) -> i64 {
    work(30);
    round
}

/// Creates an automa with two checks that run concurrently.
fn check() -> Result<GraphAutoma, BuildError> {
    let mut check = GraphAutoma::new("check");
    let spelling = |round: i64| {
        work(10);
        round > 1
    };
    let facts = |round: i64| {
        work(25);
        round > 2
    };
    check.add_func_as_worker("spelling", spelling, start())?;
    check.add_func_as_worker("facts", facts, start())?;
    let all = async |passed: Vec<bool>| passed.into_iter().all(|passed| passed);
    check.add_func_as_worker("all", all, after(["spelling", "facts"]).merge().output())?;
    Ok(check)
}

/// Ferries to another round, or to the translation.
async fn decide(round: i64, good: bool, cx: Context) {
    if good { cx.ferry_to("translate", ()) } else { cx.ferry_to("draft", (round + 1,)) }
}

/// Adds a worker for each language, and one that depends on all of them.
async fn translate(cx: Context) {
    let keys = LANGUAGES.map(|language| format!("into {language}"));
    for (key, (language, millis)) in keys.iter().zip(LANGUAGES.into_iter().zip([40, 55, 20])) {
        let into = move || {
            work(millis);
            language.to_owned()
        };
        cx.add_func_as_worker(key, into, free());
        cx.ferry_to(key, ());
    }
    let publish = async |texts: Vec<String>| texts.join(", ");
    cx.add_func_as_worker("publish", publish, after(keys).merge().output());
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = match (args.next().as_deref(), args.next()) {
        (None, _) => std::env::temp_dir().join("timeline.svg"),
        (Some("--out"), Some(path)) => PathBuf::from(path),
        _ => return Err("usage: drawing [--out FILE]".into()),
    };

    let mut article = GraphAutoma::new("article");
    article.add_func_as_worker("draft", draft, start())?;
    article.add_worker("check", check()?, after(["draft"]))?;
    article.add_func_as_worker("decide", decide, after(["draft", "check"]))?;
    article.add_func_as_worker("translate", translate, free())?;
    let declared = article.to_mermaid();
    println!(
        "As it was declared, in {} workers:\n\n```mermaid\n{declared}```\n",
        article.keys().count()
    );

    let history = History::new();
    article.add_callback(history.clone());
    let outcome = article.run(args!(1)).await?;
    let drawing = outcome.drawing().with(&history);
    let n_workers = outcome.automa().keys().len();
    println!("As the run has left it, after three rounds by ferry, in {n_workers} workers:\n");
    println!("```mermaid\n{}```\n", drawing.to_mermaid());

    let published: String = outcome.into_output()?;
    println!("published: {published}");
    assert_eq!(published, LANGUAGES.join(", "));
    history.write_svg(&path)?;
    println!("what ran when, for a browser: {}", path.display());
    Ok(())
}
