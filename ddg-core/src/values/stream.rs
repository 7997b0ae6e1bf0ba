//! A worker's output that other workers read while it is still being produced.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::Stream;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ty::short_name;

/// The output of a worker that returns `impl Stream<Item = T>`. Any number of readers take the
/// items from it, in the order in which the worker produces them.
///
/// The readers' polls drive the producer, so nothing is produced before somebody reads. Every
/// [reader](Self::items) starts at the first item; items are kept until the last handle and the
/// last reader are dropped. (The run holds a handle as the worker's output.) A stream that has
/// ended can be serialised like a list; before its end, serialising it fails. If the producer
/// panics, every reader that reaches that point panics too, which fails its worker.
///
/// ```
/// use ddg_core::values::ItemStream;
/// use futures::StreamExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let numbers = ItemStream::new(futures::stream::iter(1..=3));
/// assert_eq!(numbers.items().collect::<Vec<i32>>().await, [1, 2, 3]);
/// assert_eq!(numbers.items().fold(0, async |sum, n| sum + n).await, 6);
/// # }
/// ```
pub struct ItemStream<T> {
    source: Arc<Mutex<Source<T>>>,
}

/// A reader of an [`ItemStream`]: a [`Stream`] of its items, starting with the first.
pub struct Items<T> {
    source: Arc<Mutex<Source<T>>>,
    read: usize,
}

struct Source<T> {
    producer: Producer<T>,
    items: Vec<T>,
    waiting: Arc<Waiting>,
}

enum Producer<T> {
    Going(Pin<Box<dyn Stream<Item = T> + Send>>),
    Ended,
    /// The producer has panicked, or is being polled.
    Broken,
}

/// The readers that wait for the next item. All of them are woken, because the one that polled the
/// producer last may have been dropped.
#[derive(Default)]
struct Waiting(Mutex<Vec<Waker>>);

impl Waiting {
    fn add(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|have| have.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn remove(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|have| !have.will_wake(waker));
    }

    fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

impl<T> ItemStream<T> {
    /// Creates a stream that is read from `producer` as readers ask for items.
    pub fn new(producer: impl Stream<Item = T> + Send + 'static) -> Self {
        Self::of(Producer::Going(Box::pin(producer)), Vec::new())
    }

    fn of(producer: Producer<T>, items: Vec<T>) -> Self {
        let source = Source { producer, items, waiting: Arc::default() };
        Self { source: Arc::new(Mutex::new(source)) }
    }

    /// Creates a reader that starts at the first item.
    pub fn items(&self) -> Items<T> {
        Items { source: Arc::clone(&self.source), read: 0 }
    }
}

/// Locks the source. If the producer panicked during an earlier poll, it is `Broken`.
fn lock<T>(source: &Mutex<Source<T>>) -> MutexGuard<'_, Source<T>> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Source<T> {
    /// Polls the producer for one more item. Ready with whether there was one.
    fn poll_more(&mut self, cx: &Context<'_>) -> Poll<bool> {
        let mut producer = match std::mem::replace(&mut self.producer, Producer::Broken) {
            Producer::Going(producer) => producer,
            Producer::Ended => {
                self.producer = Producer::Ended;
                return Poll::Ready(false);
            }
            // A stream without its end must not pass for a complete one.
            Producer::Broken => panic!("the producer of this stream has panicked"),
        };
        self.waiting.add(cx.waker());
        // The producer wakes all readers rather than the one that happened to poll it.
        let waker = Waker::from(Arc::clone(&self.waiting));
        // If the producer panics, it stays `Broken` and dropping this guard wakes all readers.
        let woken = WakeAll(&self.waiting);
        let polled = producer.as_mut().poll_next(&mut Context::from_waker(&waker));
        match polled {
            Poll::Ready(Some(item)) => {
                self.waiting.remove(cx.waker());
                self.items.push(item);
                self.producer = Producer::Going(producer);
            }
            Poll::Ready(None) => self.producer = Producer::Ended,
            Poll::Pending => {
                std::mem::forget(woken);
                self.producer = Producer::Going(producer);
                return Poll::Pending;
            }
        }
        Poll::Ready(true)
    }
}

/// Wakes all readers when dropped.
struct WakeAll<'a>(&'a Waiting);

impl Drop for WakeAll<'_> {
    fn drop(&mut self) {
        self.0.wake_all();
    }
}

impl<T: Clone> Stream for Items<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let read = self.read;
        let next = {
            let mut source = lock(&self.source);
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
    fn clone(&self) -> Self {
        Self { source: Arc::clone(&self.source) }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items<{}>(at {})", short_name(std::any::type_name::<T>()), self.read)
    }
}

impl<T> fmt::Debug for ItemStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = lock(&self.source);
        let more = match source.producer {
            Producer::Going(_) => ", more to come",
            Producer::Ended => "",
            Producer::Broken => ", broken",
        };
        let ty = short_name(std::any::type_name::<T>());
        write!(f, "ItemStream<{ty}>({} produced{more})", source.items.len())
    }
}

impl<T: Serialize> Serialize for ItemStream<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = lock(&self.source);
        match source.producer {
            Producer::Ended => {}
            Producer::Going(_) => {
                return Err(serde::ser::Error::custom(
                    "the stream has not ended: let a worker read it to its end first",
                ));
            }
            Producer::Broken => {
                return Err(serde::ser::Error::custom("the producer of the stream has panicked"));
            }
        }
        source.items.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ItemStream<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(Producer::Ended, Vec::deserialize(deserializer)?))
    }
}
