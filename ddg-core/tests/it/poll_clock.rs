//! The measured time of workers decides which task polls them. The tests pass the clock.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ddg_core::prelude::*;
use tokio::task::Id;

const WORKERS: usize = 40;

thread_local! {
    /// The time of a thread. It passes only while a worker computes.
    static TIME: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Computes for that long, as the clock of the tests has it.
fn compute(micros: u64) {
    TIME.set(TIME.get() + Duration::from_micros(micros));
}

fn clock() -> impl Fn() -> Instant + Send + Sync + 'static {
    let began = Instant::now();
    move || began + TIME.get()
}

/// The microseconds that each poll of a worker takes, by the worker's place.
type Polls = dyn Fn(usize) -> Vec<u64> + Send + Sync;

/// Start workers, each of which is polled as often, and computes for as long, as told.
struct Crew {
    automa: GraphAutoma,
    polls: Arc<Mutex<Arc<Polls>>>,
    /// The task of each poll, by the worker's place.
    tasks: Arc<Mutex<Vec<Vec<Id>>>>,
}

/// Where the workers of a run were polled.
struct Seen {
    /// The task of the run.
    run: Id,
    /// The tasks of the polls of each worker.
    tasks: Vec<Vec<Id>>,
}

impl Crew {
    fn new() -> Self {
        let polls: Arc<Mutex<Arc<Polls>>> = Arc::new(Mutex::new(Arc::new(|_| vec![0])));
        let tasks = Arc::new(Mutex::new(Vec::new()));
        let mut automa = GraphAutoma::new("crew");
        for place in 0..WORKERS {
            let state = (Arc::clone(&polls), Arc::clone(&tasks), place);
            let work = async |(polls, tasks, place): &Watched| {
                let polls = polls.lock().unwrap()(*place);
                let n_polls = polls.len();
                for (nth, micros) in polls.into_iter().enumerate() {
                    tasks.lock().unwrap()[*place].push(tokio::task::id());
                    compute(micros);
                    if nth + 1 < n_polls {
                        tokio::task::yield_now().await;
                    }
                }
            };
            automa.add_func_as_worker(place.to_string(), with(state, work), start()).unwrap();
        }
        Self { automa, polls, tasks }
    }

    async fn run(&self, polls: impl Fn(usize) -> Vec<u64> + Send + Sync + 'static) -> Seen {
        *self.polls.lock().unwrap() = Arc::new(polls);
        *self.tasks.lock().unwrap() = vec![Vec::new(); WORKERS];
        let run = self.automa.run(()).poll_clock(clock());
        let run = tokio::spawn(async move {
            let outcome = run.await.unwrap();
            (tokio::task::id(), outcome.steps())
        });
        let (run, steps) = run.await.unwrap();
        assert_eq!(steps, 1);
        Seen { run, tasks: std::mem::take(&mut self.tasks.lock().unwrap()) }
    }
}

impl Seen {
    /// The places of the workers whose `nth` poll was made by the task of the run.
    fn in_place(&self, nth: usize) -> Vec<usize> {
        (0..WORKERS).filter(|place| self.tasks[*place][nth] == self.run).collect()
    }

    /// Number of tasks that made the `nth` polls of all workers.
    fn n_tasks(&self, nth: usize) -> usize {
        self.tasks.iter().map(|polls| polls[nth]).collect::<BTreeSet<_>>().len()
    }

    #[track_caller]
    fn assert_all_in_place(&self) {
        assert!(self.tasks.iter().flatten().all(|task| *task == self.run));
    }

    /// A task for each thread takes a part of the workers.
    #[track_caller]
    fn assert_shared_out(&self) {
        assert!(self.in_place(0).is_empty(), "{:?}", self.in_place(0));
        assert!(self.n_tasks(0) <= 2, "{} tasks on 2 threads", self.n_tasks(0));
    }
}

