//! The difference between two JSON values, as a flat list: where, and what happens there.
//!
//! A list that has grown is written as what was put into it, and text that has grown as what was
//! appended, so that a history costs what is added to it. It is flat so that a patch is nested
//! hardly deeper than what it changes.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Changes, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Patch(Vec<Step>);

/// One change: where it is made, and which.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step(Vec<Place>, Op);

/// One step on the way into a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Place {
    At(usize),
    In(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    /// The value is this now.
    To(Json),
    /// The entry is gone.
    Gone,
    /// The text has this at its end.
    Text(String),
    /// From the list at this place, so many are taken out and these are put in.
    Splice(usize, usize, Vec<Json>),
}

/// Collects the difference between two values.
#[derive(Default)]
pub(crate) struct Differ {
    at: Vec<Place>,
    steps: Vec<Step>,
}

/// Text at least so long is compared for what was appended to it.
const LONG: usize = 16;

impl Differ {
    pub(crate) fn end(self) -> Patch {
        Patch(self.steps)
    }

    /// Looks at the entry `name`.
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

    /// What is here is `json` now.
    pub(crate) fn to(&mut self, json: Json) {
        self.step(Op::To(json));
    }

    /// What was here is gone.
    pub(crate) fn gone(&mut self) {
        self.step(Op::Gone);
    }

    /// Notes how `next` differs from `base`, or just `next` where that is shorter.
    pub(crate) fn compare(&mut self, base: &Json, next: &Json) {
        let before = self.steps.len();
        self.json(base, next);
        let steps = &self.steps[before..];
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
        let front = base.iter().zip(next).take_while(same).count();
        let (base, next) = (&base[front..], &next[front..]);
        let back = base.iter().rev().zip(next.iter().rev()).take_while(same).count();
        let (base, next) = (&base[..base.len() - back], &next[..next.len() - back]);
        if base.len() != next.len() {
            self.step(Op::Splice(front, base.len(), next.to_vec()));
            return;
        }
        for (place, (base, next)) in base.iter().zip(next).enumerate() {
            self.at.push(Place::At(front + place));
            self.json(base, next);
            self.at.pop();
        }
    }

    fn step(&mut self, op: Op) {
        self.steps.push(Step(self.at.clone(), op));
    }
}

/// How many bytes it takes.
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
    /// Makes the changes to `json`; tells whether they all could be made.
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
