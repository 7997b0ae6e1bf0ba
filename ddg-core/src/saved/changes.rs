//! The delta between two saved states.
//!
//! An unchanged value costs one comparison of pointers, however large it is. Only changed values
//! are serialised.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;

use super::fingerprint::Fingerprint;
use super::graph::Grown;
use super::patch::{Differ, Patch};
use super::{KickoffPath, Progress, Saved, SnapshotError};
use crate::key::Key;
use crate::machine::{Interrupted, Mail};
use crate::values::{NotSerializable, Value};

/// A part of a state.
trait Part {
    fn json(&self) -> Result<Json, Unwritable>;

    /// Whether both are the same value, as far as that can be told without serialising them.
    fn is_same(&self, base: &Self) -> bool;

    /// Records how this differs from `base`.
    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable>;
}

/// A value has no JSON form. Only when this is reported, the value is searched for.
struct Unwritable;

impl Saved {
    /// The delta since `base`.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub(crate) fn changes_since(&self, base: &Self) -> Result<Patch, SnapshotError> {
        // Nearly everything that is ready to run is new and will be serialised, so it is checked
        // here.
        self.check_next()?;
        let mut differ = Differ::default();
        match self.since(base, &mut differ, true) {
            Ok(()) => Ok(differ.end()),
            Err(Unwritable) => Err(self.unwritable(base)),
        }
    }

    /// Adds to `differ` how the run itself differs from `base`, apart from what has progressed in
    /// it.
    ///
    /// # Errors
    /// If a value has no JSON form. `differ` is then as it was.
    pub(crate) fn steps_since(
        &self,
        base: &Self,
        differ: &mut Differ,
    ) -> Result<(), SnapshotError> {
        self.check_next()?;
        let before = differ.mark();
        self.since(base, differ, false).map_err(|Unwritable| {
            differ.back_to(before);
            self.unwritable(base)
        })
    }

    /// The error for a value that has no JSON form.
    fn unwritable(&self, base: &Self) -> SnapshotError {
        let named = base.check_json().and_then(|()| self.check_json());
        let step = base.step;
        named.err().unwrap_or(SnapshotError::NotFollowing { step, source: None })
    }

    fn since(
        &self,
        base: &Self,
        differ: &mut Differ,
        with_progress: bool,
    ) -> Result<(), Unwritable> {
        let Self {
            automa,
            step,
            next_kickoff,
            declared,
            graph,
            inputs,
            due,
            crossed,
            outputs,
            departed,
            dealt,
            locals,
            kept,
            output_worker,
            result,
            interrupted,
            answered,
            held,
            after_nobody,
            latest,
            running,
            progress,
            stopping,
            extra,
            total_steps,
            mail,
            only,
        } = self;
        let only = only.as_ref();
        field(differ, "automa", &Data(automa), &Data(&base.automa))?;
        field(differ, "step", &Data(step), &Data(&base.step))?;
        field(differ, "next_kickoff", &Data(next_kickoff), &Data(&base.next_kickoff))?;
        match (only, declared, &base.declared) {
            (Some(_), None, _) => {}
            (Some(_), Some(declared), Some(base)) => marks(differ, declared, base)?,
            _ if *declared == base.declared => {}
            _ => optional(differ, "declared", declared.as_ref(), base.declared.as_ref())?,
        }
        let grown = |graph| (!Grown::is_empty(graph)).then_some(graph);
        optional(differ, "graph", grown(graph), grown(&base.graph))?;
        if !are_same(inputs, &base.inputs) {
            field(differ, "inputs", &Data(inputs), &Data(&base.inputs))?;
        }
        field(differ, "due", &Data(due), &Data(&base.due))?;
        by_worker(differ, "crossed", crossed, &base.crossed, only)?;
        by_worker(differ, "outputs", outputs, &base.outputs, only)?;
        by_worker(differ, "dealt", dealt, &base.dealt, only)?;
        by_worker(differ, "locals", locals, &base.locals, only)?;
        field(differ, "output_worker", &Data(output_worker), &Data(&base.output_worker))?;
        field(differ, "result", result, &base.result)?;
        let entries = |map| (!BTreeMap::is_empty(map)).then_some(map);
        optional(differ, "kept", entries(kept), entries(&base.kept))?;
        optional(differ, "interrupted", items(interrupted), items(&base.interrupted))?;
        optional(differ, "answered", items(answered), items(&base.answered))?;
        optional(differ, "held", items(held), items(&base.held))?;
        optional(differ, "after_nobody", items(after_nobody), items(&base.after_nobody))?;
        let entries = |map| (!BTreeMap::is_empty(map)).then_some(map);
        optional(differ, "latest", entries(latest), entries(&base.latest))?;
        let some = |mail| (!Mail::is_empty(mail)).then_some(mail);
        optional(differ, "mail", some(mail), some(&base.mail))?;
        departed_since(differ, departed, &base.departed, only)?;
        let entries = |map| (!BTreeMap::is_empty(map)).then_some(map);
        optional_part(differ, "running", entries(running), entries(&base.running))?;
        let is_set = |flag: &bool| flag.then_some(true);
        optional(differ, "stopping", is_set(stopping).as_ref(), is_set(&base.stopping).as_ref())?;
        let more = |number: &u64| (*number > 0).then_some(*number);
        optional(differ, "extra", more(extra).as_ref(), more(&base.extra).as_ref())?;
        let (total, base_total) = (more(total_steps), more(&base.total_steps));
        optional(differ, "total_steps", total.as_ref(), base_total.as_ref())?;
        if !with_progress {
            return Ok(());
        }
        let entries = |map| (!BTreeMap::is_empty(map)).then_some(map);
        optional_part(differ, "progress", entries(progress), entries(&base.progress))
    }
}

