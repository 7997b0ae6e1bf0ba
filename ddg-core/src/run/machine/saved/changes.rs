//! What has changed from one saved state to the next.
//!
//! A value that is still the very same one costs a comparison of two pointers, however large it
//! is; only values that are others now are written as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::Saved;
use crate::snapshot::{Differ, Patch, SnapshotError, json_of};
use crate::values::{NotSerializable, Value};

/// Something that a state is made of.
trait Part {
    fn json(&self) -> Result<Json, Unwritable>;

    /// Notes how this differs from what it was.
    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable>;
}

/// A value has no JSON form; which one is looked for when it is reported.
struct Unwritable;

impl Saved {
    /// What has changed since `base`.
    ///
    /// # Errors
    /// A value has no JSON form.
    pub(crate) fn changes_since(&self, base: &Self) -> Result<Patch, SnapshotError> {
        let mut differ = Differ::default();
        match self.since(base, &mut differ) {
            Ok(()) => Ok(differ.end()),
            Err(Unwritable) => {
                base.check_json()?;
                self.check_json()?;
                Err(SnapshotError::NotFollowing { step: base.step, source: None })
            }
        }
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
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
            dealt,
            locals,
            output_worker,
            result,
            interrupted,
        } = self;
        field(differ, "automa", &Data(automa), &Data(&base.automa))?;
        field(differ, "step", &Data(step), &Data(&base.step))?;
        field(differ, "next_kickoff", &Data(next_kickoff), &Data(&base.next_kickoff))?;
        if *declared != base.declared {
            optional(differ, "declared", declared.as_ref(), base.declared.as_ref())?;
        }
        let grown = |graph| (!crate::graph::Grown::is_empty(graph)).then_some(graph);
        optional(differ, "graph", grown(graph), grown(&base.graph))?;
        field(differ, "inputs", &Data(inputs), &Data(&base.inputs))?;
        field(differ, "due", &Data(due), &Data(&base.due))?;
        field(differ, "crossed", &Data(crossed), &Data(&base.crossed))?;
        field(differ, "outputs", outputs, &base.outputs)?;
        field(differ, "dealt", dealt, &base.dealt)?;
        field(differ, "locals", locals, &base.locals)?;
        field(differ, "output_worker", &Data(output_worker), &Data(&base.output_worker))?;
        field(differ, "result", result, &base.result)?;
        let waiting = |interrupted| (!<[_]>::is_empty(interrupted)).then_some(interrupted);
        optional(differ, "interrupted", waiting(interrupted), waiting(&base.interrupted))
    }
}

fn field<P: Part>(differ: &mut Differ, name: &str, next: &P, base: &P) -> Result<(), Unwritable> {
    differ.within(name, |differ| next.since(base, differ))
}

/// A field that is only written where it is there.
fn optional<T: Serialize + ?Sized>(
    differ: &mut Differ,
    name: &str,
    next: Option<&T>,
    base: Option<&T>,
) -> Result<(), Unwritable> {
    differ.within(name, |differ| match (next, base) {
        (None, None) => Ok(()),
        (None, Some(_)) => {
            differ.gone();
            Ok(())
        }
        (Some(next), None) => {
            differ.to(Data(next).json()?);
            Ok(())
        }
        (Some(next), Some(base)) => Data(next).since(&Data(base), differ),
    })
}

/// Compared as the JSON that it is written as.
struct Data<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Part for Data<'_, T> {
    fn json(&self) -> Result<Json, Unwritable> {
        serde_json::to_value(self.0).map_err(|_| Unwritable)
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        differ.compare(&base.json()?, &self.json()?);
        Ok(())
    }
}

impl Part for Value {
    fn json(&self) -> Result<Json, Unwritable> {
        json_of(self).map_err(|NotSerializable { .. }| Unwritable)
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        if !self.is_same(base) {
            differ.compare(&base.json()?, &self.json()?);
        }
        Ok(())
    }
}

impl<K: Ord + AsRef<str>, P: Part> Part for BTreeMap<K, P> {
    fn json(&self) -> Result<Json, Unwritable> {
        let entry = |(key, part): (&K, &P)| Ok((key.as_ref().to_owned(), part.json()?));
        self.iter().map(entry).collect()
    }

    fn since(&self, base: &Self, differ: &mut Differ) -> Result<(), Unwritable> {
        for key in base.keys().filter(|key| !self.contains_key(key)) {
            differ.within(key.as_ref(), Differ::gone);
        }
        for (key, part) in self {
            differ.within(key.as_ref(), |differ| {
                match base.get(key) {
                    Some(base) => part.since(base, differ)?,
                    None => differ.to(part.json()?),
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
