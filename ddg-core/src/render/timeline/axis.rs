//! The horizontal axis: positions of moments in time.

use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::render::history::Book;

/// Minimum width of a step, where there is room.
const NARROWEST: f64 = 18.0;

/// Width of a page with few steps, and of one that has no room for further strips.
const WIDTH: f64 = 880.0;
const WIDEST: f64 = 3000.0;

/// Maximum number of steps in one strip, and the number per strip if there are more steps.
const MOST_STEPS: usize = 48;
const STEPS: usize = 40;

/// Maximum number of strips, and maximum height of all of them together.
const MOST_STRIPS: usize = 16;
const HIGHEST: f64 = 2000.0;

/// Number of steps that can be told apart in one strip. With more, further strips would not help.
const DENSEST: usize = 110;
const FEW_STRIPS: usize = 4;

/// Steps across: the width of a step is its duration, but at least what can be seen.
///
/// Positions run through all strips: the second strip starts at the width of the first.
pub(super) struct Axis {
    /// Width of each strip.
    pub(super) width: f64,
    pub(super) n_strips: usize,
    pub(super) bands: Vec<Band>,
    /// The end of the last step.
    pub(super) until: Duration,
    /// Number of steps that are drawn wider than to scale because they were too short to be seen.
    pub(super) n_widened: usize,
}

/// The time from the first kickoff of a step to that of the next.
pub(super) struct Band {
    pub(super) step: u64,
    pub(super) from: Duration,
    pub(super) length: Duration,
    pub(super) x: f64,
    pub(super) width: f64,
}

impl Axis {
    /// The axis of a page with `n_rows` rows.
    pub(super) fn of(book: &Book, n_rows: usize) -> Self {
        let running = book.executions.iter().any(|execution| execution.end.is_none());
        let ends = book.executions.iter().map(|execution| match execution.end {
            Some(end) => end.at,
            None => execution.began,
        });
        let until = if running { book.until } else { ends.max().unwrap_or_default() };
        let mut bands = begins(book);
        let next: Vec<_> = bands.iter().skip(1).map(|band| band.from).chain([until]).collect();
        for (band, next) in bands.iter_mut().zip(next) {
            band.length = next.saturating_sub(band.from);
        }
        let n_strips = strips(bands.len(), n_rows);
        let n_steps = bands.len() as f64 / n_strips as f64;
        let width = (n_steps * 14.0).clamp(WIDTH, if n_strips > 1 { WIDTH } else { WIDEST });
        let mut n_widened = 0;
        let (n_bands, mut begin) = (bands.len(), 0);
        for strip in 0..n_strips {
            let end = n_bands * (strip + 1) / n_strips;
            n_widened += lay_out(&mut bands[begin..end], width * strip as f64, width);
            begin = end;
        }
        Self { width, n_strips, bands, until, n_widened }
    }

    /// The strip of `x`, and the position in the strip.
    pub(super) fn strip(&self, x: f64) -> (usize, f64) {
        // At the start of a strip, sums of widths may be a little too small because of rounding.
        let strip = (((x + 1e-6) / self.width) as usize).min(self.n_strips - 1);
        (strip, (x - self.width * strip as f64).max(0.0))
    }

    /// Splits a bar at the ends of strips: for each part the strip, the position in it and the
    /// width.
    pub(super) fn parts(&self, x: f64, width: f64) -> Vec<(usize, f64, f64)> {
        let (first, mut at) = self.strip(x);
        let (mut strip, mut left) = (first, width);
        let mut parts = Vec::new();
        while left > 0.05 || strip == first {
            let part = if strip + 1 < self.n_strips { left.min(self.width - at) } else { left };
            parts.push((strip, at, part));
            (strip, at, left) = (strip + 1, 0.0, left - part);
        }
        parts
    }

    /// The position of `moment`.
    pub(super) fn x(&self, moment: Duration) -> f64 {
        let after = self.bands.partition_point(|band| band.from <= moment);
        let Some(band) = after.checked_sub(1).map(|at| &self.bands[at]) else { return 0.0 };
        if band.length.is_zero() {
            return band.x;
        }
        let part = moment.saturating_sub(band.from).as_secs_f64() / band.length.as_secs_f64();
        band.x + band.width * part.min(1.0)
    }

