//! Plots as SVG.

use std::fmt::Write;

use super::table::count;
use crate::subject::Kind;

/// A line of a plot.
pub struct Series {
    /// What it is of.
    pub name: &'static str,
    /// What sort of engine.
    pub kind: Kind,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

/// Bars that belong together.
pub struct Group {
    /// What they are of.
    pub name: String,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// One bar.
pub struct Bar {
    /// What it is of.
    pub name: &'static str,
    /// What sort of engine.
    pub kind: Kind,
    /// Its length.
    pub value: f64,
    /// What is written at its end.
    pub label: String,
}

const INK: &str = "#24292f";
const FAINT: &str = "#d8dee4";
const OURS: &str = "#d1242f";
const OTHERS: [&str; 8] =
    ["#0969da", "#1a7f37", "#8250df", "#9a6700", "#bf3989", "#57606a", "#0a7ea4", "#bc4c00"];

/// Colours on a dark page, each after the one that it replaces.
const DARK: [(&str, &str); 12] = [
    ("#ffffff", "#16191e"),
    (INK, "#e2e6eb"),
    (FAINT, "#343b45"),
    (OURS, "#ff6b6b"),
    (OTHERS[0], "#4c9bff"),
    (OTHERS[1], "#3fb950"),
    (OTHERS[2], "#a371f7"),
    (OTHERS[3], "#d29922"),
    (OTHERS[4], "#db61a2"),
    (OTHERS[5], "#9aa5b1"),
    (OTHERS[6], "#39b5d8"),
    (OTHERS[7], "#f0883e"),
];

/// Lines over two logarithmic axes, each with its name at its end.
pub fn lines(title: &str, across: &str, up: &str, series: &[Series]) -> String {
    let (width, height) = (760.0, 420.0);
    let points = || series.iter().flat_map(|series| &series.points);
    let x = Axis::around(points().map(|point| point.0), 70.0, width - 150.0);
    let y = Axis::around(points().map(|point| point.1), height - 56.0, 66.0);
    let mut svg = Svg::new(width, height, title);
    for decade in x.decades() {
        let at = x.place(decade);
        svg.line((at, y.from), (at, y.to), FAINT, 1.0);
        svg.text((at, y.from + 18.0), "middle", INK, &label(decade));
    }
    for decade in y.decades() {
        let at = y.place(decade);
        svg.line((x.from, at), (x.to, at), FAINT, 1.0);
        svg.text((x.from - 8.0, at + 4.0), "end", INK, &label(decade));
    }
    svg.text(((x.from + x.to) / 2.0, height - 14.0), "middle", INK, across);
    svg.text((12.0, 42.0), "start", INK, up);

    let mut names = Vec::new();
    // Ours last, on top of the others.
    let mut order: Vec<_> = series.iter().enumerate().collect();
    order.sort_by_key(|(_, series)| series.kind == Kind::Ddg);
    for (place, series) in order {
        let (colour, stroke, dashes) = look(place, series.kind);
        let places: Vec<_> =
            series.points.iter().map(|(px, py)| (x.place(*px), y.place(*py))).collect();
        places.windows(2).for_each(|pair| svg.dashed(pair[0], pair[1], colour, stroke, dashes));
        places.iter().for_each(|place| svg.dot(*place, stroke + 1.0, colour));
        if let Some((_, last)) = places.last() {
            names.push((*last, series.name, colour));
        }
    }
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = 0.0_f64;
    for (at, name, colour) in names {
        let at = at.max(free);
        free = at + 15.0;
        svg.text((x.to + 14.0, at + 4.0), "start", colour, name);
    }
    svg.end()
}

/// Groups of bars over one logarithmic axis, with a line at 1.
pub fn bars(title: &str, across: &str, groups: &[Group]) -> String {
    let rows: usize = groups.iter().map(|group| group.bars.len() + 2).sum();
    let (width, height) = (760.0, 86.0 + 16.0 * rows as f64);
    let values = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.value);
    let x = Axis::around(values, 150.0, width - 90.0);
    let (top, bottom) = (48.0, height - 44.0);
    let mut svg = Svg::new(width, height, title);
    for decade in x.decades() {
        let at = x.place(decade);
        svg.line((at, top), (at, bottom), FAINT, 1.0);
        svg.text((at, bottom + 16.0), "middle", INK, &label(decade));
    }
    svg.text(((x.from + x.to) / 2.0, height - 10.0), "middle", INK, across);
    svg.line((x.place(1.0), top), (x.place(1.0), bottom), INK, 1.0);
    let mut at = top + 6.0;
    for group in groups {
        at += 16.0;
        svg.bold((12.0, at), &group.name);
        for bar in &group.bars {
            at += 16.0;
            let end = x.place(bar.value);
            let colour = match bar.kind {
                Kind::Ddg => OURS,
                Kind::Baseline => "#8c959f",
                Kind::Peer => OTHERS[0],
            };
            svg.text((x.from - 8.0, at + 1.0), "end", INK, bar.name);
            svg.rectangle((x.from, at - 9.0), (end - x.from).max(1.0), 12.0, colour);
            svg.text((end + 5.0, at + 1.0), "start", INK, &bar.label);
        }
        at += 16.0;
    }
    svg.end()
}

/// Colour, width and dashes of a line.
fn look(place: usize, kind: Kind) -> (&'static str, f64, &'static str) {
    let colour = OTHERS[place % OTHERS.len()];
    match kind {
        Kind::Ddg => (OURS, 3.0, "none"),
        Kind::Baseline => (colour, 1.5, "2 4"),
        Kind::Peer => (colour, 1.5, "none"),
    }
}

fn label(value: f64) -> String {
    if value >= 1.0 { count(value.round() as usize) } else { value.to_string() }
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// One on which all `values` and their decades have a place between `from` and `to`.
    fn around(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let logs: Vec<_> = values.map(f64::log10).collect();
        let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
        let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let low = (low + 1e-9).floor();
        Self { low, high: (high - 1e-9).ceil().max(low + 1.0), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value.log10() - self.low) / (self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = f64> + use<> {
        (self.low as i32..=self.high as i32).map(|power| 10_f64.powi(power))
    }
}

struct Svg(String);

impl Svg {
    fn new(width: f64, height: f64, title: &str) -> Self {
        let rule = |(light, dark): &(&str, &str)| {
            format!("[fill='{light}'] {{ fill: {dark} }} [stroke='{light}'] {{ stroke: {dark} }}\n")
        };
        let dark: String = DARK.iter().map(rule).collect();
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
             <style>@media (prefers-color-scheme: dark) {{\n{dark}}}</style>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        ));
        svg.bold((12.0, 22.0), title);
        svg
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, stroke: f64) {
        self.dashed(from, to, colour, stroke, "none");
    }

    fn dashed(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        colour: &str,
        stroke: f64,
        dashes: &str,
    ) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.element(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" \
             stroke=\"{colour}\" stroke-width=\"{stroke}\" stroke-dasharray=\"{dashes}\"/>"
        ));
    }

    fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str) {
        self.element(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{colour}\"/>"
        ));
    }

    fn rectangle(&mut self, (x, y): (f64, f64), width: f64, height: f64, colour: &str) {
        self.element(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"{colour}\"/>"
        ));
    }

    fn text(&mut self, (x, y): (f64, f64), anchor: &str, colour: &str, text: &str) {
        self.element(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\" \
             stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">{text}</text>"
        ));
    }

    fn bold(&mut self, (x, y): (f64, f64), text: &str) {
        self.element(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{INK}\" font-weight=\"bold\">{text}</text>"
        ));
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{element}").expect("writing to a String succeeds");
    }

    fn end(mut self) -> String {
        self.0 += "</svg>\n";
        self.0
    }
}
