//! The attachments of a run: values that live as long as the run and are not saved.

use std::any::TypeId;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures::future::{BoxFuture, join_all};
use tracing::Span;

use super::RunCore;
use crate::automa::{AnyAttachment, Attachments, MakeAttachment};
use crate::key::Key;
use crate::run::{ActiveRun, RunEnd};

/// The slot of one attachment, which is filled outside the lock: the function that makes an
/// attachment may ask for others.
type Slot = Arc<OnceLock<AnyAttachment>>;

/// The run around another, and the key of the other in it.
#[derive(Clone)]
pub(crate) struct Within {
    pub(crate) outer: Arc<RunCore>,
    pub(crate) key: Key,
}

/// The attachments of a run, each made once. Allocated when there are any.
#[derive(Default)]
pub(crate) struct Attached(OnceLock<Box<All>>);

#[derive(Default)]
struct All {
    /// The attachments of this run alone. They precede those of its automa of the same type.
    also: Attachments,
    made: Mutex<Made>,
    /// The span of the run.
    span: OnceLock<Span>,
}

#[derive(Default)]
struct Made {
    attachments: Vec<(TypeId, Slot)>,
    /// What is awaited before the run pauses.
    before_pause: Vec<BeforePause>,
    /// What is called with the end of the run.
    at_end: Vec<AtEnd>,
    /// How the run has ended.
    end: Option<RunEnd>,
    has_ended: bool,
}

/// Returns what is awaited before a run pauses.
type BeforePause = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Is called with the end of a run.
type AtEnd = Box<dyn FnOnce(&RunEnd) + Send>;

impl Attached {
    /// Adds attachments to a run that has not begun.
    pub(crate) fn make_also(&mut self, also: Attachments) {
        if !also.is_empty() {
            self.all();
            if let Some(all) = self.0.get_mut() {
                all.also = also;
            }
        }
    }

    fn all(&self) -> &All {
        self.0.get_or_init(Box::default)
    }

    /// The attachments of this run alone.
    fn also(&self) -> Option<&Attachments> {
        Some(&self.0.get()?.also)
    }

    /// Drops the attachments. From now on none is returned.
    fn end(&self) {
        let mut made = self.lock();
        made.has_ended = true;
        let attachments = std::mem::take(&mut made.attachments);
        let before_pause = std::mem::take(&mut made.before_pause);
        let at_end = std::mem::take(&mut made.at_end);
        let end = made.end.take().unwrap_or(RunEnd::Cancelled);
        drop(made);
        for tell in at_end {
            tell(&end);
        }
        // Outside the lock, because their destructors may use the run.
        drop((attachments, before_pause));
    }

    /// Adds something to await before the run pauses.
    pub(crate) fn before_pause(&self, wait: BeforePause) {
        let mut made = self.lock();
        if !made.has_ended {
            made.before_pause.push(wait);
        }
    }

    /// Adds something to call with the end of the run.
    pub(crate) fn at_end(&self, tell: AtEnd) {
        let mut made = self.lock();
        if !made.has_ended {
            made.at_end.push(tell);
        }
    }

    /// Records how the run has ended, if anything is to be told.
    pub(super) fn ends_as(&self, end: impl FnOnce() -> RunEnd) {
        if self.0.get().is_none() {
            return;
        }
        let mut made = self.lock();
        if !made.at_end.is_empty() {
            made.end = Some(end());
        }
    }

    /// Records the span of the run.
    pub(super) fn set_span(&self, span: &Span) {
        let span = if span.is_disabled() { Span::current() } else { span.clone() };
        _ = self.all().span.set(span);
    }

    /// The span of the run, or the one around it if the run has none.
    pub(crate) fn span(&self) -> Span {
        let span = self.0.get().and_then(|all| all.span.get());
        span.cloned().unwrap_or_else(Span::none)
    }

    /// Awaits what is to be awaited before the run pauses, or is left because it was stopped.
    pub(super) async fn pausing(&self) {
        if self.0.get().is_none() {
            return;
        }
        let waits = std::mem::take(&mut self.lock().before_pause);
        join_all(waits.into_iter().map(|wait| wait())).await;
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.all().made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunCore {
    /// Records the span of the run for its attachments, if it may have any.
    pub(super) fn keep_span(&self, span: &Span) {
        if self.may_have_attachments() {
            self.attached.set_span(span);
        }
    }

    fn may_have_attachments(&self) -> bool {
        !self.program.settings.attachments.is_empty() || self.attached.0.get().is_some()
    }

    /// Drops the attachments. From now on none is returned.
    pub(super) fn end_attachments(&self) {
        if self.may_have_attachments() {
            self.attached.end();
        }
    }

    /// The attachment of type `T` of this run, or of the nearest run around it that has one.
    pub(crate) fn attached<T: Send + Sync + 'static>(self: &Arc<Self>) -> Option<Arc<T>> {
        let ty = TypeId::of::<T>();
        let mut core = self;
        loop {
            let own = core.attached.also().and_then(|also| also.find(ty));
            match own.or_else(|| core.program.settings.attachments.find(ty)) {
                Some(make) => return core.made(ty, make)?.downcast().ok(),
                None => core = core.around_it()?,
            }
        }
    }

    /// The attachment of this type, made if it does not exist yet. `None` if the run has ended.
    fn made(self: &Arc<Self>, ty: TypeId, make: &MakeAttachment) -> Option<AnyAttachment> {
        let mut made = self.attached.lock();
        if made.has_ended {
            return None;
        }
        let found = made.attachments.iter().find(|(found, _)| *found == ty);
        let slot = match found {
            Some((_, slot)) => Arc::clone(slot),
            None => {
                let slot = Slot::default();
                made.attachments.push((ty, Arc::clone(&slot)));
                slot
            }
        };
        drop(made);
        Some(Arc::clone(slot.get_or_init(|| make(&ActiveRun::new(Arc::clone(self))))))
    }
}

impl fmt::Debug for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Within({})", self.key)
    }
}