/// A list that is only written if it is not empty.
fn items<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

/// Whether both are the same inputs.
fn are_same<N: PartialEq>(one: &[(N, Value)], other: &[(N, Value)]) -> bool {
    let is_same = |((name, value), (other_name, other)): (&(N, Value), &(N, Value))| {
        name == other_name && value.is_same(other)
    };
    one.len() == other.len() && one.iter().zip(other).all(is_same)
}

fn field<P: Part>(differ: &mut Differ, name: &str, next: &P, base: &P) -> Result<(), Unwritable> {
    differ.within(name, |differ| next.since(base, differ))
}

/// A map by worker, or the part of it that is about the workers `only`.
fn by_worker<P: Part>(
    differ: &mut Differ,
    name: &str,
    next: &BTreeMap<Key, P>,
    base: &BTreeMap<Key, P>,
    only: Option<&BTreeSet<Key>>,
) -> Result<(), Unwritable> {
    let Some(only) = only else { return field(differ, name, next, base) };
    differ.within(name, |differ| {
        only.iter().try_for_each(|key| match (next.get(key), base.get(key)) {
            (Some(next), Some(base)) if next.is_same(base) => Ok(()),
            (next, base) => optional_part(differ, key.as_str(), next, base),
        })
    })
}

/// The outputs of removed workers, which are only written if there are any.
fn departed_since(
    differ: &mut Differ,
    next: &BTreeMap<Key, Value>,
    base: &BTreeMap<Key, Value>,
    only: Option<&BTreeSet<Key>>,
) -> Result<(), Unwritable> {
    let n_left = match only {
        None => next.len(),
        Some(only) => {
            base.len() + next.len() - only.iter().filter(|key| base.contains_key(*key)).count()
        }
    };
    match (base.is_empty(), n_left == 0) {
        (false, false) => by_worker(differ, "departed", next, base, only),
        (true, true) => Ok(()),
        (true, false) => {
            let all = next.json()?;
            differ.within("departed", |differ| differ.to(all));
            Ok(())
        }
        (false, true) => {
            differ.within("departed", Differ::gone);
            Ok(())
        }
    }
}

/// The marks of workers that have been reached since.
fn marks(differ: &mut Differ, next: &Fingerprint, base: &Fingerprint) -> Result<(), Unwritable> {
    let mut marks = next.marks_since(base);
    differ.within("declared", |differ| {
        differ.within("marks", |differ| {
            marks.try_for_each(|(key, mark)| {
                let json = Data(mark).json()?;
                differ.within(key.as_str(), |differ| differ.to(json));
                Ok(())
            })
        })
    })
}

/// A field that is only written if it is present.
fn optional<T: Serialize + ?Sized>(
    differ: &mut Differ,
    name: &str,
    next: Option<&T>,
    base: Option<&T>,
) -> Result<(), Unwritable> {
    optional_part(differ, name, next.map(Data).as_ref(), base.map(Data).as_ref())
}

/// Compares values part by part.
fn optional_part<P: Part>(
    differ: &mut Differ,
    name: &str,
    next: Option<&P>,
    base: Option<&P>,
) -> Result<(), Unwritable> {
    differ.within(name, |differ| match (next, base) {
        (None, None) => Ok(()),
        (None, Some(_)) => {
            differ.gone();
            Ok(())
        }
        (Some(next), None) => {
            differ.to(next.json()?);
            Ok(())
        }
        (Some(next), Some(base)) => next.since(base, differ),
    })
}

