//! The values that an automa attaches to each of its runs.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::run::ActiveRun;

/// The functions that make the attachments of a run, by type. Each is called when its type is first
/// asked for.
#[derive(Clone, Default)]
pub(crate) struct Attachments(Vec<(TypeId, MakeAttachment)>);

/// Makes the attachment of a run.
pub(crate) type MakeAttachment = Arc<dyn Fn(&ActiveRun) -> AnyAttachment + Send + Sync>;

/// One attachment, of any type.
pub(crate) type AnyAttachment = Arc<dyn Any + Send + Sync>;

impl Attachments {
    /// Adds an attachment, which replaces another of the same type.
    pub(crate) fn add<T: Send + Sync + 'static>(
        &mut self,
        make: impl Fn(&ActiveRun) -> T + Send + Sync + 'static,
    ) {
        let ty = TypeId::of::<T>();
        self.0.retain(|(other, _)| *other != ty);
        self.0.push((ty, Arc::new(move |run| Arc::new(make(run)))));
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The function that makes the attachment of a type.
    pub(crate) fn find(&self, ty: TypeId) -> Option<&MakeAttachment> {
        self.0.iter().find(|(made, _)| *made == ty).map(|(_, make)| make)
    }
}
