//! Kickoffs as bars.

use std::time::Duration;

use super::Kind;
use super::axis::Axis;
use super::rows::Rows;
use crate::render::history::{Book, Execution, Why};
use crate::render::{caption, duration};

/// Maximum number of lanes in one row, for kickoffs that run at the same time.
const MOST_LANES: usize = 4;

/// Minimum width of a bar.
const NARROWEST: f64 = 2.0;

/// Maximum width of a bar that stands for several kickoffs.
const WIDEST_JOINT: f64 = 12.0;

/// The bars of each row.
pub(super) struct Bars {
    pub(super) of: Vec<Vec<Bar>>,
    pub(super) n_lanes: Vec<usize>,
}

/// A kickoff, or several that are too close to be told apart.
pub(super) struct Bar {
    pub(super) kind: Kind,
    pub(super) lane: usize,
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) length: Duration,
    /// Number of attempts that failed before the last.
    pub(super) n_retries: u32,
    /// The tooltip.
    pub(super) title: String,
    n_kickoffs: u64,
    steps: (u64, u64),
}

/// Kickoffs of one worker that do not overlap.
struct Lane {
    until: Duration,
    /// The start of the last kickoff, and its step.
    last_begin: (Duration, u64),
    last_bar: usize,
}

impl Bars {
    pub(super) fn of(book: &Book, axis: &Axis, rows: &Rows) -> Self {
        let mut executions: Vec<Vec<&Execution>> = Vec::new();
        executions.resize_with(rows.shown.len(), Vec::new);
        for execution in &book.executions {
            if let Some(row) = rows.of[execution.worker] {
                executions[row].push(execution);
            }
        }
        let rows = executions.into_iter().map(|mut executions| {
            executions.sort_by_key(|execution| (execution.began, execution.step, execution.id));
            row(book, axis, &executions)
        });
        let (of, n_lanes) = rows.unzip();
        Self { of, n_lanes }
    }
}

/// The bars of one row, and the number of lanes.
fn row(book: &Book, axis: &Axis, executions: &[&Execution]) -> (Vec<Bar>, usize) {
    let mut bars: Vec<Bar> = Vec::new();
    let mut lanes: Vec<Lane> = Vec::new();
    for execution in executions {
        let end = execution.end.map_or(axis.until, |end| end.at);
        let (x, to) = axis.span(execution.step, execution.began, end);
        let begin = (execution.began, execution.step);
        let is_free = |lane: &Lane| lane.until <= execution.began && lane.last_begin != begin;
        let lane = match lanes.iter().position(is_free) {
            Some(lane) => lane,
            None if lanes.len() < MOST_LANES => {
                lanes.push(Lane { until: Duration::ZERO, last_begin: begin, last_bar: usize::MAX });
                lanes.len() - 1
            }
            None => {
                let soonest = lanes.iter().enumerate().min_by_key(|(_, lane)| lane.until);
                soonest.expect("there are lanes").0
            }
        };
        let kind = Kind::of(execution);
        let width = (to - x).max(NARROWEST);
        // A bar that was widened to its minimum must not continue in the next strip.
        let end_of_strip = axis.width * (axis.strip(x).0 + 1) as f64;
        let x = if to - x < NARROWEST { x.min(end_of_strip - width) } else { x };
        let last = bars.get_mut(lanes[lane].last_bar);
        let at = match last.filter(|last| last.kind == kind && last.joins(axis, x, width)) {
            Some(last) => {
                last.width = last.width.max(x + width - last.x);
                last.add(execution, end);
                lanes[lane].last_bar
            }
            None => {
                let length = end.saturating_sub(execution.began);
                let title = title(book, execution, length);
                let steps = (execution.step, execution.step);
                let n_retries = retries(execution);
                bars.push(Bar {
                    kind,
                    lane,
                    x,
                    width,
                    length,
                    n_retries,
                    title,
                    n_kickoffs: 1,
                    steps,
                });
                bars.len() - 1
            }
        };
        let until = end.max(lanes[lane].until);
        lanes[lane] = Lane { until, last_begin: begin, last_bar: at };
    }
    (bars, lanes.len().max(1))
}

impl Bar {
    /// Whether a bar at `x` is so narrow and so close to this one that both are drawn as one.
    fn joins(&self, axis: &Axis, x: f64, width: f64) -> bool {
        let end = self.x + self.width;
        axis.strip(self.x).0 == axis.strip(x).0
            && width < 2.0 * NARROWEST
            && x <= end + 0.5
            && x + width - self.x <= WIDEST_JOINT
    }

    fn add(&mut self, execution: &Execution, end: Duration) {
        self.n_kickoffs += 1;
        self.n_retries += retries(execution);
        self.length += end.saturating_sub(execution.began);
        self.steps.1 = execution.step;
        let (n_kickoffs, (first, last)) = (self.n_kickoffs, self.steps);
        let length = duration::text(self.length);
        self.title = if first == last {
            format!("{n_kickoffs} kickoffs in step {first}, {length} in all")
        } else {
            format!("{n_kickoffs} kickoffs in steps {first} to {last}, {length} in all")
        };
    }

    /// Whether the bar stands for one kickoff.
    pub(super) fn is_single(&self) -> bool {
        self.n_kickoffs == 1
    }
}

fn title(book: &Book, execution: &Execution, length: Duration) -> String {
    let why = match execution.why {
        Why::Start => "a start worker".to_owned(),
        Why::Dependencies => "its dependencies had run".to_owned(),
        Why::Ferry(by) => {
            format!("ferry by `{}`", caption::one_line(book.workers[by].key.as_str()))
        }
    };
    let end = match execution.end {
        Some(end) if end.failed => "failed after",
        Some(_) => "took",
        None => "did not end within",
    };
    let (step, began) = (execution.step, duration::text(execution.began));
    let mut title =
        format!("step {step}: {why}; began at {began}, {end} {}", duration::text(length));
    match retries(execution) {
        0 => {}
        1 => title += " with 1 retry",
        n_retries => title += &format!(" with {n_retries} retries"),
    }
    title
}

/// Number of attempts of a kickoff that failed before the last.
pub(super) fn retries(execution: &Execution) -> u32 {
    execution.end.map_or(0, |end| end.attempts.saturating_sub(1))
}
