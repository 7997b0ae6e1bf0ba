//! What the runs of an automa are given that is theirs alone.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::run::ActiveRun;

/// What is attached to runs when it is first asked for, by type.
#[derive(Clone, Default)]
pub(crate) struct Attachments(Vec<(TypeId, MakeAttachment)>);

/// Makes the attachment of a run.
pub(crate) type MakeAttachment = Arc<dyn Fn(&ActiveRun) -> AnyAttachment + Send + Sync>;

/// One attachment, of any type.
pub(crate) type AnyAttachment = Arc<dyn Any + Send + Sync>;

impl Attachments {
    /// Adds one, in place of another of the same type.
    pub(crate) fn add<T: Send + Sync + 'static>(
        &mut self,
        make: impl Fn(&ActiveRun) -> T + Send + Sync + 'static,
    ) {
        let ty = TypeId::of::<T>();
        self.0.retain(|(other, _)| *other != ty);
        self.0.push((ty, Arc::new(move |run| Arc::new(make(run)))));
    }

    /// What makes that of a type.
    pub(crate) fn find(&self, ty: TypeId) -> Option<&MakeAttachment> {
        self.0.iter().find(|(made, _)| *made == ty).map(|(_, make)| make)
    }
}