    /// The position of the end of something that ended at `moment`. Several steps may begin at that
    /// very moment; the end belongs to the step before them.
    fn end(&self, moment: Duration) -> f64 {
        let before = self.bands.partition_point(|band| band.from < moment);
        let Some(band) = before.checked_sub(1).map(|at| &self.bands[at]) else { return 0.0 };
        if band.length.is_zero() {
            return band.x + band.width;
        }
        let part = moment.saturating_sub(band.from).as_secs_f64() / band.length.as_secs_f64();
        band.x + band.width * part.min(1.0)
    }

    /// The position of the start and end of what began at `from` in `step` and ended at `to`. If
    /// the step took no time, it spans the whole step.
    pub(super) fn span(&self, step: u64, from: Duration, to: Duration) -> (f64, f64) {
        let begun = self.bands.partition_point(|band| band.from < from);
        let same = |band: &&Band| band.from == from;
        let here = self.bands[begun..].iter().take_while(same);
        if let Some(band) = here.clone().find(|band| band.step == step && band.length.is_zero())
            && from == to
        {
            return (band.x, band.x + band.width);
        }
        // Several steps may begin at one moment; the step number tells them apart.
        let begin = here.clone().find(|band| band.step == step).map(|band| band.x);
        let x = begin.unwrap_or_else(|| self.x(from));
        (x, self.end(to).max(x))
    }
}

/// The steps of the outermost recorded automa, in the order in which they began.
fn begins(book: &Book) -> Vec<Band> {
    let mut depths = vec![0_usize; book.workers.len()];
    for (worker, seen) in book.workers.iter().enumerate() {
        // An automa is recorded before the workers in it, so the depth of the parent is known.
        depths[worker] = seen.inside.map_or(0, |outer| depths[outer] + 1);
    }
    let outermost = book.executions.iter().map(|execution| depths[execution.worker]).min();
    let mut kickoffs: Vec<_> = book
        .executions
        .iter()
        .filter(|execution| Some(depths[execution.worker]) == outermost)
        .map(|execution| (execution.began, execution.step, execution.id))
        .collect();
    // A second run starts again with step 1, so only the time orders kickoffs of several runs.
    kickoffs.sort_by_key(|(began, ..)| *began);
    let mut bands: Vec<Band> = Vec::new();
    let mut ids = FxHashSet::default();
    for (from, step, id) in kickoffs {
        if bands.last().is_none_or(|last| last.step != step) || ids.contains(&id) {
            ids.clear();
            bands.push(Band { step, from, length: Duration::ZERO, x: 0.0, width: 0.0 });
        }
        ids.insert(id);
    }
    bands
}

/// Number of strips for `n_steps` steps.
fn strips(n_steps: usize, n_rows: usize) -> usize {
    if n_steps <= MOST_STEPS {
        return 1;
    }
    let room = (HIGHEST / super::svg::strip_height(n_rows)) as usize;
    let most = room.clamp(1, MOST_STRIPS);
    let most = if n_steps > most * DENSEST { most.min(FEW_STRIPS) } else { most };
    n_steps.div_ceil(STEPS).min(most)
}

/// Divides a strip that starts at `begin` among its steps. Returns the number of steps that are
/// drawn wider than to scale.
fn lay_out(bands: &mut [Band], begin: f64, width: f64) -> usize {
    let n_bands = bands.len() as f64;
    let narrowest = NARROWEST.min(width / n_bands / 2.0);
    let mut shortest_first: Vec<_> = (0..bands.len()).collect();
    shortest_first.sort_by_key(|at| bands[*at].length);
    let mut length: f64 = bands.iter().map(|band| band.length.as_secs_f64()).sum();
    if length == 0.0 {
        bands.iter_mut().for_each(|band| band.width = width / n_bands);
    }
    let mut room = width;
    let mut n_widened = 0;
    for (at, left) in shortest_first.into_iter().zip((1..=bands.len()).rev()) {
        let band = &mut bands[at];
        let own = band.length.as_secs_f64();
        if length > 0.0 {
            let fair = room * own / length;
            n_widened += usize::from(fair < narrowest && left > 1);
            band.width = if left == 1 { room } else { fair.max(narrowest) };
        }
        room -= band.width;
        length -= own;
    }
    let mut x = begin;
    for band in bands.iter_mut() {
        band.x = x;
        x += band.width;
    }
    n_widened
}
