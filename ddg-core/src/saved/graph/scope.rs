//! Scopes: where added workers are resolved, namely in the declarations around them.

use std::sync::Arc;

use super::{GrownAutoma, Is};
use crate::automa::{Declarations, Digest, Program, digest_of_worker};
use crate::graph::EditError;
use crate::key::Key;
use crate::path::WorkerPath;
use crate::saved::fingerprint::signature_of;
use crate::saved::{DeclarationDiff, SnapshotError};
use crate::values::{NotSerializable, short_name};
use crate::worker::{AnyWorker, Body};

/// Maximum depth of automata whose graphs the run has changed or created.
const MOST_LEVELS: usize = 16;

/// The declarations around a worker, innermost first.
pub(in crate::saved) struct Scope<'a> {
    /// The automa that was run.
    automa: &'a str,
    /// The declared graph that the worker was added to; `None` if the run created that graph.
    base: Option<&'a Program>,
    outer: Option<&'a Scope<'a>>,
    /// The declarations around the automa that was run, innermost first.
    around: &'a [Arc<Program>],
    /// The path of the nested automa.
    path: Option<Arc<WorkerPath>>,
    levels: usize,
}

impl<'a> Scope<'a> {
    pub(in crate::saved) fn top(names: Declarations<'a>) -> Self {
        let Declarations { program: base, around } = names;
        Self { automa: base.automa(), base: Some(base), outer: None, around, path: None, levels: 0 }
    }