/// Compared by its JSON.
struct Data<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Part for Data<'_, T> {
    fn json(&self) -> Result<Json, Unwritable> {
        serde_json::to_value(self.0).map_err(|_| Unwritable)
    }

    fn is_same(&self, _: &Self) -> bool {
        false
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        differ.compare(&base.json()?, &self.json()?);
        Ok(())
    }
}

impl Part for Value {
    fn json(&self) -> Result<Json, Unwritable> {
        self.written().map_err(|NotSerializable { .. }| Unwritable)
    }

    fn is_same(&self, base: &Self) -> bool {
        Self::is_same(self, base)
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        if Self::is_same(self, base) {
            return Ok(());
        }
        if let (Some(next), Some(base)) = (self.items(), base.items()) {
            return items_since(next, base, differ);
        }
        differ.compare(&base.json()?, &self.json()?);
        Ok(())
    }
}

/// Compares two lists of values element by element. Values that are the same cost one comparison
/// of pointers, so a long list that has grown costs what was added to it.
fn items_since(next: &[Value], base: &[Value], differ: &mut Differ) -> Result<(), Unwritable> {
    for (place, (next, base)) in next.iter().zip(base).enumerate() {
        if !Value::is_same(next, base) {
            differ.at(place, |differ| next.since(base, differ))?;
        }
    }
    let n_common = next.len().min(base.len());
    if next.len() != base.len() {
        let added = next[n_common..].iter().map(Part::json).collect::<Result<_, _>>()?;
        differ.splice(n_common, base.len() - n_common, added);
    }
    Ok(())
}

impl Part for Interrupted<Key, Saved> {
    fn json(&self) -> Result<Json, Unwritable> {
        Data(self).json()
    }

    fn is_same(&self, base: &Self) -> bool {
        // What a kickoff was called with does not change while it runs.
        (&self.worker, self.step, &self.cause) == (&base.worker, base.step, &base.cause)
            && self.args.is_same(&base.args)
            && self.answers.len() == base.answers.len()
            && self.answers.iter().zip(&base.answers).all(|(one, other)| one.is_same(other))
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        Data(self).since(&Data(base), differ)
    }
}

impl Part for Progress {
    fn json(&self) -> Result<Json, Unwritable> {
        Data(self).json()
    }

    fn is_same(&self, _: &Self) -> bool {
        false
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        match (self, base) {
            (Self::Inner { worker, run }, Self::Inner { worker: before, run: base })
                if worker == before =>
            {
                differ.within("inner", |inner| {
                    inner.within("run", |run_| run.since(base, run_, true))
                })
            }
            _ => Data(self).since(&Data(base), differ),
        }
    }
}

impl Part for Vec<Key> {
    fn json(&self) -> Result<Json, Unwritable> {
        Data(self).json()
    }

    fn is_same(&self, base: &Self) -> bool {
        self == base
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        Data(self).since(&Data(base), differ)
    }
}

/// A key of a map, as the name of its entry.
trait Name: Ord {
    fn name(&self) -> Cow<'_, str>;
}

impl Name for Key {
    fn name(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Name for String {
    fn name(&self) -> Cow<'_, str> {
        self.into()
    }
}

impl Name for u64 {
    fn name(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl Name for KickoffPath {
    fn name(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl<K: Name, P: Part> Part for BTreeMap<K, P> {
    fn json(&self) -> Result<Json, Unwritable> {
        let entry = |(key, part): (&K, &P)| Ok((key.name().into_owned(), part.json()?));
        self.iter().map(entry).collect()
    }

    fn is_same(&self, base: &Self) -> bool {
        let is_same =
            |((key, part), (other, base)): ((&K, &P), (&K, &P))| key == other && part.is_same(base);
        self.len() == base.len() && self.iter().zip(base).all(is_same)
    }

    /// Walks through both lists in parallel.
    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        let mut base = base.iter().peekable();
        for (key, part) in self {
            while let Some((gone, _)) = base.next_if(|(other, _)| *other < key) {
                differ.within(gone.name(), Differ::gone);
            }
            match base.next_if(|(other, _)| *other == key) {
                Some((_, base)) if part.is_same(base) => {}
                Some((_, base)) => {
                    differ.within(key.name(), |differ| part.since(base, differ))?;
                }
                None => {
                    let json = part.json()?;
                    differ.within(key.name(), |differ| differ.to(json));
                }
            }
        }
        base.for_each(|(gone, _)| differ.within(gone.name(), Differ::gone));
        Ok(())
    }
}
