//! A worker's output that is still being produced while the next worker reads it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::Stream;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Data;

/// The items of a worker that returned `impl Stream<Item = T>`, in the order it gives them.
///
/// Nothing is produced before somebody reads: the reader's polls drive the producer. Every clone
/// reads from the first item on, so several workers may consume one stream; items are kept until
/// the last clone is dropped (the run holds one as the worker's output). Once it has ended, a
/// stream is data like a list, and can be written as JSON; before that it cannot. A worker that
/// hands on the stream that it was given returns `items.boxed()`.
///
/// ```
/// use ddg_core::ItemStream;
/// use futures::StreamExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let numbers = ItemStream::new(futures::stream::iter(1..=3));
/// assert_eq!(numbers.clone().collect::<Vec<i32>>().await, [1, 2, 3]);
/// assert_eq!(numbers.fold(0, async |sum, n| sum + n).await, 6);
/// # }
/// ```
pub struct ItemStream<T> {
    source: Arc<Mutex<Source<T>>>,
    read: usize,
}

struct Source<T> {
    /// `None` once it has ended.
    producer: Option<Pin<Box<dyn Stream<Item = T> + Send>>>,
    items: Vec<T>,
    /// Readers that wait for the next item.
    waiting: Vec<Waker>,
}

impl<T> ItemStream<T> {
    /// Reads from `producer`, when somebody reads.
    pub fn new(producer: impl Stream<Item = T> + Send + 'static) -> Self {
        Self::of(Some(Box::pin(producer)), Vec::new())
    }

    fn of(producer: Option<Pin<Box<dyn Stream<Item = T> + Send>>>, items: Vec<T>) -> Self {
        let source = Source { producer, items, waiting: Vec::new() };
        Self { source: Arc::new(Mutex::new(source)), read: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Source<T>> {
        // A producer that panicked leaves the items it gave; the stream ends there.
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Source<T> {
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(mut producer) = self.producer.take() else {
            return Poll::Ready(false);
        };
        // A panic leaves `producer` dropped, which is the end of the stream.
        match producer.as_mut().poll_next(cx) {
            Poll::Ready(Some(item)) => {
                self.items.push(item);
                self.producer = Some(producer);
            }
            Poll::Ready(None) => {}
            Poll::Pending => {
                self.producer = Some(producer);
                if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    self.waiting.push(cx.waker().clone());
                }
                return Poll::Pending;
            }
        }
        self.waiting.drain(..).for_each(Waker::wake);
        Poll::Ready(true)
    }
}

impl<T: Clone> Stream for ItemStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let read = self.read;
        let next = {
            let mut source = self.lock();
            loop {
                if let Some(item) = source.items.get(read) {
                    break Some(item.clone());
                }
                match source.poll_more(cx) {
                    Poll::Ready(true) => {}
                    Poll::Ready(false) => break None,
                    Poll::Pending => return Poll::Pending,
                }
            }
        };
        self.read += usize::from(next.is_some());
        Poll::Ready(next)
    }
}

impl<T> Clone for ItemStream<T> {
    /// Another reader, at the first item.
    fn clone(&self) -> Self {
        Self { source: Arc::clone(&self.source), read: 0 }
    }
}

impl<T> fmt::Debug for ItemStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.lock();
        let more = if source.producer.is_some() { ", more to come" } else { "" };
        write!(f, "ItemStream<{}>({} items{more})", std::any::type_name::<T>(), source.items.len())
    }
}

impl<T: Data> Serialize for ItemStream<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = self.lock();
        if source.producer.is_some() {
            return Err(serde::ser::Error::custom(
                "the stream has not ended: let a worker read it to its end first",
            ));
        }
        source.items.serialize(serializer)
    }
}

impl<'de, T: Data> Deserialize<'de> for ItemStream<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(None, Vec::deserialize(deserializer)?))
    }
}
