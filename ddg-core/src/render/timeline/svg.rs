//! The page itself.

use std::fmt::{Arguments, Write};

use rustc_hash::FxHashSet;

use super::Kind;
use super::axis::Axis;
use super::bars::{Bar, Bars};
use super::ferries::Line;
use super::rows::Rows;
use crate::render::caption::{self, fit, width_of};
use crate::render::duration;
use crate::render::history::Book;

const MARGIN: f64 = 16.0;
/// The width of the workers' names.
const NAMES: f64 = 200.0;
/// Where the steps begin, below the title.
const TOP: f64 = 84.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
/// By how much what is in a nested automa is indented, and how many times.
const INDENT: f64 = 14.0;
const MOST_INDENTED: usize = 6;

/// Light, or dark where that is asked for; no scripts, no fonts that have to be loaded.
const STYLE: &str = "\
  svg { background: #ffffff; font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif }
  .page { fill: #ffffff } .band { fill: #f3f5f8 } .rule { stroke: #d5dae1 }
  text { fill: #24292f } .title { font-size: 15px; font-weight: 600 } .quiet { fill: #5b6572; font-size: 11px }
  .in { fill: #ffffff; font-size: 10px } .automa { font-weight: 600 }
  .due { fill: #3f74b5 } .ferried { fill: #8457a8 } .failed { fill: #cf2f35 }
  .unended { fill: #8b949e; fill-opacity: .25; stroke: #8b949e; stroke-dasharray: 3 2 } .around { fill-opacity: .45 }
  .ferry { fill: none; stroke: #8457a8; stroke-opacity: .75; stroke-dasharray: 3 2 }
  @media (prefers-color-scheme: dark) {
    svg { background: #16191e } .page { fill: #16191e } .band { fill: #1e232a } .rule { stroke: #343b45 }
    text { fill: #e2e6eb } .quiet { fill: #9aa5b1 } .in { fill: #ffffff }
    .due { fill: #4a86cc } .ferried { fill: #9a6fc0 } .failed { fill: #e04a50 } .ferry { stroke: #b08ad2 }
  }
";

/// All that is on the page.
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
        let (width, height) = (self.x(self.axis.width) + MARGIN, self.bottom() + 52.0);
        out.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<style>\n{STYLE}</style>\n"
        ));
        out.put(format_args!("<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"));
        self.head(&mut out);
        self.steps(&mut out);
        self.names(&mut out);
        for line in self.ferries.iter().flatten() {
            self.ferry(&mut out, line);
        }
        self.kickoffs(&mut out);
        self.foot(&mut out);
        out.put(format_args!("</svg>\n"));
        out.0
    }

    fn x(&self, across: f64) -> f64 {
        MARGIN + NAMES + across
    }

    fn y(row: usize) -> f64 {
        let row = row as f64;
        TOP + ROW * row
    }

    fn bottom(&self) -> f64 {
        Self::y(self.rows.shown.len().max(1))
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
        out.text("quiet", MARGIN, 48.0, &summary);
    }

    /// The steps' numbers above, the time below, every other step shaded.
    fn steps(&self, out: &mut Out) {
        let (top, bottom) = (TOP - 6.0, self.bottom() + 6.0);
        let height = bottom - top;
        let shaded = self.axis.bands.iter().skip(1).step_by(2).filter(|band| band.width >= 3.0);
        for band in shaded {
            let (x, width) = (self.x(band.x), band.width);
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
        let end = duration::text(self.axis.until);
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
        for band in &self.axis.bands {
            let step = band.step.to_string();
            let (middle, half) = (self.x(band.x + band.width / 2.0), width_of(&step) / 2.0);
            if middle - half >= free_above - 0.1 || band.x == 0.0 {
                out.put(format_args!(
                    "<text class=\"quiet\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{}\">{step}</text>\n",
                    top - 6.0
                ));
                free_above = middle + half + 4.0;
            }
            let (x, time) = (self.x(band.x), duration::text(band.from));
            let until = x + width_of(&time) + 12.0;
            if x >= free_below && until < end_begins {
                out.text("quiet", x, bottom + 16.0, &time);
                free_below = until;
            }
        }
    }

    fn names(&self, out: &mut Out) {
        for (at, row) in self.rows.shown.iter().enumerate() {
            let key = caption::one_line(self.book.workers[row.worker].key.as_str());
            let indent = INDENT * row.depth.min(MOST_INDENTED) as f64;
            let shown = fit(&key, NAMES - indent - 12.0);
            let class = if row.is_automa { "automa" } else { "name" };
            let (x, y) = (MARGIN + indent, Self::y(at) + 15.0);
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
                let y = Self::y(at) + (ROW - BAR) / 2.0 + height * bar.lane as f64;
                let (x, width) = (self.x(bar.x), bar.width);
                let (class, thick) =
                    (bar.kind.class(), height - if n_lanes > 1.0 { 0.5 } else { 0.0 });
                let round = if width < 6.0 || n_lanes > 1.0 { 0.5 } else { 2.5 };
                out.put(format_args!(
                    "<rect class=\"{class}{around}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                     height=\"{thick:.1}\" rx=\"{round}\"><title>{}</title></rect>\n",
                    Xml(&bar.title)
                ));
                if n_lanes == 1.0 && bar.is_single() {
                    let next = bars.get(place + 1).map_or(self.axis.width, |next| next.x);
                    self.length(out, bar, next, Self::y(at) + 15.0, around.is_empty());
                }
            }
        }
    }

    /// How long it took, in the bar or, if there is room, behind it.
    fn length(&self, out: &mut Out, bar: &Bar, next: f64, y: f64, solid: bool) {
        let text = duration::text(bar.length);
        let width = width_of(&text);
        let end = bar.x + bar.width;
        if bar.width > width + 8.0 {
            let light = solid && bar.kind != Kind::Unended;
            let class = if light { "in" } else { "quiet" };
            out.text(class, self.x(bar.x + 5.0), y - 0.5, &text);
        } else if next - end > width + 8.0 && !bar.length.is_zero() {
            out.text("quiet", self.x(end + 4.0), y, &text);
        }
    }

    fn ferry(&self, out: &mut Out, line: &Line) {
        let ((from_x, from), (to_x, to)) = (line.from, line.to);
        let (x1, y1) = (self.x(from_x), Self::y(from) + ROW / 2.0);
        let (x2, y2) = (self.x(to_x), Self::y(to) + ROW / 2.0);
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

    /// What the colours mean, and what is not as one would think.
    fn foot(&self, out: &mut Out) {
        let y = self.bottom() + 42.0;
        if self.rows.n_hidden > 0 {
            let more = format!("… and {} more workers", grouped(self.rows.n_hidden));
            out.text("quiet", MARGIN, self.bottom() + 16.0, &more);
        }
        let mut x = MARGIN;
        for kind in Kind::ALL {
            if !self.bars.of.iter().flatten().any(|bar| bar.kind == kind) {
                continue;
            }
            out.put(format_args!(
                "<rect class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" rx=\"2\"/>\n",
                kind.class(),
                y - 10.0
            ));
            out.text("quiet", x + 16.0, y, kind.meaning());
            x += 16.0 + width_of(kind.meaning()) + 18.0;
        }
        let wider = self.axis.to_scale_from.map(|length| {
            format!("Steps shorter than {} are drawn wider.", duration::text(length))
        });
        let undrawn = "The ferries are too many to be drawn.".to_owned();
        let undrawn = self.ferries.is_none().then_some(undrawn);
        let notes: Vec<_> = wider.into_iter().chain(undrawn).collect();
        if !notes.is_empty() {
            let (x, notes) = (self.x(self.axis.width), notes.join(" "));
            out.put(format_args!(
                "<text class=\"quiet\" text-anchor=\"end\" x=\"{x}\" y=\"{y}\">{notes}</text>\n"
            ));
        }
    }
}

/// The text so far.
#[derive(Default)]
struct Out(String);

impl Out {
    fn put(&mut self, what: Arguments<'_>) {
        self.0.write_fmt(what).expect("a string takes whatever is written");
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let text = Xml(text);
        self.put(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n"));
    }
}

/// Text between tags.
struct Xml<'a>(&'a str);

impl std::fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// With a comma between thousands.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
