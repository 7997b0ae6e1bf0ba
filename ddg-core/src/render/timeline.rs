//! A history as an SVG timeline: steps across, workers down, a bar for each kickoff.
//!
//! What is drawn is bounded, whatever was seen: rows by [`MOST_ROWS`], bars and lines by the pixels
//! there are, since what would cover the same ones is drawn once. A run of many steps goes on in
//! further strips below the first, as a text does in lines.

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

/// How many workers are shown at most.
const MOST_ROWS: usize = 100;

/// The text of the SVG.
pub(super) fn write(book: &Book) -> String {
    let rows = Rows::of(book, MOST_ROWS);
    let axis = Axis::of(book, rows.shown.len());
    let bars = Bars::of(book, &axis, &rows);
    let ferries = ferries::lines(book, &axis, &rows);
    svg::Page { book, axis: &axis, rows: &rows, bars: &bars, ferries: &ferries }.write()
}

/// What a bar looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Begun by its dependencies, or at the start.
    Due,
    Ferried,
    Failed,
    /// It was still running when the history was asked, or it was cancelled.
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
            Self::Due => "ran when it was due",
            Self::Ferried => "was ferried to",
            Self::Failed => "failed",
            Self::Unended => "did not end",
        }
    }
}
