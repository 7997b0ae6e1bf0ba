//! Writes the page of the timeline.

use std::fmt::Write;
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::Kind;
use super::axis::{Axis, Band};
use super::bars::{self, Bar, Bars};
use super::ferries::Line;
use super::out::{Out, Xml, count, grouped};
use super::rows::{Row, Rows};
use crate::render::caption::{self, fit, width_of};
use crate::render::duration;
use crate::render::history::Book;

const MARGIN: f64 = 16.0;
/// Width of the column of worker names.
const NAMES: f64 = 200.0;
/// Vertical position of the first step, below the title.
const TOP: f64 = 84.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
/// Indentation of the workers of a nested automa, and the maximum number of indentations.
const INDENT: f64 = 14.0;
const MOST_INDENTED: usize = 6;

/// Space above the rows of a strip for the step numbers and below them for the time.
const STRIP: f64 = 56.0;
/// Distance between the lines of the footer.
const LINE: f64 = 18.0;
/// Maximum number of retry marks on a bar.
const MOST_MARKS: u32 = 5;

/// Height of a strip with `n_rows` rows.
pub(super) fn strip_height(n_rows: usize) -> f64 {
    ROW * n_rows.max(1) as f64 + STRIP
}

/// Styles for light and dark mode, without scripts or fonts that would have to be loaded.
const STYLE: &str = "\
  svg { background: #ffffff; font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif }
  .page { fill: #ffffff } .band { fill: #f3f5f8 } .rule { stroke: #d5dae1 }
  text { fill: #24292f } .title { font-size: 15px; font-weight: 600 } .quiet { fill: #5b6572; font-size: 11px }
  .in { fill: #ffffff; font-size: 10px } .automa { font-weight: 600 } .output { fill: #1769aa; font-weight: 600 }
  .due { fill: #3f74b5 } .ferried { fill: #8457a8 } .failed { fill: #cf2f35 }
  .unended { fill: #8b949e; fill-opacity: .25; stroke: #8b949e; stroke-dasharray: 3 2 } .around { fill-opacity: .45 }
  .ferry { fill: none; stroke: #8457a8; stroke-opacity: .75; stroke-dasharray: 3 2 }
  .retry { fill: #e06c00 }
  @media (prefers-color-scheme: dark) {
    svg { background: #16191e } .page { fill: #16191e } .band { fill: #1e232a } .rule { stroke: #343b45 }
    text { fill: #e2e6eb } .quiet { fill: #9aa5b1 } .in { fill: #ffffff } .output { fill: #6cb6ff } .retry { fill: #ffa657 }
    .due { fill: #4a86cc } .ferried { fill: #9a6fc0 } .failed { fill: #e04a50 } .ferry { stroke: #b08ad2 }
  }
";

/// Everything that is on the page.
pub(super) struct Page<'a> {
    pub(super) book: &'a Book,
    pub(super) axis: &'a Axis,
    pub(super) rows: &'a Rows,
    pub(super) bars: &'a Bars,
    pub(super) ferries: &'a Option<Vec<Line>>,
}

impl Page<'_> {
    pub(super) fn write(&self) -> String {
        let mut out = Out::default();
        let notes = self.notes();
        let (width, height) =
            (self.x(self.axis.width) + MARGIN, self.bottom() + 52.0 + LINE * notes.len() as f64);
        out.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<style>\n{STYLE}</style>\n"
        ));
        out.put(format_args!("<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"));
        self.head(&mut out);
        let mut bands = self.axis.bands.as_slice();
        for strip in 0..self.axis.n_strips {
            let is_here = |band: &Band| self.axis.strip(band.x).0 == strip;
            let (here, later) = bands.split_at(bands.partition_point(is_here));
            let end = later.first().map_or(self.axis.until, |band| band.from);
            self.steps(&mut out, strip, here, end);
            self.names(&mut out, strip);
            bands = later;
        }
        for line in self.ferries.iter().flatten() {
            self.ferry(&mut out, line);
        }
        self.kickoffs(&mut out);
        self.foot(&mut out, &notes);
        out.put(format_args!("</svg>\n"));
        out.0
    }

    /// The position on the page of a position in a strip.
    fn x(&self, across: f64) -> f64 {
        MARGIN + NAMES + across
    }

    fn y(&self, strip: usize, row: usize) -> f64 {
        TOP + strip_height(self.rows.shown.len()) * strip as f64 + ROW * row as f64
    }

    /// The vertical position below the rows of a strip.
    fn end_of(&self, strip: usize) -> f64 {
        self.y(strip, self.rows.shown.len().max(1))
    }

    fn bottom(&self) -> f64 {
        self.end_of(self.axis.n_strips - 1)
    }

    fn head(&self, out: &mut Out) {
        let executions = &self.book.executions;
        let automa = caption::one_line(self.book.automa.as_deref().unwrap_or("nothing has run"));
        out.text("title", MARGIN, 28.0, &automa);
        let of_kind = |kind| executions.iter().filter(|ran| Kind::of(ran) == kind).count();
        let ran: FxHashSet<_> = executions.iter().map(|execution| execution.worker).collect();
        let mut summary = format!(
            "{} of {} in {}, {}",
            count(executions.len(), "kickoff"),
            count(ran.len(), "worker"),
            count(self.axis.bands.len(), "step"),
            duration::text(self.axis.until),
        );
        for (kind, what) in [(Kind::Failed, "failed"), (Kind::Unended, "did not end")] {
            let n_kickoffs = of_kind(kind);
            if n_kickoffs > 0 {
                _ = write!(summary, "; {n_kickoffs} {what}");
            }
        }
        match executions.iter().map(|ran| u64::from(bars::retries(ran))).sum() {
            0_u64 => {}
            1 => summary += "; 1 retry",
            n_retries => _ = write!(summary, "; {n_retries} retries"),
        }
        out.text("quiet", MARGIN, 48.0, &summary);
    }

    /// Draws the step numbers above a strip and the time below it, and shades every other step.
    fn steps(&self, out: &mut Out, strip: usize, bands: &[Band], end: Duration) {
        let (top, bottom) = (self.y(strip, 0) - 6.0, self.end_of(strip) + 6.0);
        let height = bottom - top;
        let shaded = bands.iter().skip(1).step_by(2).filter(|band| band.width >= 3.0);
        for band in shaded {
            let (x, width) = (self.x(self.axis.strip(band.x).1), band.width);
            out.put(format_args!(
                "<rect class=\"band\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>\n"
            ));
        }
        let (left, right) = (self.x(0.0), self.x(self.axis.width));
        for y in [top, bottom] {
            out.put(format_args!(
                "<line class=\"rule\" x1=\"{left}\" y1=\"{y}\" x2=\"{right}\" y2=\"{y}\"/>\n"
            ));
        }
        let end = duration::text(end);
        let end_begins = right - width_of(&end);
        out.put(format_args!(
            "<text class=\"quiet\" text-anchor=\"end\" x=\"{right}\" y=\"{}\">{end}</text>\n",
            bottom + 16.0
        ));
        let (mut free_above, mut free_below) = (left, left);
        out.put(format_args!(
            "<text class=\"quiet\" text-anchor=\"end\" x=\"{}\" y=\"{}\">step</text>\n",
            left - 8.0,
            top - 6.0
        ));
        for band in bands {
            let step = band.step.to_string();
            let begin = self.axis.strip(band.x).1;
            let (middle, half) = (self.x(begin + band.width / 2.0), width_of(&step) / 2.0);
            if middle - half >= free_above - 0.1 || begin == 0.0 {
                out.put(format_args!(
                    "<text class=\"quiet\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{}\">{step}</text>\n",
                    top - 6.0
                ));
                free_above = middle + half + 4.0;
            }
            let (x, time) = (self.x(begin), duration::text(band.from));
            let until = x + width_of(&time) + 12.0;
            if x >= free_below && until < end_begins {
                out.text("quiet", x, bottom + 16.0, &time);
                free_below = until;
            }
        }
    }

    fn names(&self, out: &mut Out, strip: usize) {
        for (at, row) in self.rows.shown.iter().enumerate() {
            let key = caption::one_line(self.book.workers[row.worker].key.as_str());
            let indent = INDENT * row.depth.min(MOST_INDENTED) as f64;
            let shown = fit(&key, NAMES - indent - 12.0);
            let class = match row {
                Row { is_output: true, .. } => "output",
                Row { is_automa: true, .. } => "automa",
                _ => "name",
            };
            let (x, y) = (MARGIN + indent, self.y(strip, at) + 15.0);
            out.put(format_args!("<g><title>{}</title>", Xml(&key)));
            out.text(class, x, y, &shown);
            out.put(format_args!("</g>\n"));
        }
    }

    fn kickoffs(&self, out: &mut Out) {
        for (at, bars) in self.bars.of.iter().enumerate() {
            let n_lanes = self.bars.n_lanes[at] as f64;
            let height = BAR / n_lanes;
            let around = if self.rows.shown[at].is_automa { " around" } else { "" };
            for (place, bar) in bars.iter().enumerate() {
                let down = (ROW - BAR) / 2.0 + height * bar.lane as f64;
                let thick = height - if n_lanes > 1.0 { 0.5 } else { 0.0 };
                let (class, title) = (bar.kind.class(), Xml(&bar.title));
                let parts = self.axis.parts(bar.x, bar.width);
                for &(strip, x, width) in &parts {
                    let (x, y) = (self.x(x), self.y(strip, at) + down);
                    let round = if width < 6.0 || n_lanes > 1.0 { 0.5 } else { 2.5 };
                    out.put(format_args!(
                        "<rect class=\"{class}{around}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                         height=\"{thick:.1}\" rx=\"{round}\"><title>{title}</title></rect>\n"
                    ));
                }
                let (strip, x, width) = parts[0];
                self.retries(out, bar, self.x(x), width, self.y(strip, at) + down);
                if n_lanes == 1.0 && bar.is_single() && parts.len() == 1 {
                    let next = bars.get(place + 1).map(|next| self.axis.strip(next.x));
                    let next = next.filter(|next| next.0 == strip);
                    let next = next.map_or(self.axis.width, |(_, next)| next);
                    let y = self.y(strip, at) + 15.0;
                    self.length(out, bar, (x, next), y, around.is_empty());
                }
            }
        }
    }

    /// Draws a mark above a bar for each retry as far as there is room, and at least one.
    fn retries(&self, out: &mut Out, bar: &Bar, x: f64, width: f64, y: f64) {
        let room = ((width / 9.0) as u32).clamp(1, MOST_MARKS);
        for mark in 0..bar.n_retries.min(room) {
            let (x, y) = (x + 9.0 * f64::from(mark), y - 4.0);
            out.put(format_args!("<path class=\"retry\" d=\"M{x:.1} {y:.1}h7l-3.5 5z\"/>\n"));
        }
    }

    /// Writes the duration into the bar or, if there is room before the next one, behind it.
    fn length(&self, out: &mut Out, bar: &Bar, (x, next): (f64, f64), y: f64, solid: bool) {
        let text = duration::text(bar.length);
        let width = width_of(&text);
        let end = x + bar.width;
        if bar.width > width + 8.0 {
            let light = solid && bar.kind != Kind::Unended;
            let class = if light { "in" } else { "quiet" };
            out.text(class, self.x(x + 5.0), y - 0.5, &text);
        } else if next - end > width + 8.0 && !bar.length.is_zero() {
            out.text("quiet", self.x(end + 4.0), y, &text);
        }
    }

    fn ferry(&self, out: &mut Out, line: &Line) {
        let ((from_x, from), (to_x, to)) = (line.from, line.to);
        let (strip, to_x) = self.axis.strip(to_x);
        // A line from an earlier strip enters at the left.
        let from_x = (from_x - self.axis.width * strip as f64).max(0.0);
        let (x1, y1) = (self.x(from_x), self.y(strip, from) + ROW / 2.0);
        let (x2, y2) = (self.x(to_x), self.y(strip, to) + ROW / 2.0);
        if from == to {
            let (up, bend) = (y1 - BAR / 2.0, y1 - BAR / 2.0 - 6.0);
            out.put(format_args!(
                "<path class=\"ferry\" d=\"M{x1:.1} {up:.1} C{x1:.1} {bend:.1} {x2:.1} {bend:.1} {x2:.1} {up:.1}\"/>\n"
            ));
            return;
        }
        let y2 = y2 + if y2 > y1 { -BAR / 2.0 } else { BAR / 2.0 };
        let middle = f64::midpoint(y1, y2);
        out.put(format_args!(
            "<path class=\"ferry\" d=\"M{x1:.1} {y1:.1} C{x1:.1} {middle:.1} {x2:.1} {middle:.1} {x2:.1} {y2:.1}\"/>\n"
        ));
    }

    /// Draws the legend and the notes.
    fn foot(&self, out: &mut Out, notes: &[String]) {
        let y = self.bottom() + 42.0;
        if self.rows.n_hidden > 0 {
            let more = format!("… and {} more workers", grouped(self.rows.n_hidden));
            out.text("quiet", MARGIN, self.bottom() + 16.0, &more);
        }
        let mut x = MARGIN;
        let bars = || self.bars.of.iter().flatten();
        for kind in Kind::ALL.into_iter().filter(|kind| bars().any(|bar| bar.kind == *kind)) {
            out.put(format_args!(
                "<rect class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" rx=\"2\"/>\n",
                kind.class(),
                y - 10.0
            ));
            out.text("quiet", x + 16.0, y, kind.meaning());
            x += 16.0 + width_of(kind.meaning()) + 18.0;
        }
        if bars().any(|bar| bar.n_retries > 0) {
            let top = y - 8.0;
            out.put(format_args!("<path class=\"retry\" d=\"M{x:.1} {top:.1}h7l-3.5 5z\"/>\n"));
            out.text("quiet", x + 12.0, y, "was tried again: a mark for each time, from the left");
        }
        for (line, note) in (1..).zip(notes) {
            out.text("quiet", MARGIN, y + LINE * f64::from(line), note);
        }
    }

    /// Notes on what the page does not show to scale or leaves out.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.axis.n_widened {
            0 => {}
            1 => notes.push("One step was too short to be seen and is drawn wider.".to_owned()),
            n_steps => notes.push(format!(
                "{} steps were too short to be seen and are drawn wider.",
                grouped(n_steps)
            )),
        }
        if self.axis.n_strips > 1 {
            notes.push("Each strip has a scale of its own.".to_owned());
        }
        if self.rows.n_hidden > 0 && !self.rows.slowest_hidden.is_zero() {
            let slowest = duration::text(self.rows.slowest_hidden);
            notes.push(format!(
                "No kickoff of a worker that is not shown took longer than {slowest}."
            ));
        }
        if self.ferries.is_none() {
            notes.push("The ferries are too many to be drawn.".to_owned());
        }
        notes
    }
}
