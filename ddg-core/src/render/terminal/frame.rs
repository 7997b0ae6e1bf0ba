//! The picture of the running workers.

use std::time::Duration;

use console::{Alignment, measure_text_width, pad_str, truncate_str};
use tokio::time::Instant;

use super::progress::bar;
use super::running::Row;
use super::screen::Size;
use super::seen::Seen;
use super::text::{Clock, Paint, beginning, count, end, one_line};
use crate::render::duration;

/// What is shown at one moment.
pub(super) struct Frame {
    name: String,
    elapsed: Duration,
    counts: Vec<String>,
    /// The workers that began first, each with its running time if that is known.
    rows: Vec<(Row, Option<Duration>)>,
    n_more: usize,
    columns: usize,
}

/// Columns at the start of a row that hold the marker and the running time.
const RAN: usize = 2 + 2 + 8;

/// Minimum number of rows that are left to the lines above.
const LEAST_ABOVE: usize = 3;

impl Frame {
    pub(super) fn of(seen: &Seen, now: Instant, size: Size) -> Self {
        let elapsed = seen.elapsed(now);
        let mut counts = vec![format!("step {}", seen.step)];
        if let Some((n_done, n_due)) = seen.of_step() {
            counts.push(format!("{n_done} of {n_due} done"));
        }
        counts.push(format!("{} running", seen.running.len()));
        if seen.n_retries > 0 {
            counts.push(count(seen.n_retries, "retry"));
        }
        // One row is the head; a quarter of the rows stays with the lines above.
        let room = size.rows.saturating_sub(1 + (size.rows / 4).max(LEAST_ABOVE)).max(1);
        let n_running = seen.running.len();
        // The row that counts the hidden workers takes the place of one worker.
        let n_shown = if n_running <= room { n_running } else { room.saturating_sub(1) };
        let rows = seen.running.rows().take(n_shown);
        let rows =
            rows.map(|row| (row.clone(), row.began.map(|began| elapsed.saturating_sub(began))));
        Self {
            name: seen.name().to_owned(),
            elapsed,
            counts,
            rows: rows.collect(),
            n_more: n_running - n_shown,
            columns: size.columns,
        }
    }

    /// The rows, none wider than the terminal.
    pub(super) fn rows(&self, paint: Paint) -> Vec<String> {
        let widths = self.rows.iter().map(|(row, _)| measure_text_width(&row.of));
        let column = widths.max().unwrap_or_default().min(self.columns / 2);
        let mut rows = vec![self.head(paint)];
        rows.extend(self.rows.iter().map(|(row, ran)| self.painted(row, *ran, column, paint)));
        if self.n_more > 0 {
            rows.push(paint.dim(format!("  … and {} more", self.n_more)).to_string());
        }
        rows.iter().map(|row| truncate_str(row, self.columns, "…").into_owned()).collect()
    }

    /// The head: name of the automa, running time and progress. If the row is too short the name is
    /// cut.
    fn head(&self, paint: Paint) -> String {
        const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
        let turn = (self.elapsed.as_millis() / 100 % 10) as usize;
        let (clock, counts) = (Clock(self.elapsed).to_string(), self.counts.join(", "));
        let others = clock.len() + measure_text_width(&counts) + 4;
        let name = beginning(&self.name, self.columns.saturating_sub(others).max(8));
        let (spinner, name) = (paint.cyan(SPINNER[turn]), paint.bold(name));
        format!("{spinner} {name} {clock} {}", paint.dim(counts))
    }

    /// The row of one worker: its path, its running time and what it emitted last.
    fn painted(&self, row: &Row, ran: Option<Duration>, column: usize, paint: Paint) -> String {
        let ran = ran.map(duration::text).unwrap_or_default();
        let of = beginning(&row.of, column);
        let of = pad_str(&of, column, Alignment::Left, None);
        let mut text = format!("  {of}  {}", paint.dim(format!("{ran:>8}")));
        let mut room = self.columns.saturating_sub(RAN + column);
        if row.attempt > 1 {
            let attempt = format!("attempt {}", row.attempt);
            room = room.saturating_sub(attempt.len() + 2);
            text += &format!("  {}", paint.yellow(attempt));
        }
        if let Some(told) = &row.told {
            text += "  ";
            room = room.saturating_sub(2);
            if let Some(part) = told.part {
                let bar = bar(part);
                room = room.saturating_sub(measure_text_width(&bar) + 1);
                text += &format!("{} ", paint.green(bar));
            }
            let told = beginning(&told.text, room);
            room = room.saturating_sub(measure_text_width(&told));
            text += &told;
        }
        // The newest text is at the end of the line.
        let end = end(&one_line(&row.line), room.saturating_sub(2));
        if !matches!(end.as_str(), "" | "…") {
            text += &format!("  {}", paint.dim(end));
        }
        text
    }
}
