//! Where a moment is across the page.

use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::render::history::Book;

/// How wide a step is at least, where there is room.
const NARROWEST: f64 = 18.0;

/// How wide a page of few steps is, and one that has no room for further strips.
const WIDTH: f64 = 880.0;
const WIDEST: f64 = 3000.0;

/// How many steps there may be in one strip, and how many there are in each if there are more.
const MOST_STEPS: usize = 48;
const STEPS: usize = 40;

/// How many strips there are at most, and how high all of them together.
const MOST_STRIPS: usize = 16;
const HIGHEST: f64 = 2000.0;

/// How many steps of a strip can still be told apart; of more, there is no use in many strips.
const DENSEST: usize = 110;
const FEW_STRIPS: usize = 4;

/// Steps across: each is as wide as it was long, but no narrower than can be seen.
///
/// All strips are one behind the other here: the second goes on at the width of the first.
pub(super) struct Axis {
    /// Of each strip.
    pub(super) width: f64,
    pub(super) n_strips: usize,
    pub(super) bands: Vec<Band>,
    /// When the last of them ended.
    pub(super) until: Duration,
    /// How many steps were too short to be seen, and are wider than to scale.
    pub(super) n_widened: usize,
}

/// From a step's first kickoff to that of the next.
pub(super) struct Band {
    pub(super) step: u64,
    pub(super) from: Duration,
    pub(super) length: Duration,
    pub(super) x: f64,
    pub(super) width: f64,
}

impl Axis {
    /// For a page of so many rows.
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

    /// In which strip `x` is, and where in it.
    pub(super) fn strip(&self, x: f64) -> (usize, f64) {
        // Where a strip begins, sums of widths may be a little less.
        let strip = (((x + 1e-6) / self.width) as usize).min(self.n_strips - 1);
        (strip, (x - self.width * strip as f64).max(0.0))
    }

    /// Which parts of strips a bar covers: the strip, where in it, and how wide.
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

    /// Where `moment` is.
    pub(super) fn x(&self, moment: Duration) -> f64 {
        let after = self.bands.partition_point(|band| band.from <= moment);
        let Some(band) = after.checked_sub(1).map(|at| &self.bands[at]) else { return 0.0 };
        if band.length.is_zero() {
            return band.x;
        }
        let part = moment.saturating_sub(band.from).as_secs_f64() / band.length.as_secs_f64();
        band.x + band.width * part.min(1.0)
    }

    /// Where what ended at `moment` has its end: in the step that had begun before, however many
    /// steps begin at that moment.
    fn end(&self, moment: Duration) -> f64 {
        let before = self.bands.partition_point(|band| band.from < moment);
        let Some(band) = before.checked_sub(1).map(|at| &self.bands[at]) else { return 0.0 };
        if band.length.is_zero() {
            return band.x + band.width;
        }
        let part = moment.saturating_sub(band.from).as_secs_f64() / band.length.as_secs_f64();
        band.x + band.width * part.min(1.0)
    }

    /// Where what began at `from` in `step` and ended at `to` is drawn: over the whole step if the
    /// step took no time.
    pub(super) fn span(&self, step: u64, from: Duration, to: Duration) -> (f64, f64) {
        let begun = self.bands.partition_point(|band| band.from < from);
        let same = |band: &&Band| band.from == from;
        let here = self.bands[begun..].iter().take_while(same);
        if let Some(band) = here.clone().find(|band| band.step == step && band.length.is_zero())
            && from == to
        {
            return (band.x, band.x + band.width);
        }
        // Of steps that began at one moment, it began in its own.
        let begin = here.clone().find(|band| band.step == step).map(|band| band.x);
        let x = begin.unwrap_or_else(|| self.x(from));
        (x, self.end(to).max(x))
    }
}

/// The steps of the outermost automa that was seen, in the order in which they began.
fn begins(book: &Book) -> Vec<Band> {
    let mut depths = vec![0_usize; book.workers.len()];
    for (worker, seen) in book.workers.iter().enumerate() {
        // An automa is seen before the workers in it.
        depths[worker] = seen.inside.map_or(0, |outer| depths[outer] + 1);
    }
    let outermost = book.executions.iter().map(|execution| depths[execution.worker]).min();
    let mut kickoffs: Vec<_> = book
        .executions
        .iter()
        .filter(|execution| Some(depths[execution.worker]) == outermost)
        .map(|execution| (execution.began, execution.step, execution.id))
        .collect();
    // One run after another begins with step 1 again, and with its first kickoff.
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

/// Into how many strips so many steps are divided.
fn strips(n_steps: usize, n_rows: usize) -> usize {
    if n_steps <= MOST_STEPS {
        return 1;
    }
    let room = (HIGHEST / super::svg::strip_height(n_rows)) as usize;
    let most = room.clamp(1, MOST_STRIPS);
    let most = if n_steps > most * DENSEST { most.min(FEW_STRIPS) } else { most };
    n_steps.div_ceil(STEPS).min(most)
}

/// Shares a strip that begins at `begin` out among its steps; gives how many are wider than to
/// scale.
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
