//! The pictures of the book: what the project draws of a few graphs, on a paused clock.
//!
//! `UPDATE_EXPECT=1 cargo test -p pages --test pictures` draws `docs/pictures.md` and
//! `docs/pictures/` anew; drawings in DOT become SVG files if Graphviz is installed.

mod graphs;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::render::{History, TerminalView};
use expect_test::{ExpectFile, expect_file};
use indicatif::InMemoryTerm;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A file below `docs`.
fn file(name: &str) -> ExpectFile {
    expect_file![docs().join(name)]
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// A run, in all forms.
struct Drawn {
    mermaid: String,
    dot: String,
    timeline: String,
}

async fn draw(mut automa: GraphAutoma, args: Args) -> Result<Drawn> {
    let history = History::new();
    automa.add_callback(history.clone());
    let drawing = automa.run(args).await?.drawing().with(&history);
    let (mermaid, dot) = (drawing.to_mermaid(), drawing.to_dot());
    Ok(Drawn { mermaid, dot, timeline: history.to_svg() })
}

/// What a terminal of 72 columns shows at a moment of the run, and what a log has at its end.
async fn watch(automa: &GraphAutoma, args: impl Fn() -> Args, at: u64) -> Result<(String, String)> {
    let term = InMemoryTerm::new(16, 72);
    let run = automa.run(args()).spawn();
    let view = tokio::spawn(TerminalView::on(term.clone()).watch(run.events(EventFilter::all())));
    tokio::time::sleep(Duration::from_millis(at)).await;
    let painted = term.contents();
    run.await?;
    view.await??;

    let log = tempfile::NamedTempFile::new()?;
    let run = automa.run(args()).spawn();
    TerminalView::to(log.reopen()?).watch(run.events(EventFilter::all())).await?;
    run.await?;
    Ok((painted, std::fs::read_to_string(log.path())?))
}

/// Compares a drawing in DOT, and the SVG file that Graphviz has made of it.
fn check_dot(name: &str, dot: &str) -> Result {
    let source = docs().join(format!("pictures/{name}.dot"));
    let picture = docs().join(format!("pictures/{name}.svg"));
    expect_file![&source].assert_eq(dot);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let made = Command::new("dot").arg("-Tsvg").arg(&source).arg("-o").arg(&picture).status();
        if !made.is_ok_and(|status| status.success()) {
            return Err(
                format!("{name}: install Graphviz, which makes {}", picture.display()).into()
            );
        }
    }
    // Each version of Graphviz places things elsewhere, so what is drawn is compared.
    let svg = std::fs::read_to_string(&picture)?;
    let edges = dot.lines().filter(|line| line.contains(" -> ")).count();
    assert_eq!(svg.matches("class=\"edge\"").count(), edges, "arrows of {}", picture.display());
    for label in dot.split(" [label=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        for text in label.split("\\n") {
            let text = text.trim().replace('-', "&#45;");
            assert!(svg.contains(&format!(">{text}</text>")), "{}: no `{text}`", picture.display());
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_page_of_pictures() -> Result {
    let trip = draw(graphs::trip()?, args!()).await?;
    file("pictures/trip.svg").assert_eq(&trip.timeline);
    check_dot("trip-graph", &trip.dot)?;

    let article = draw(graphs::article()?, args!(1)).await?;
    file("pictures/article.svg").assert_eq(&article.timeline);
    check_dot("article-graph", &article.dot)?;
    let (painted, lines) = watch(&graphs::article()?, || args!(1), 480).await?;

    check_dot("agent-declared", &graphs::agent()?.to_dot())?;
    let agent = draw(graphs::agent()?, args!("Plan a trip to Tokyo.")).await?;
    file("pictures/agent.svg").assert_eq(&agent.timeline);
    check_dot("agent-graph", &agent.dot)?;

    let wide = draw(graphs::wide()?, args!()).await?;
    check_dot("wide-graph", &wide.dot)?;

    let page = include_str!("page.md")
        .replace("{trip_mermaid}", &trip.mermaid)
        .replace("{trip_dot}", &trip.dot)
        .replace("{agent_mermaid}", &agent.mermaid)
        .replace("{painted}", &trimmed(&painted))
        .replace("{lines}", &trimmed(&lines));
    file("pictures.md").assert_eq(&page);
    Ok(())
}

/// Lines without spaces at their ends.
fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
