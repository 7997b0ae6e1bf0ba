//! The picture of what is running now.

use std::time::Duration;

use console::{Alignment, measure_text_width, pad_str, truncate_str};
use tokio::time::Instant;

use super::progress::bar;
use super::running::Row;
use super::screen::Size;
use super::seen::Seen;
use super::text::{Clock, Paint, beginning, count, end, one_line};
use crate::render::duration;

/// What is shown of a moment.
pub(super) struct Frame {
    name: String,
    elapsed: Duration,
    counts: Vec<String>,
    /// The first that began, and how long they have been running, where that is known.
    rows: Vec<(Row, Option<Duration>)>,
    n_more: usize,
    columns: usize,
}

/// Columns of a row that begin it and hold how long it has been running.
const RAN: usize = 2 + 2 + 8;

/// How many rows at least are left to the lines above.
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
        // Below the head, and above them what has ended.
        let room = size.rows.saturating_sub(1 + (size.rows / 4).max(LEAST_ABOVE)).max(1);
        let n_running = seen.running.len();
        // The row that says how many more there are takes the place of one.
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

    /// Each on a line of its own, none wider than the terminal.
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

    /// Whose run it is, since when, and how far it is; the name is cut rather than that.
    fn head(&self, paint: Paint) -> String {
        const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
        let turn = (self.elapsed.as_millis() / 100 % 10) as usize;
        let (clock, counts) = (Clock(self.elapsed).to_string(), self.counts.join(", "));
        let others = clock.len() + measure_text_width(&counts) + 4;
        let name = beginning(&self.name, self.columns.saturating_sub(others).max(8));
        let (spinner, name) = (paint.cyan(SPINNER[turn]), paint.bold(name));
        format!("{spinner} {name} {clock} {}", paint.dim(counts))
    }

    /// One that runs: its path, for how long, and what it has told last.
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
        // The end of the line is what is new.
        let end = end(&one_line(&row.line), room.saturating_sub(2));
        if !matches!(end.as_str(), "" | "…") {
            text += &format!("  {}", paint.dim(end));
        }
        text
    }
}
