//! Seeing a graph and a run: as Mermaid, as DOT, as an SVG timeline, and in the terminal.
//!
//! One `Picture` is made of what is to be drawn and of what a [`History`] has seen; two writers
//! turn it into text.

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

/// A graph to be drawn: a declared one ([`GraphAutoma::drawing`]) or the one that a run has left
/// ([`Outcome::drawing`]), with what a [`History`] has seen of runs if it is [given](Self::with).
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
/// A worker that takes the [`Context`](crate::Context) may ferry and place workers: an arrow leads from
/// it to each worker of its automa that nothing else leads to, until a history says what happened.
///
/// A drawing fits a screen as far as it can: it goes from the left to the right if it would be too
/// wide, and of many workers that look alike and are connected alike it has a few, and `… and 288 more`.
/// [`unfolded`](Self::unfolded) has them all.
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
    /// Whether alike workers may be folded.
    folds: bool,
}

impl Drawing {
    /// The same with what `history` has seen: the ferries that were taken, the workers that were
    /// added and ran (also in nested automata, whose own changes end with their run), those that
    /// failed.
    ///
    /// Runs that the history has seen are added up; it should have seen runs of this automa only.
    pub fn with(mut self, history: &History) -> Self {
        history.read(|book| self.picture.add_ran(book));
        self
    }

    /// The same with every worker, however many are alike and however large it gets.
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

    /// As a [Mermaid](https://mermaid.js.org) flowchart, which many places that show Markdown draw.
    ///
    /// They draw only so much: Mermaid refuses texts of more than 50,000 characters and graphs of
    /// more than 500 arrows unless it is configured otherwise.
    pub fn to_mermaid(&self) -> String {
        let (picture, direction) = layout::fit(&self.picture, self.folds);
        mermaid::write(&picture, direction)
    }

    /// In the DOT language of [Graphviz](https://graphviz.org): `dot -Tsvg graph.dot -o graph.svg`.
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
    /// The graph as it is declared, to be drawn. It need not be valid: that is when one looks.
    pub fn drawing(&self) -> Drawing {
        Drawing { picture: Picture::declared(self), folds: true }
    }

    /// The graph as it is declared, as a Mermaid flowchart; see [`Drawing`] for how things are
    /// drawn.
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

    /// The graph as it is declared, in DOT; see [`Drawing`] for how things are drawn.
    pub fn to_dot(&self) -> String {
        self.drawing().to_dot()
    }
}

impl Outcome {
    /// The graph as the run has left it, to be drawn: what the run added is marked.
    pub fn drawing(&self) -> Drawing {
        Drawing { picture: Picture::grown(&self.view()), folds: true }
    }

    /// The graph as the run has left it, as a Mermaid flowchart; see [`Drawing`] for how things
    /// are drawn.
    pub fn to_mermaid(&self) -> String {
        self.drawing().to_mermaid()
    }

    /// The graph as the run has left it, in DOT; see [`Drawing`] for how things are drawn.
    pub fn to_dot(&self) -> String {
        self.drawing().to_dot()
    }
}
