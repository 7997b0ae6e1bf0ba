//! Patches: the difference between two JSON values as a flat list of places and changes.
//!
//! A list or a text that has grown is stored as what was added, so the size of a history is
//! proportional to what is added to it. The list is flat so that a patch is hardly deeper nested
//! than the value.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Changes, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Patch(Vec<Step>);

/// A change: the place and the operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step(Vec<Place>, Op);

/// One step of the path into a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Place {
    At(usize),
    In(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    /// Replaces the value.
    To(Json),
    /// Removes the entry.
    Gone,
    /// Appends to the text.
    Text(String),
    /// At this index of the list, removes this many elements and inserts these.
    Splice(usize, usize, Vec<Json>),
}

/// Collects the difference between two values.
#[derive(Default)]
pub(crate) struct Differ {
    at: Vec<Place>,
    steps: Vec<Step>,
}

/// Minimum length of a text that is compared for what was appended. For a shorter one, the whole
/// text is as short as the operation.
const LONG: usize = 16;

impl Differ {
    pub(crate) fn end(self) -> Patch {
        Patch(self.steps)
    }

    /// Number of the changes so far.
    pub(crate) fn mark(&self) -> usize {
        self.steps.len()
    }

    /// Drops the changes after a [mark](Self::mark).
    pub(crate) fn back_to(&mut self, mark: usize) {
        self.steps.truncate(mark);
    }

    /// Whether there are no changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Adds the changes of `other`, which are of the current value.
    pub(crate) fn append(&mut self, other: Self) {
        let at = &self.at;
        let moved = other
            .steps
            .into_iter()
            .map(|Step(path, op)| Step(at.iter().cloned().chain(path).collect(), op));
        self.steps.extend(moved);
    }

    /// Descends into the entry `name`.
    pub(crate) fn within<T>(
        &mut self,
        name: impl Into<String>,
        look: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.at.push(Place::In(name.into()));
        let looked = look(self);
        self.at.pop();
        looked
    }

    /// Descends into the element at `index`.
    pub(crate) fn at<T>(&mut self, index: usize, look: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(Place::At(index));
        let looked = look(self);
        self.at.pop();
        looked
    }

    /// Removes `n_removed` elements of the current list at `index`, and inserts `added` there.
    pub(crate) fn splice(&mut self, index: usize, n_removed: usize, added: Vec<Json>) {
        self.step(Op::Splice(index, n_removed, added));
    }

    /// Replaces the current value by `json`.
    pub(crate) fn to(&mut self, json: Json) {
        self.step(Op::To(json));
    }

    /// Removes the current value.
    pub(crate) fn gone(&mut self) {
        self.step(Op::Gone);
    }

    /// Records how `next` differs from `base`, or `next` as a whole if that is shorter.
    pub(crate) fn compare(&mut self, base: &Json, next: &Json) {
        let before = self.steps.len();
        self.json(base, next);
        let steps = &self.steps[before..];
        // Many small changes can take more bytes than the new value.
        if !steps.is_empty() && size(&steps) > size(next) + size(&self.at) {
            self.steps.truncate(before);
            self.to(next.clone());
        }
    }

    fn json(&mut self, base: &Json, next: &Json) {
        match (base, next) {
            (base, next) if base == next => {}
            (Json::Object(base), Json::Object(next)) => {
                for name in base.keys().filter(|name| !next.contains_key(*name)) {
                    self.within(name, Self::gone);
                }
                for (name, next) in next {
                    self.within(name, |inside| match base.get(name) {
                        Some(base) => inside.json(base, next),
                        None => inside.to(next.clone()),
                    });
                }
            }
            (Json::Array(base), Json::Array(next)) => self.list(base, next),
            (Json::String(base), Json::String(next)) if base.len() >= LONG => {
                match next.strip_prefix(base.as_str()) {
                    Some(more) => self.step(Op::Text(more.to_owned())),
                    None => self.to(Json::String(next.clone())),
                }
            }
            (_, next) => self.to(next.clone()),
        }
    }

    fn list(&mut self, base: &[Json], next: &[Json]) {
        let same = |(base, next): &(&Json, &Json)| base == next;
        // Lists mostly grow or shrink at one place, so a common prefix and suffix find the change
        // without a full comparison of all pairs.
        let front = base.iter().zip(next).take_while(same).count();
        let (base, next) = (&base[front..], &next[front..]);
        let back = base.iter().rev().zip(next.iter().rev()).take_while(same).count();
        let (base, next) = (&base[..base.len() - back], &next[..next.len() - back]);
        if base.len() != next.len() {
            self.splice(front, base.len(), next.to_vec());
            return;
        }
        for (place, (base, next)) in base.iter().zip(next).enumerate() {
            self.at(front + place, |inside| inside.json(base, next));
        }
    }

    fn step(&mut self, op: Op) {
        self.steps.push(Step(self.at.clone(), op));
    }
}

/// The serialised size in bytes.
fn size(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

impl Patch {
    /// Applies the patch to `json`. Returns whether all changes could be made.
    pub(crate) fn apply(self, json: &mut Json) -> bool {
        self.0.into_iter().all(|step| step.apply(json).is_some())
    }
}

impl Step {
    fn apply(self, json: &mut Json) -> Option<()> {
        let Self(mut path, op) = self;
        let Some(last) = path.pop() else { return op.apply(json) };
        let mut at = json;
        for place in &path {
            at = match place {
                Place::At(index) => at.as_array_mut()?.get_mut(*index)?,
                Place::In(name) => at.as_object_mut()?.get_mut(name)?,
            };
        }
        match (last, op) {
            (Place::In(name), Op::To(next)) => {
                at.as_object_mut()?.insert(name, next);
                Some(())
            }
            (Place::In(name), Op::Gone) => at.as_object_mut()?.remove(&name).map(drop),
            (Place::In(name), op) => op.apply(at.as_object_mut()?.get_mut(&name)?),
            (Place::At(index), op) => op.apply(at.as_array_mut()?.get_mut(index)?),
        }
    }
}

impl Op {
    fn apply(self, json: &mut Json) -> Option<()> {
        match (self, json) {
            (Self::To(next), json) => *json = next,
            (Self::Text(more), Json::String(text)) => text.push_str(&more),
            (Self::Splice(at, n, items), Json::Array(list)) => {
                let end = at.checked_add(n).filter(|end| *end <= list.len())?;
                list.splice(at..end, items);
            }
            (Self::Gone | Self::Text(_) | Self::Splice(..), _) => return None,
        }
        Some(())
    }
}
