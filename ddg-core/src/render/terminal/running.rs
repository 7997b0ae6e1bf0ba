//! The kickoffs that are known to be running.

use std::collections::BTreeMap;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::progress::Told;
use super::text::one_line;
use crate::machine::KickoffId;
use crate::path::WorkerPath;

#[derive(Default)]
pub(super) struct Running {
    /// The rows in the order in which their kickoffs began.
    rows: BTreeMap<u64, Row>,
    /// The rows of each worker. A worker that was ferried to twice runs twice, and so do the
    /// workers inside it.
    places: FxHashMap<WorkerPath, Vec<(KickoffId, u64)>>,
    next_place: u64,
    /// Kickoffs whose start was not seen. Their end may have been missed as well.
    unseen: Vec<(WorkerPath, KickoffId)>,
}

/// A running kickoff.
#[derive(Clone, Default)]
pub(super) struct Row {
    /// The path of the worker, as text.
    pub(super) of: String,
    /// The start, as time since the run began; `None` if the start was not seen.
    pub(super) began: Option<Duration>,
    /// The number of the attempt, if it is not the first.
    pub(super) attempt: u32,
    /// The error of the last failed attempt.
    pub(super) error: String,
    /// The value emitted last.
    pub(super) told: Option<Told>,
    /// When a line last showed the progress.
    pub(super) said: Option<Duration>,
    /// The variant of the last chunk that was not text.
    pub(super) pieces: Option<String>,
    /// The text of chunks since the last line end.
    pub(super) line: String,
}

impl Running {
    pub(super) fn begin(&mut self, path: &WorkerPath, kickoff: KickoffId, began: Option<Duration>) {
        let (place, of) = (self.next_place, one_line(&path.to_string()));
        self.next_place += 1;
        self.rows.insert(place, Row { of, began, ..Row::default() });
        self.places.entry(path.clone()).or_default().push((kickoff, place));
    }

    /// The row of a kickoff that emits, and so is running. Adds the row if the start was not seen.
    pub(super) fn telling(&mut self, path: &WorkerPath, kickoff: KickoffId) -> &mut Row {
        if self.place(path, kickoff).is_none() {
            self.begin(path, kickoff, None);
            self.unseen.push((path.clone(), kickoff));
        }
        self.row(path, kickoff).expect("it has begun above")
    }

    pub(super) fn row(&mut self, path: &WorkerPath, kickoff: KickoffId) -> Option<&mut Row> {
        let place = self.place(path, kickoff)?;
        self.rows.get_mut(&place)
    }

    /// The kickoff of this worker that began last.
    pub(super) fn last_of(&mut self, path: &WorkerPath) -> Option<&mut Row> {
        let (_, place) = self.places.get(path)?.last()?;
        self.rows.get_mut(place)
    }

    pub(super) fn remove(&mut self, path: &WorkerPath, kickoff: KickoffId) -> Option<Row> {
        let places = self.places.get_mut(path)?;
        let (_, place) = places.remove(places.iter().position(|(id, _)| *id == kickoff)?);
        if places.is_empty() {
            self.places.remove(path);
        }
        self.rows.remove(&place)
    }

    /// Takes the kickoffs inside such an automa whose start was not seen.
    pub(super) fn take_unseen(
        &mut self,
        is_such: impl Fn(Option<&WorkerPath>) -> bool,
    ) -> Vec<(WorkerPath, KickoffId)> {
        let all = std::mem::take(&mut self.unseen);
        let (taken, left) = all.into_iter().partition(|(path, _)| is_such(path.parent()));
        self.unseen = left;
        taken
    }

    pub(super) fn clear(&mut self) {
        *self = Self { next_place: self.next_place, ..Self::default() };
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    fn place(&self, path: &WorkerPath, kickoff: KickoffId) -> Option<u64> {
        let mut places = self.places.get(path)?.iter();
        places.find(|(id, _)| *id == kickoff).map(|(_, place)| *place)
    }
}
