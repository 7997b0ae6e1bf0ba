//! A run that is dropped in the middle of a step stops its workers; other runs and later ones
//! continue.

use ddg_core::prelude::*;
use futures::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Tells where it is dropped.
struct Guard {
    worker: String,
    dropped: UnboundedSender<String>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        _ = self.dropped.send(format!("{} dropped", self.worker));
    }
}

type Events = Opaque<UnboundedSender<String>>;

/// Begins, and does not end if it is to hang.
async fn worker(hang: bool, events: Events, cx: Context) -> bool {
    let worker = cx.path().to_string();
    events.send(format!("{worker} begun")).unwrap();
    let guard = Guard { worker, dropped: UnboundedSender::clone(&events) };
    if hang {
        std::future::pending::<()>().await;
    }
    drop(guard);
    hang
}

/// Three workers side by side, one of them in a nested automa, and one after them.
fn automa() -> GraphAutoma {
    let options = || start().params(["hang", "events"]);
    let mut inner = GraphAutoma::new("inner automa");
    inner.add_func_as_worker("c", worker, options()).unwrap();
    let mut automa = GraphAutoma::new("side by side");
    automa.add_func_as_worker("a", worker, options()).unwrap();
    automa.add_func_as_worker("b", worker, options()).unwrap();
    automa.add_worker("inner", inner, start()).unwrap();
    let end = async || "fine".to_owned();
    let options = after(["a", "b", "inner"]).suppressed().output();
    automa.add_func_as_worker("end", end, options).unwrap();
    automa
}

fn args(hang: bool) -> (Args, UnboundedReceiver<String>) {
    let (events, received) = unbounded_channel();
    (args!(hang = hang, events = Opaque::new(events)), received)
}

/// The next three events, sorted: workers side by side begin and are dropped in any order.
async fn three(events: &mut UnboundedReceiver<String>) -> [String; 3] {
    let mut three = [(); 3].map(|()| String::new());
    for event in &mut three {
        *event = events.recv().await.unwrap();
    }
    three.sort();
    three
}

/// Begins two runs and another; ends one of the two with `end` in mid-step.
async fn check(end: impl AsyncFnOnce(ddg_core::run::RunHandle)) {
    let automa = automa();
    let (hang, mut events) = args(true);
    let (also_hang, mut other_events) = args(true);
    let run = automa.run(hang).spawn();
    let other = automa.run(also_hang).spawn();
    let begun = ["a begun", "b begun", "inner/c begun"];
    assert_eq!(three(&mut events).await, begun);
    assert_eq!(three(&mut other_events).await, begun);
    end(run).await;
    assert_eq!(three(&mut events).await, ["a dropped", "b dropped", "inner/c dropped"]);
    assert_eq!(events.recv().await, None, "nobody holds what the run was given");
    assert!(other_events.recv().now_or_never().is_none() && !other.is_finished());
    let (go, _events) = args(false);
    assert_eq!(automa.run(go).output::<String>().await.unwrap(), "fine");
}

#[tokio::test]
async fn dropping_the_handle_drops_the_workers() {
    check(async |run| drop(run)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_handle_drops_the_workers_on_other_threads() {
    check(async |run| drop(run)).await;
}

#[tokio::test]
async fn dropping_the_future_of_the_output_drops_the_workers() {
    check(async |run| assert!(run.output::<String>().now_or_never().is_none())).await;
}

#[tokio::test]
async fn dropping_the_future_of_a_run_drops_the_workers_at_once() {
    let automa = automa();
    let (hang, mut events) = args(true);
    let mut run = Box::pin(automa.run(hang).output::<String>());
    assert!((&mut run).now_or_never().is_none());
    assert_eq!(three(&mut events).await, ["a begun", "b begun", "inner/c begun"]);
    assert!(events.recv().now_or_never().is_none());
    drop(run);
    let dropped = three(&mut events).now_or_never().expect("they are dropped with the future");
    assert_eq!(dropped, ["a dropped", "b dropped", "inner/c dropped"]);
    let (go, _events) = args(false);
    assert_eq!(automa.run(go).output::<String>().await.unwrap(), "fine");
}

#[tokio::test]
async fn a_run_dropped_before_its_first_poll_runs_no_worker() {
    let (go, mut events) = args(false);
    drop(automa().run(go).output::<String>());
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn the_output_of_a_blocking_worker_that_outlives_its_run_is_dropped() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let (begun, mut has_begun) = unbounded_channel();
    let (dropped, mut events) = unbounded_channel();
    let mut automa = GraphAutoma::new("blocking");
    let blocking = move |hang: bool| {
        if hang {
            begun.send(()).unwrap();
            _ = released.lock().unwrap().recv();
        }
        let dropped = dropped.clone();
        Opaque::new(Guard { worker: "output".into(), dropped })
    };
    automa.add_func_as_worker("blocking", blocking, start().output()).unwrap();
    let run = automa.run(args!(true)).spawn();
    has_begun.recv().await.unwrap();
    drop(run);
    drop(release);
    assert_eq!(events.recv().await.unwrap(), "output dropped");
    let later = automa.run(args!(false)).output::<Opaque<Guard>>().await.unwrap();
    assert!(events.recv().now_or_never().is_none());
    assert_eq!(later.worker, "output");
}
