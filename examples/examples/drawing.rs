//! Draws the graph as it was declared and as the run has left it, in Mermaid, and a timeline of the
//! run as an SVG file.
//!
//! A text is drafted, and checked by a nested automa, until it is good, which takes three rounds by
//! ferry. Then a worker is added for each language. The run is printed step by step, and drawn into
//! the files of a folder, which can be named:
//!
//! ```text
//! cargo run -p examples --example drawing -- --out target/article
//! ```

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::render::History;
use examples::Growth;

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
    let folder = match (args.next().as_deref(), args.next()) {
        (None, _) => std::env::temp_dir().join("ddg-article"),
        (Some("--out"), Some(path)) => PathBuf::from(path),
        _ => return Err("usage: drawing [--out FOLDER]".into()),
    };

    let mut article = GraphAutoma::new("article");
    article.add_func_as_worker("draft", draft, start())?;
    article.add_worker("check", check()?, after(["draft"]))?;
    article.add_func_as_worker("decide", decide, after(["draft", "check"]))?;
    article.add_func_as_worker("translate", translate, free())?;
    let declared = article.to_mermaid();
    let n_declared = article.keys().count();

    let history = History::new();
    article.add_callback(history.clone());
    article.add_callback(Growth::default());
    let outcome = article.run(args!(1)).await?;
    let left = outcome.drawing().with(&history).to_mermaid();
    let n_left = outcome.automa().keys().len();
    let published: String = outcome.into_output()?;
    println!("\npublished: {published}\n");
    assert_eq!(published, LANGUAGES.join(", "));

    std::fs::create_dir_all(&folder)?;
    history.write_svg(folder.join("timeline.svg"))?;
    let page = format!(
        "# As declared\n\n```mermaid\n{declared}```\n\n# As the run has left it\n\n\
         ```mermaid\n{left}```\n\n# What ran when\n\n![timeline](timeline.svg)\n"
    );
    std::fs::write(folder.join("article.md"), page)?;
    println!("drawn in {}:", folder.display());
    println!("  article.md    {n_declared} workers as declared, {n_left} as the run has left them");
    println!("                (Mermaid: GitHub and many editors draw it)");
    println!("  timeline.svg  what ran when (open it in a browser)");
    Ok(())
}
