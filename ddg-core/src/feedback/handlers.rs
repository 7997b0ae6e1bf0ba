//! Handlers of what workers post.

use std::any::{Any, TypeId};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::reply::ReplyTo;
use super::request::{Pending, name};
use super::{FeedbackError, Request};
use crate::context::Context;
use crate::path::WorkerPath;
use crate::values::{Data, Value, ValueType, literal_as_text};

/// A posted message of any type, as a default handler gets it. See
/// [`GraphAutoma::on_any_post`](crate::GraphAutoma::on_any_post).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Posted {
    /// The type of the message.
    pub ty: ValueType,
    /// The message.
    pub event: Value,
    /// The worker that posted it.
    pub from: WorkerPath,
    /// The right to reply, if the message is a [`Request`].
    pub reply: Option<ReplyTo<Value>>,
}

/// Handlers by type, and one for all other types.
#[derive(Clone, Default)]
pub(crate) struct Handlers(Option<Arc<Registered>>);

#[derive(Clone, Default)]
struct Registered {
    events: FxHashMap<TypeId, AnyHandler>,
    requests: FxHashMap<TypeId, AnyHandler>,
    other: Option<OtherHandler>,
}

/// An [`EventHandler`] or a [`RequestHandler`].
type AnyHandler = Arc<dyn Any + Send + Sync>;

type EventHandler<E> = Box<dyn Fn(E, &WorkerPath) + Send + Sync>;
type RequestHandler<E> = Box<dyn Fn(E, ReplyTo<<E as Request>::Reply>) + Send + Sync>;
type OtherHandler = Arc<dyn Fn(Posted) + Send + Sync>;

impl Handlers {
    pub(crate) fn on_post<E: Data>(
        &mut self,
        handle: impl Fn(E, &WorkerPath) + Send + Sync + 'static,
    ) {
        let handler: EventHandler<E> = Box::new(handle);
        self.registered().events.insert(TypeId::of::<E>(), Arc::new(handler));
    }

    pub(crate) fn on_request<E: Request>(
        &mut self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) {
        let handler: RequestHandler<E> = Box::new(handle);
        self.registered().requests.insert(TypeId::of::<E>(), Arc::new(handler));
    }

    pub(crate) fn on_any_post(&mut self, handle: impl Fn(Posted) + Send + Sync + 'static) {
        self.registered().other = Some(Arc::new(handle));
    }

    fn registered(&mut self) -> &mut Registered {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    fn event<E: Data>(&self) -> Option<&EventHandler<E>> {
        self.0.as_ref()?.events.get(&TypeId::of::<E>())?.downcast_ref()
    }

    fn request<E: Request>(&self) -> Option<&RequestHandler<E>> {
        self.0.as_ref()?.requests.get(&TypeId::of::<E>())?.downcast_ref()
    }

    fn other(&self) -> Option<&OtherHandler> {
        self.0.as_ref()?.other.as_ref()
    }

    /// Passes `event` to the first handler of its type, else to the first default handler. Returns
    /// whether there was one.
    pub(crate) fn post<E: Data>(all: [&Self; 2], cx: &Context, event: E) -> bool {
        let event = match literal_as_text(event) {
            Ok(text) => return Self::post(all, cx, text),
            Err(event) => event,
        };
        let from = cx.path();
        if let Some(handle) = all.iter().find_map(|handlers| handlers.event::<E>()) {
            guard(cx, || handle(event, &from));
        } else if let Some(handle) = all.iter().find_map(|handlers| handlers.other()) {
            let (ty, event) = (ValueType::of::<E>(), Value::new(event));
            guard(cx, || handle(Posted { ty, event, from, reply: None }));
        } else {
            return false;
        }
        true
    }

    /// Passes a request to its handler and returns the pending reply.
    ///
    /// # Errors
    /// If there is no handler, or the run has ended.
    pub(crate) fn request_from<E: Request>(
        all: [&Self; 2],
        cx: &Context,
        event: E,
    ) -> Result<Pending<E>, FeedbackError> {
        let pending = Pending::<E>::open(cx.core())?;
        let reply = ReplyTo::<E::Reply>::new(pending.slot(), cx.path());
        if let Some(handle) = all.iter().find_map(|handlers| handlers.request::<E>()) {
            guard(cx, || handle(event, reply));
        } else if let Some(handle) = all.iter().find_map(|handlers| handlers.other()) {
            let (ty, event) = (ValueType::of::<E>(), Value::new(event));
            let (from, reply) = (cx.path(), Some(reply.untyped()));
            guard(cx, || handle(Posted { ty, event, from, reply }));
        } else {
            return Err(FeedbackError::NoHandler { event: name::<E>() });
        }
        Ok(pending)
    }
}

/// Calls a handler. A panic is logged and does not affect the worker.
fn guard(cx: &Context, handle: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(handle)).is_err() {
        tracing::warn!(worker = %cx.path(), "the handler of an event panicked; the run continues");
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handlers")
    }
}
