//! Where a moment is across the page.

use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::render::history::Book;

/// How wide a step is at least, where there is room.
const NARROWEST: f64 = 18.0;

/// Steps across: each is as wide as it was long, but no narrower than can be seen.
pub(super) struct Axis {
    pub(super) width: f64,
    pub(super) bands: Vec<Band>,
    /// When the last of them ended.
    pub(super) until: Duration,
    /// The shortest step that is drawn to scale, where some are not.
    pub(super) to_scale_from: Option<Duration>,
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
    pub(super) fn of(book: &Book) -> Self {
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
        let width = (bands.len() as f64 * 14.0).clamp(880.0, 3000.0);
        let to_scale_from = lay_out(&mut bands, width);
        Self { width, bands, until, to_scale_from }
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
        (x, self.x(to).max(x))
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

/// Shares the page out among the steps; gives from which length on they are to scale, if not all
/// are.
fn lay_out(bands: &mut [Band], width: f64) -> Option<Duration> {
    let n_bands = bands.len() as f64;
    let narrowest = NARROWEST.min(width / n_bands / 2.0);
    let mut shortest_first: Vec<_> = (0..bands.len()).collect();
    shortest_first.sort_by_key(|at| bands[*at].length);
    let mut length: f64 = bands.iter().map(|band| band.length.as_secs_f64()).sum();
    if length == 0.0 {
        bands.iter_mut().for_each(|band| band.width = width / n_bands);
    }
    let mut room = width;
    let mut to_scale_from = None;
    for (at, left) in shortest_first.into_iter().zip((1..=bands.len()).rev()) {
        let band = &mut bands[at];
        let own = band.length.as_secs_f64();
        if length > 0.0 {
            let fair = room * own / length;
            band.width = if left == 1 { room } else { fair.max(narrowest) };
            if fair >= narrowest && to_scale_from.is_none() {
                to_scale_from = Some((left, band.length));
            }
        }
        room -= band.width;
        length -= own;
    }
    let mut x = 0.0;
    for band in bands.iter_mut() {
        band.x = x;
        x += band.width;
    }
    to_scale_from.filter(|(left, _)| *left < bands.len()).map(|(_, length)| length)
}
