//! A history as an SVG timeline: steps across, workers down, a bar for each kickoff.
//!
//! The size of the SVG is bounded: there are at most [`MOST_ROWS`] rows, and bars and lines that
//! would cover the same pixels are drawn once. Many steps continue in further strips below the
//! first, as text continues in lines.

mod axis;
mod bars;
mod ferries;
mod out;
mod rows;
mod svg;

use super::history::{Book, Why};
use axis::Axis;
use bars::Bars;
use rows::Rows;

/// Maximum number of workers shown.
const MOST_ROWS: usize = 100;

/// Writes the SVG.
pub(super) fn write(book: &Book) -> String {
    let rows = Rows::of(book, MOST_ROWS);
    let axis = Axis::of(book, rows.shown.len());
    let bars = Bars::of(book, &axis, &rows);
    let ferries = ferries::lines(book, &axis, &rows);
    svg::Page { book, axis: &axis, rows: &rows, bars: &bars, ferries: &ferries }.write()
}

/// The look of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Started by its dependencies, or as a start worker.
    Due,
    Ferried,
    Failed,
    /// Still running when the history was read, or cancelled.
    Unended,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Due, Self::Ferried, Self::Failed, Self::Unended];

    fn of(execution: &super::history::Execution) -> Self {
        match (execution.end, execution.why) {
            (None, _) => Self::Unended,
            (Some(end), _) if end.failed => Self::Failed,
            (Some(_), Why::Ferry(_)) => Self::Ferried,
            (Some(_), Why::Start | Why::Dependencies) => Self::Due,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Ferried => "ferried",
            Self::Failed => "failed",
            Self::Unended => "unended",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Due => "ran when it was ready",
            Self::Ferried => "was ferried to",
            Self::Failed => "failed",
            Self::Unended => "did not end",
        }
    }
}