    /// The scope of the nested automa `key`.
    pub(super) fn inner<'b>(
        &'b self,
        key: &Key,
        base: Option<&'b Program>,
    ) -> Result<Scope<'b>, SnapshotError> {
        let levels = self.levels + 1;
        if levels > MOST_LEVELS {
            let (worker, what) = (self.path_to(key), "the graph that the run has made of it");
            let automa = self.automa.to_owned();
            return Err(SnapshotError::TooDeep { automa, worker, what, levels: MOST_LEVELS });
        }
        let path = Some(Arc::new(self.path_to(key)));
        let (automa, around) = (self.automa, self.around);
        Ok(Scope { automa, base, outer: Some(self), around, path, levels })
    }

    /// Finds out how a worker will be resolved.
    pub(super) fn find(&self, body: &Body) -> Result<Is, SnapshotError> {
        let inner = self.inner(&body.role.key, None)?;
        if self.base.is_some()
            && let Some(name) = &body.declared
        {
            let declared = self.declared(name).map_or(0, |declared| declared.callbacks.len());
            if body.callbacks.len() > declared {
                return Err(inner.unfindable(CALLBACKS));
            }
            return Ok(Is::Declared(name.clone()));
        }
        if !body.callbacks.is_empty() {
            return Err(inner.unfindable(CALLBACKS));
        }
        // An automa that was changed inside one that the run has created is saved as its content.
        let is_part_of_what_is_made = self.base.is_none() && body.worker.0.view().is_some();
        for base in self.bases() {
            if let Some((name, ty)) = base.registry.type_of(&body.worker) {
                let config = ty.config(&body.worker);
                let config = config.map_err(|source| {
                    let type_name = inner.type_name(&body.worker);
                    let source = NotSerializable { type_name, source };
                    self.not_writable(&body.role.key, "its configuration", source)
                })?;
                return Ok(Is::Registered { name: name.clone(), config });
            }
            if !is_part_of_what_is_made && let Some(name) = base.name_of(&body.worker) {
                return Ok(Is::SameAs(name.clone()));
            }
        }
        let Some(automa) = body.worker.0.automa() else {
            return Err(inner.unfindable(&match body.worker.0.own_type() {
                Some(_) => format!(
                    "its type is not registered; register it with \
                     `register_worker::<{0}>(\"a name\")`",
                    inner.type_name(&body.worker)
                ),
                None => "it is a function that is not declared; declare it with `declare_func`, \
                         and add it by that name"
                    .to_owned(),
            }));
        };
        let made = match (body.worker.0.view(), automa.compiled()) {
            (Some(view), _) => GrownAutoma::of(automa, view, &inner)?,
            (None, Ok(declared)) => GrownAutoma::of(automa, &declared.view(), &inner)?,
            (None, Err(_)) => return Err(self.unknown(&body.role.key)),
        };
        Ok(Is::Automa(Box::new(made)))
    }

    /// Resolves the worker `key`.
    pub(super) fn get(&self, key: &Key, is: &Is) -> Result<AnyWorker, SnapshotError> {
        let not_found = |how: String| SnapshotError::NotFound {
            automa: self.automa.to_owned(),
            worker: self.path_to(key),
            how,
        };
        match is {
            Is::Declared(name) | Is::SameAs(name) => {
                self.declared(name).map(|body| body.worker.clone()).ok_or_else(|| {
                    not_found(format!(
                        "it was declared as `{name}`, but no longer is: declare it again under \
                         this name"
                    ))
                })
            }
            Is::Registered { name, config } => {
                let ty = self.bases().find_map(|base| base.registry.worker_type(name));
                let ty = ty.ok_or_else(|| {
                    not_found(format!(
                        "its type was registered as `{name}`, but no longer is: register it again \
                         with `register_worker`"
                    ))
                })?;
                ty.make(config.clone()).map_err(|source| SnapshotError::Config {
                    automa: self.automa.to_owned(),
                    worker: self.path_to(key),
                    name: name.clone(),
                    source,
                })
            }
            Is::Automa(automa) => automa.make(&self.inner(key, None)?).map(AnyWorker::new),
        }
    }

    /// The hash of a worker's signature, if the snapshot does not determine the signature itself.
    pub(super) fn looks(&self, is: &Is, worker: &AnyWorker) -> Option<Digest> {
        match is {
            Is::Declared(name) => {
                self.bases().find(|base| base.declared(name).is_some())?.digest_of(name)
            }
            Is::SameAs(_) | Is::Registered { .. } => Some(digest_of_worker(worker.origin())),
            Is::Automa(_) => None,
        }
    }

    pub(super) fn looks_different(&self, key: &Key, is: &Is, worker: &AnyWorker) -> SnapshotError {
        let now = match is {
            Is::Declared(name) => self.declared(name).map(|body| signature_of(&body)),
            _ => None,
        };
        let now = now.unwrap_or_else(|| {
            signature_of(&Body::new(key, worker.clone(), Default::default(), &mut Vec::new()))
        });
        let worker = self.path_to(key).to_string().into();
        let differences = vec![DeclarationDiff::Signature { worker, now }];
        SnapshotError::Redeclared { automa: self.automa.to_owned(), differences }
    }

    /// The worker that is declared as `name` here or in an automa around.
    pub(super) fn declared(&self, name: &Key) -> Option<Arc<Body>> {
        self.bases().find_map(|base| base.declared(name)).cloned()
    }

    /// The declared graphs around, innermost first.
    fn bases(&self) -> impl Iterator<Item = &'a Program> {
        let mut scope: Option<&Scope<'a>> = Some(self);
        let mut bases = Vec::new();
        while let Some(at) = scope {
            bases.extend(at.base);
            scope = at.outer;
        }
        bases.into_iter().chain(self.around.iter().map(|base| &**base))
    }

    fn type_name(&self, worker: &AnyWorker) -> String {
        short_name(worker.0.own_type().unwrap_or_default())
    }

    fn path_to(&self, key: &Key) -> WorkerPath {
        WorkerPath::new(self.path.clone(), key.clone())
    }

    /// The error for a worker of this scope that cannot be resolved again.
    pub(super) fn unfindable(&self, how: &str) -> SnapshotError {
        let worker = match &self.path {
            Some(path) => (**path).clone(),
            None => WorkerPath::new(None, Key::from(self.automa)),
        };
        SnapshotError::Unfindable { automa: self.automa.to_owned(), worker, how: how.to_owned() }
    }

    pub(super) fn not_writable(
        &self,
        key: &Key,
        what: &'static str,
        source: NotSerializable,
    ) -> SnapshotError {
        let worker = self.path_to(key).to_string().into();
        SnapshotError::NotSerializable { automa: self.automa.to_owned(), worker, what, source }
    }

    pub(super) fn unknown(&self, key: &Key) -> SnapshotError {
        let key = self.path_to(key).to_string().into();
        SnapshotError::UnknownWorker { automa: self.automa.to_owned(), key }
    }

    pub(super) fn misfit(&self, source: EditError) -> SnapshotError {
        SnapshotError::Misfit { automa: self.automa.to_owned(), source: source.into() }
    }
}

const CALLBACKS: &str =
    "it has callbacks of its own; add them to the automa, or where it is declared";
