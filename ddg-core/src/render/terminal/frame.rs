//! The picture of what is running now.

use std::time::Duration;

use console::{Alignment, measure_text_width, pad_str};
use tokio::time::Instant;

use super::progress::bar;
use super::running::Row;
use super::seen::Seen;
use super::text::{Clock, Paint, count};
use crate::render::duration;

/// How many of those that run are shown.
const MOST_ROWS: usize = 12;

/// What is shown of a moment.
pub(super) struct Frame {
    name: String,
    elapsed: Duration,
    counts: Vec<String>,
    /// The first that began, and how long they have been running, where that is known.
    rows: Vec<(Row, Option<Duration>)>,
    n_more: usize,
}

impl Frame {
    pub(super) fn of(seen: &Seen, now: Instant) -> Self {
        let elapsed = seen.elapsed(now);
        let mut counts =
            vec![format!("step {}", seen.step), format!("{} running", seen.running.len())];
        counts.push(format!("{} ended", seen.n_ended));
        if seen.n_retries > 0 {
            counts.push(count(seen.n_retries, "retry"));
        }
        let rows = seen.running.rows().take(MOST_ROWS);
        let rows =
            rows.map(|row| (row.clone(), row.began.map(|began| elapsed.saturating_sub(began))));
        Self {
            name: seen.name().to_owned(),
            elapsed,
            counts,
            rows: rows.collect(),
            n_more: seen.running.len().saturating_sub(MOST_ROWS),
        }
    }

    /// A line each; some may be wider than the terminal.
    pub(super) fn rows(&self, paint: Paint, width: usize) -> Vec<String> {
        const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
        let turn = (self.elapsed.as_millis() / 100 % 10) as usize;
        let head = format!(
            "{} {} {} {}",
            paint.cyan(SPINNER[turn]),
            paint.bold(&self.name),
            Clock(self.elapsed),
            paint.dim(self.counts.join(", ")),
        );
        let widths = self.rows.iter().map(|(row, _)| measure_text_width(&row.of));
        let column = widths.max().unwrap_or_default().min(width / 2);
        let mut rows = vec![head];
        rows.extend(self.rows.iter().map(|(row, ran)| painted(row, *ran, column, width, paint)));
        if self.n_more > 0 {
            rows.push(paint.dim(format!("  … and {} more", self.n_more)).to_string());
        }
        rows
    }
}

/// One that runs: its path, for how long, and what it has told last.
fn painted(row: &Row, ran: Option<Duration>, column: usize, width: usize, paint: Paint) -> String {
    let ran = ran.map(duration::text).unwrap_or_default();
    let of = pad_str(&row.of, column, Alignment::Left, Some("…"));
    let mut text = format!("  {of}  {}", paint.dim(format!("{ran:>8}")));
    if row.attempt > 1 {
        text += &format!("  {}", paint.yellow(format!("attempt {}", row.attempt)));
    }
    if let Some(told) = &row.told {
        text += "  ";
        if let Some(part) = told.part {
            text += &format!("{} ", paint.green(bar(part)));
        }
        text += &told.text;
    }
    if !row.line.is_empty() {
        // The end of the line is what is new.
        let room = width.saturating_sub(measure_text_width(&text) + 2);
        let skipped = row.line.chars().count().saturating_sub(room);
        let end: String = row.line.chars().skip(skipped).collect();
        text += &format!("  {}", paint.dim(end));
    }
    text
}
