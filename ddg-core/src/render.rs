//! Drawings of graphs and runs: Mermaid, DOT, an SVG timeline and a live view in the terminal.
//!
//! A `Picture` is built from a graph and from what a [`History`] has recorded; one writer per
//! language turns it into text.

mod caption;
mod dot;
mod duration;
mod fold;
mod graphs;
mod history;
mod layout;
mod mermaid;
mod picture;
mod possible;
mod ran;
#[cfg(feature = "terminal")]
mod terminal;
mod timeline;

pub use history::History;
#[cfg(feature = "terminal")]
pub use terminal::TerminalView;

use std::fmt;

use crate::automa::GraphAutoma;
use crate::run::Outcome;
use picture::Picture;

/// A graph to draw, with what a [`History`] has recorded of its runs if one is [given](Self::with).
///
/// The graph is a declared one ([`GraphAutoma::drawing`]) or the one that a run has left behind
/// ([`Outcome::drawing`]).
///
/// How things are drawn:
///
/// | what | in Mermaid | in DOT |
/// | --- | --- | --- |
/// | dependency | solid arrow | solid arrow |
/// | ferry that was taken | dashed arrow, `ferry ×3` | dashed arrow, `ferry ×3` |
/// | dependency that a run removed | dashed arrow, `removed` | dotted arrow, `removed` |
/// | what may happen, while no run is known | dashed arrow, `may ferry`, `may place` | dotted arrow, the same |
/// | start worker | green, round ends | green, oval |
/// | output worker | blue, double sides | blue, double border |
/// | nested automa | subgraph | cluster |
/// | worker added by a run | orange, `+ key` | orange, `+ key` |
/// | worker that failed when it last ran | red, `failed` | red, `failed` |
/// | worker removed by a run, declared but not placed, or depended on but missing | dashed, says so | dashed, says so |
///
/// A worker that takes the [`Context`](crate::Context) may ferry to workers and place them. Until a
/// history says what happened, an arrow leads from it to each worker of its automa that no other
/// arrow reaches.
///
/// A drawing is fitted to a screen: it runs from left to right if it would be too wide otherwise,
/// and a large group of workers that look alike and are connected alike is folded into a few of
/// them and `… and 288 more`. [`unfolded`](Self::unfolded) draws every worker.
///
/// ```
/// use ddg_core::prelude::*;
/// use ddg_core::render::History;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("count");
/// automa.add_func_as_worker("count", async |n: u32, cx: Context| {
///     if n < 3 { cx.ferry_to("count", (n + 1,)) } else { cx.ferry_to("end", (n,)) }
/// }, start())?;
/// automa.add_func_as_worker("end", async |n: u32| n, free().output())?;
/// let history = History::new();
/// automa.add_callback(history.clone());
///
/// let outcome = automa.run(args!(0)).await?;
/// let text = outcome.drawing().with(&history).to_mermaid();
/// assert!(text.contains(r#"n0 -. "ferry ×3" .-> n0"#));
/// assert!(text.contains(r#"n0 -. "ferry" .-> n1"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Drawing {
    picture: Picture,
    /// Whether groups of alike workers are folded.
    folds: bool,
}

impl Drawing {
    /// Adds what `history` has recorded: the ferries taken, the workers that failed, and the
    /// workers that runs added and ran.
    ///
    /// This includes workers added to nested automata, whose own changes end with their run. If the
    /// history has recorded several runs they are added up; all of them should be runs of this
    /// automa.
    pub fn with(mut self, history: &History) -> Self {
        history.read(|book| self.picture.add_ran(book));
        self
    }

    /// Draws every worker, however many are alike and however large the drawing becomes.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// let mut automa = GraphAutoma::new("wide");
    /// for n in 0..300 {
    ///     automa.add_func_as_worker(format!("worker {n}"), async || (), start())?;
    /// }
    /// assert!(automa.drawing().to_dot().contains("… and 288 more"));
    /// assert!(automa.drawing().unfolded().to_dot().contains("worker 299"));
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn unfolded(mut self) -> Self {
        self.folds = false;
        self
    }

    /// Writes a [Mermaid](https://mermaid.js.org) flowchart, which many viewers of Markdown
    /// display.
    ///
    /// Mermaid has limits: unless configured otherwise, it refuses texts of more than 50,000
    /// characters and graphs of more than 500 arrows.
    pub fn to_mermaid(&self) -> String {
        let (picture, direction) = layout::fit(&self.picture, self.folds);
        mermaid::write(&picture, direction)
    }

    /// Writes the DOT language of [Graphviz](https://graphviz.org), for
    /// `dot -Tsvg graph.dot -o graph.svg`.
    pub fn to_dot(&self) -> String {
        let (picture, direction) = layout::fit(&self.picture, self.folds);
        dot::write(&picture, direction)
    }
}

impl fmt::Debug for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drawing").field(&self.picture.title).finish()
    }
}

impl GraphAutoma {
    /// The declared graph as a drawing. The graph need not be valid, so that a faulty one can be
    /// looked at.
    pub fn drawing(&self) -> Drawing {
        Drawing { picture: Picture::declared(self), folds: true }
    }

    /// Writes the declared graph as a Mermaid flowchart. [`Drawing`] says how things are drawn.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// let mut automa = GraphAutoma::new("numbers");
    /// automa.add_func_as_worker("one", async || 1, start())?;
    /// automa.add_func_as_worker("more", async |x: i64| x + 1, after(["one"]).output())?;
    /// println!("{}", automa.to_mermaid());
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn to_mermaid(&self) -> String {
        self.drawing().to_mermaid()
    }

    /// Writes the declared graph in DOT. [`Drawing`] says how things are drawn.
    pub fn to_dot(&self) -> String {
        self.drawing().to_dot()
    }
}

impl Outcome {
    /// The graph at the end of the run as a drawing, which marks what the run added.
    pub fn drawing(&self) -> Drawing {
        Drawing { picture: Picture::grown(&self.view()), folds: true }
    }

    /// Writes the graph at the end of the run as a Mermaid flowchart. [`Drawing`] says how things
    /// are drawn.
    pub fn to_mermaid(&self) -> String {
        self.drawing().to_mermaid()
    }

    /// Writes the graph at the end of the run in DOT. [`Drawing`] says how things are drawn.
    pub fn to_dot(&self) -> String {
        self.drawing().to_dot()
    }
}
