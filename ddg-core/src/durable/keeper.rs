//! Tasks on the background thread, which keep leases.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

use crate::checkpoint::background::runtime;

/// Spawns a task on the thread; `None` if the thread could not be started.
pub(super) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    let runtime = runtime();
    if runtime.is_none() {
        tracing::warn!("no thread could be started to renew leases: they will expire");
    }
    runtime.map(|runtime| runtime.spawn(task))
}

/// Waits for `duration` of real time, in any runtime or without one.
pub(crate) async fn sleep(duration: Duration) {
    if let Some(slept) = spawn(async move { tokio::time::sleep(duration).await }) {
        _ = AbortOnDropHandle::new(slept).await;
    }
}

/// Awaits `future`, which is completed in the background if this is dropped.
pub(crate) async fn whole<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    Carried::new(future, |_| std::future::ready(()).boxed()).await
}

/// A future that is completed on the thread if it is dropped; `settle` then gets its output.
pub(super) struct Carried<T: Send + 'static> {
    future: Option<BoxFuture<'static, T>>,
    settle: Option<Box<dyn FnOnce(T) -> BoxFuture<'static, ()> + Send>>,
}

impl<T: Send + 'static> Carried<T> {
    pub(super) fn new(
        future: impl Future<Output = T> + Send + 'static,
        settle: impl FnOnce(T) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> Self {
        Self { future: Some(future.boxed()), settle: Some(Box::new(settle)) }
    }
}

impl<T: Send + 'static> Unpin for Carried<T> {}

impl<T: Send + 'static> Future for Carried<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<T> {
        let future = self.future.as_mut().expect("not polled again after it was ready");
        let polled = future.poll_unpin(task);
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Carried<T> {
    fn drop(&mut self) {
        if let (Some(future), Some(settle)) = (self.future.take(), self.settle.take()) {
            spawn(async move { settle(future.await).await });
        }
    }
}
