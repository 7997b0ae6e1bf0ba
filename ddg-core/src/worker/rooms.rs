//! Memory of futures that have ended, for those of the next calls.

use std::future::Future;
use std::task::{Context as TaskContext, Poll};

use tokio_util::sync::ReusableBoxFuture;

use super::{CallEnd, Started};

/// The future of a call.
pub(crate) type Call = ReusableBoxFuture<'static, CallEnd>;

/// The memory of futures that ended at their first poll, one per class of sizes. A chain of workers
/// whose futures are alike needs one allocation for all of them.
#[derive(Default)]
pub(crate) struct Rooms([Option<Call>; CLASSES]);

const CLASSES: usize = 4;

/// The class of a size, if futures of this size are kept. Larger ones cost more to hold than to
/// allocate.
const fn class(size: usize) -> Option<usize> {
    match size {
        0..=64 => Some(0),
        65..=128 => Some(1),
        129..=256 => Some(2),
        257..=512 => Some(3),
        _ => None,
    }
}

impl Rooms {
    /// Puts `future` into a room and polls it once. If it waits, it takes the room with it.
    #[inline]
    pub(super) fn begin<F: Future<Output = CallEnd> + Send + 'static>(
        &mut self,
        future: F,
        task: &mut TaskContext<'_>,
    ) -> Started {
        let Some(class) = (const { class(size_of::<F>()) }) else {
            let mut call = Call::new(future);
            return match call.poll(task) {
                Poll::Ready(end) => Started::Ended(end),
                Poll::Pending => Started::Async(call),
            };
        };
        let room = &mut self.0[class];
        let call = match room {
            Some(call) => {
                call.set(future);
                call
            }
            None => room.insert(Call::new(future)),
        };
        // Not taken out meanwhile: who catches a panic of the future clears the rooms.
        match call.poll(task) {
            Poll::Ready(end) => Started::Ended(end),
            Poll::Pending => match room.take() {
                Some(call) => Started::Async(call),
                None => unreachable!("it was filled above"),
            },
        }
    }
}
