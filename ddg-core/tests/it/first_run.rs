//! Heavy workers that no run has seen before: no two wait for each other while a thread idles.
//!
//! Each worker keeps its thread until another one is there at the same time. On two threads that
//! needs no luck: whichever thread has a worker that waits, the other one must go and take the next.
//! Of an even number all meet, and none does if one thread has to run two of them in a row while the
//! other has nothing to do.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use ddg_core::prelude::*;

const HEAVY: usize = 64;

/// How often each case is tried, because the threads take the workers in another order each time.
const ROUNDS: usize = 20;

thread_local! {
    /// The time of a thread. It passes only while a worker computes.
    static TIME: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn clock() -> impl Fn() -> Instant + Send + Sync + 'static {
    let began = Instant::now();
    move || began + TIME.get()
}

/// Where workers meet, two at a time.
#[derive(Default)]
struct Meeting {
    state: Mutex<State>,
    met: Condvar,
}

#[derive(Default)]
struct State {
    n_met: usize,
    /// Whether one is there.
    waiting: bool,
    broken: bool,
}

impl Meeting {
    /// Keeps the thread until another worker is there.
    fn meet(&self) {
        let mut state = self.state.lock().unwrap();
        assert!(!state.broken, "an earlier one was left alone");
        if std::mem::take(&mut state.waiting) {
            state.n_met += 1;
            self.met.notify_all();
            return;
        }
        state.waiting = true;
        let n_before = state.n_met;
        // Only a run that is wrong takes that long.
        let longest = Duration::from_secs(20);
        let is_alone = |state: &mut State| state.n_met == n_before;
        let (mut state, waited) = self.met.wait_timeout_while(state, longest, is_alone).unwrap();
        state.broken |= waited.timed_out();
        assert!(!waited.timed_out(), "no other worker runs, as all wait for this one");
    }

    fn n_met(&self) -> usize {
        self.state.lock().unwrap().n_met
    }
}

/// Computes for a while, as the clock of the tests has it, until another one computes as well.
fn compute(meeting: &Meeting) {
    TIME.set(TIME.get() + Duration::from_micros(100));
    meeting.meet();
}

/// How the heavy workers are written.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Async,
    Inline,
}

/// Who kicks the heavy workers off.
#[derive(Clone, Copy, Debug)]
enum By {
    Start,
    Dependency,
    /// A ferry for each of them.
    Ferries,
    /// As many ferries to one of them.
    FerriesToOne,
}

/// Heavy workers that have never run, with light workers between them at the places `light`.
fn automa(meeting: &Arc<Meeting>, kind: Kind, by: By, light: &[usize]) -> GraphAutoma {
    let n_workers = HEAVY + light.len();
    let options = || match by {
        By::Start => start(),
        By::Dependency => after(["begin"]),
        By::Ferries | By::FerriesToOne => free(),
    };
    let mut automa = GraphAutoma::new("first run");
    let begin = move |cx: Context| async move {
        for place in 0..n_workers {
            match by {
                By::Start | By::Dependency => {}
                By::Ferries => cx.ferry_to(place.to_string().as_str(), ()),
                By::FerriesToOne => cx.ferry_to("0", ()),
            }
        }
    };
    match by {
        By::Start => {}
        By::Dependency | By::Ferries | By::FerriesToOne => {
            automa.add_func_as_worker("begin", begin, start()).unwrap();
        }
    }
    for place in 0..n_workers {
        let key = place.to_string();
        let meeting = Arc::clone(meeting);
        let added = match kind {
            _ if light.contains(&place) => automa.add_func_as_worker(key, async || {}, options()),
            Kind::Async => {
                let heavy = async |meeting: &Arc<Meeting>| compute(meeting);
                automa.add_func_as_worker(key, with(meeting, heavy), options())
            }
            Kind::Inline => {
                automa.add_func_as_worker(key, move || compute(&meeting), options().inline())
            }
        };
        added.unwrap();
    }
    automa
}

/// Runs an automa for the first time, on the threads of the runtime, where users run.
async fn run(automa: GraphAutoma, meeting: &Meeting, with_clock: bool) {
    let run = automa.run(());
    let run = if with_clock { run.poll_clock(clock()) } else { run };
    let ended = tokio::spawn(async move { run.await.map(drop) }).await.unwrap();
    ended.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(meeting.n_met(), HEAVY / 2);
}

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_workers_never_seen_before_use_all_threads() {
    for by in [By::Start, By::Dependency, By::Ferries, By::FerriesToOne] {
        for kind in [Kind::Async, Kind::Inline] {
            for round in 0..ROUNDS {
                let meeting = Arc::default();
                // Both by the clock of the system and by one in which they take long.
                run(automa(&meeting, kind, by, &[]), &meeting, round % 2 == 0).await;
            }
        }
    }
}

/// [S16] [S14] [S13]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_they_do_at_a_rolling_pace_and_with_a_cap() {
    for by in [By::Start, By::Ferries] {
        for _ in 0..ROUNDS {
            let meeting = Arc::default();
            let mut rolling = automa(&meeting, Kind::Async, by, &[]);
            rolling.set_pace(Pace::Rolling);
            run(rolling, &meeting, false).await;

            let meeting = Arc::default();
            let mut few = automa(&meeting, Kind::Async, by, &[]);
            few.set_max_concurrency(2);
            run(few, &meeting, false).await;
        }
    }
}

/// [S16] A light one that was never seen either lets its thread take more at a time after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_light_one_among_them_changes_nothing() {
    for by in [By::Start, By::Ferries] {
        for place in [0, 1, HEAVY / 2, HEAVY - 2, HEAVY - 1, HEAVY] {
            for _ in 0..ROUNDS / 4 {
                let meeting = Arc::default();
                run(automa(&meeting, Kind::Async, by, &[place]), &meeting, true).await;
            }
        }
    }
}

/// [S16] [N1]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_workers_of_a_nested_automa_use_all_threads() {
    for _ in 0..ROUNDS {
        let meeting = Arc::default();
        let mut outer = GraphAutoma::new("outer");
        let inner = automa(&meeting, Kind::Async, By::Start, &[]);
        outer.add_worker("inner", inner, start()).unwrap();
        run(outer, &meeting, true).await;
    }
}