/// What a worker does, the tasks that poll it, and its place.
type Watched = (Arc<Mutex<Arc<Polls>>>, Arc<Mutex<Vec<Vec<Id>>>>, usize);

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_are_shared_out_until_they_are_known_to_be_light() {
    let crew = Crew::new();
    crew.run(|_| vec![2]).await.assert_shared_out();
    crew.run(|_| vec![2]).await.assert_all_in_place();
}

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_workers_are_shared_out_again_and_again() {
    let crew = Crew::new();
    for _ in 0..3 {
        crew.run(|_| vec![3]).await.assert_shared_out();
    }
}

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_was_heavy_becomes_light_slowly() {
    let crew = Crew::new();
    crew.run(|_| vec![16]).await.assert_shared_out();
    // Its cost is 8, 4 and 2 µs after these three.
    for _ in 0..3 {
        crew.run(|_| vec![1]).await.assert_shared_out();
    }
    crew.run(|_| vec![1]).await.assert_all_in_place();
}

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_worker_goes_where_its_own_cost_sends_it() {
    let crew = Crew::new();
    let polls = |place| vec![if place % 2 == 0 { 1 } else { 100 }];
    crew.run(polls).await.assert_shared_out();
    let even: Vec<_> = (0..WORKERS).step_by(2).collect();
    assert_eq!(crew.run(polls).await.in_place(0), even);
}

/// [S16] Of light workers that turn out to be heavy, 16 are polled together, which took too long,
/// and the next one alone, which did as well. All others are shared out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn light_workers_that_turn_out_to_be_heavy_do_not_delay_the_others() {
    let crew = Crew::new();
    crew.run(|_| vec![1]).await;
    let first: Vec<_> = (0..17).collect();
    assert_eq!(crew.run(|_| vec![11]).await.in_place(0), first);
    // They are measured again.
    crew.run(|_| vec![11]).await.assert_shared_out();
}

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_was_preempted_once_has_no_heavy_worker() {
    let crew = Crew::new();
    crew.run(|_| vec![1]).await;
    let preempted = |place| vec![if place == 5 { 5_000 } else { 1 }];
    crew.run(preempted).await.assert_all_in_place();
    crew.run(|_| vec![1]).await.assert_all_in_place();
}

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn light_workers_wait_in_the_task_of_the_run() {
    let crew = Crew::new();
    crew.run(|_| vec![1]).await;
    crew.run(|_| vec![1, 1, 1]).await.assert_all_in_place();
}

/// [S16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_workers_that_turn_out_to_be_heavy_get_tasks_of_their_own() {
    let crew = Crew::new();
    crew.run(|_| vec![1]).await;
    let seen = crew.run(|_| vec![1, 11, 1]).await;
    assert_eq!(seen.in_place(0).len(), WORKERS);
    assert_eq!(seen.in_place(1).len(), 17);
    assert_eq!((seen.in_place(2).len(), seen.n_tasks(2)), (0, WORKERS));
}

/// [S16] [S13] A worker that shared a task would end together with the others of that task.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_cap_each_worker_that_may_be_heavy_has_a_task_of_its_own() {
    let mut crew = Crew::new();
    crew.automa.set_max_concurrency(4);
    let seen = crew.run(|_| vec![3]).await;
    assert_eq!((seen.in_place(0).len(), seen.n_tasks(0)), (0, WORKERS));
}

/// [S16]
#[tokio::test]
async fn one_thread_polls_everything_in_the_task_of_the_run() {
    let crew = Crew::new();
    for _ in 0..2 {
        crew.run(|_| vec![100, 100]).await.assert_all_in_place();
    }
}

/// [S16] [N1]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nested_automa_has_the_clock_of_the_run_around_it() {
    let Crew { automa, polls, tasks } = Crew::new();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("crew", automa, start()).unwrap();
    let crew = Crew { automa: outer, polls, tasks };
    // If it read the clock of the system, it would hardly ever take exactly no time.
    crew.run(|_| vec![0]).await.assert_shared_out();
    crew.run(|_| vec![0]).await.assert_all_in_place();
    crew.run(|_| vec![60]).await;
    crew.run(|_| vec![60]).await.assert_shared_out();
}
