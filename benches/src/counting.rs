//! An allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::Relaxed};

/// The system's allocator, which counts while [`counted`] runs. To be set as the global one.
pub struct CountingAllocator;

/// What was allocated, on all threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocated {
    /// How often.
    pub count: usize,
    /// How many bytes, those included that were freed again.
    pub bytes: usize,
    /// How many bytes more than in the beginning were in use at a time.
    pub peak: usize,
}

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static IN_USE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

/// Counts what is allocated while `work` runs: by it, and by whatever else goes on.
pub async fn counted(work: impl Future<Output = ()>) -> Allocated {
    COUNT.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    IN_USE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
    work.await;
    COUNTING.store(false, Relaxed);
    let peak = PEAK.load(Relaxed).unsigned_abs();
    Allocated { count: COUNT.load(Relaxed), bytes: BYTES.load(Relaxed), peak }
}

fn count(size: usize, freed: usize) {
    COUNT.fetch_add(1, Relaxed);
    BYTES.fetch_add(size, Relaxed);
    let more = size as isize - freed as isize;
    PEAK.fetch_max(IN_USE.fetch_add(more, Relaxed) + more, Relaxed);
}

#[expect(unsafe_code, reason = "an allocator is unsafe; this one hands all on to the system's")]
// SAFETY: every call goes to `System` with the arguments it came with.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            count(layout.size(), 0);
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            count(layout.size(), 0);
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            count(size, layout.size());
        }
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if COUNTING.load(Relaxed) {
            IN_USE.fetch_sub(layout.size() as isize, Relaxed);
        }
        unsafe { System.dealloc(memory, layout) }
    }
}
