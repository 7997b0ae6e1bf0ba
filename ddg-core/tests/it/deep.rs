//! Very long chains, very wide fans and very deep nesting: nothing recurses over the graph, so the
//! stack of a test's thread is enough.

use ddg_core::prelude::*;

const LONG: usize = 100_000;
const WIDE: usize = 10_000;
const DEEP: usize = 200;

async fn zero() -> u64 {
    0
}

async fn next(x: u64) -> u64 {
    x + 1
}

async fn count(all: Vec<u64>) -> usize {
    all.len()
}

/// Runs it on this thread, without a runtime.
fn run<T: ddg_core::Data>(automa: &GraphAutoma) -> Result<T, RunError> {
    let mut run = Box::pin(automa.run(()).output::<T>());
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(result) = run.as_mut().poll(&mut task) {
            return result;
        }
    }
}

fn key(n: usize) -> String {
    format!("w{n}")
}

/// Adds the `n`-th worker of a chain.
fn add_link(automa: &mut GraphAutoma, n: usize) {
    let added = match n {
        0 => automa.add_func_as_worker(key(0), zero, start()),
        LONG => automa.add_func_as_worker(key(n), next, after([key(n - 1)]).output()),
        _ => automa.add_func_as_worker(key(n), next, after([key(n - 1)])),
    };
    added.unwrap();
}

#[test]
fn a_long_chain_declared_forwards() {
    let mut automa = GraphAutoma::new("chain");
    (0..=LONG).for_each(|n| add_link(&mut automa, n));
    assert_eq!(run::<u64>(&automa).unwrap(), LONG as u64);
    assert_eq!(run::<u64>(&automa.clone()).unwrap(), LONG as u64);
}

#[test]
fn a_long_chain_declared_backwards() {
    let mut automa = GraphAutoma::new("chain");
    (0..=LONG).rev().for_each(|n| add_link(&mut automa, n));
    assert_eq!(run::<u64>(&automa).unwrap(), LONG as u64);
}

#[test]
fn a_long_cycle() {
    let mut automa = GraphAutoma::new("cycle");
    for n in 0..LONG {
        let options = after([key((n + LONG - 1) % LONG)]);
        automa.add_func_as_worker(key(n), next, options).unwrap();
    }
    let error = automa.validate().unwrap_err();
    let [ddg_core::graph::Fault::Cycle { keys }] = &error.faults[..] else { panic!("{error}") };
    assert_eq!(keys.len(), LONG);
    let error = error.to_string();
    assert!(error.contains("`w99999`") || error.contains("`w1`"), "{error}");
    assert!(error.len() < 500, "{error}");
}

#[test]
fn a_long_chain_added_at_run_time_in_one_step() {
    let mut automa = GraphAutoma::new("grown chain");
    let grow = |cx: &Context| {
        for n in 1..=LONG {
            let options = after([if n == 1 { "grow".to_owned() } else { key(n - 1) }]);
            let options = if n == LONG { options.output() } else { options };
            cx.add_func_as_worker(key(n), next, options);
        }
        0_u64
    };
    automa.add_func_as_worker("grow", grow, start().inline()).unwrap();
    assert_eq!(run::<u64>(&automa).unwrap(), LONG as u64);
}

#[test]
fn a_long_chain_added_at_run_time_backwards_in_one_step() {
    let mut automa = GraphAutoma::new("grown chain");
    let grow = |cx: &Context| {
        for n in (1..=LONG).rev() {
            let options = after([if n == 1 { "grow".to_owned() } else { key(n - 1) }]);
            let options = if n == LONG { options.output() } else { options };
            cx.add_func_as_worker(key(n), next, options);
        }
        0_u64
    };
    automa.add_func_as_worker("grow", grow, start().inline()).unwrap();
    // In a thread of its own: were the cost of a change to grow with the graph, this would take
    // minutes and more.
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(run::<u64>(&automa).unwrap()));
    let x = is_done.recv_timeout(std::time::Duration::from_secs(30));
    assert_eq!(x.expect("it takes about as long as forwards"), LONG as u64);
}

#[test]
fn a_long_chain_added_at_run_time_step_by_step() {
    let mut automa = GraphAutoma::new("grown chain");
    fn link(x: u64, cx: &Context) -> u64 {
        if x + 1 < LONG as u64 {
            cx.add_func_as_worker(key(x as usize + 1), link, after([cx.key()]).inline());
        } else {
            cx.ferry_to("end", (x + 1,));
        }
        x + 1
    }
    automa.add_func_as_worker("begin", |cx: &Context| link(0, cx), start().inline()).unwrap();
    automa.add_func_as_worker("end", async |x: u64| x, free().output()).unwrap();
    assert_eq!(run::<u64>(&automa).unwrap(), LONG as u64);
}

#[test]
fn a_long_loop_of_ferries() {
    let mut automa = GraphAutoma::new("loop");
    let again = |x: Option<u64>, cx: &Context| {
        let x = x.unwrap_or(0);
        cx.ferry_to(if x < LONG as u64 { "again" } else { "end" }, (x + 1,));
    };
    automa.add_func_as_worker("again", again, start().inline()).unwrap();
    automa.add_func_as_worker("end", async |x: u64| x, free().output()).unwrap();
    assert_eq!(run::<u64>(&automa).unwrap(), LONG as u64 + 1);
}

#[test]
fn a_wide_fan() {
    let mut automa = GraphAutoma::new("fan");
    automa.add_func_as_worker("begin", zero, start()).unwrap();
    for n in 0..WIDE {
        automa.add_func_as_worker(key(n), next, after(["begin"])).unwrap();
    }
    let all = after((0..WIDE).map(key)).merge().output();
    automa.add_func_as_worker("end", count, all).unwrap();
    assert_eq!(run::<usize>(&automa).unwrap(), WIDE);
}

#[test]
fn a_wide_fan_added_at_run_time() {
    let mut automa = GraphAutoma::new("grown fan");
    let grow = |cx: &Context| {
        for n in 0..WIDE {
            cx.add_func_as_worker(key(n), next, after(["grow"]));
        }
        cx.add_func_as_worker("end", count, after((0..WIDE).map(key)).merge().output());
        0_u64
    };
    automa.add_func_as_worker("grow", grow, start().inline()).unwrap();
    assert_eq!(run::<usize>(&automa).unwrap(), WIDE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wide_fan_over_threads() {
    let mut automa = GraphAutoma::new("fan");
    automa.add_func_as_worker("begin", zero, start()).unwrap();
    for n in 0..WIDE {
        let yields = async |x: u64| {
            tokio::task::yield_now().await;
            x + 1
        };
        automa.add_func_as_worker(key(n), yields, after(["begin"])).unwrap();
    }
    let all = after((0..WIDE).map(key)).merge().output();
    automa.add_func_as_worker("end", count, all).unwrap();
    assert_eq!(automa.run(()).output::<usize>().await.unwrap(), WIDE);
}

/// `innermost` within as many automata as `DEEP` says.
fn nested(innermost: GraphAutoma, options: &WorkerOptions) -> GraphAutoma {
    (0..DEEP).fold(innermost, |inner, depth| {
        let mut outer = GraphAutoma::new(format!("automa {depth}"));
        outer.add_worker("n", inner, options.clone().start().output()).unwrap();
        outer
    })
}

/// Does nothing, at every depth.
struct Hook;

impl Callback for Hook {}

async fn nested_runs(options: WorkerOptions) {
    let mut innermost = GraphAutoma::new("innermost");
    let path = async |x: i64, cx: Context| (x, cx.path().to_string());
    innermost.add_func_as_worker("n", path, start().params(["x"]).output()).unwrap();
    let mut automa = nested(innermost, &options);
    let expected = (7, vec!["n"; DEEP + 1].join("/"));
    assert_eq!(automa.run(args!(x = 7)).output::<(i64, String)>().await.unwrap(), expected);
    automa.add_callback(Hook);
    assert_eq!(automa.run(args!(x = 7)).output::<(i64, String)>().await.unwrap(), expected);
}

#[tokio::test]
async fn deep_nesting_runs_and_is_dropped() {
    nested_runs(free()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_nesting_on_other_threads() {
    nested_runs(free()).await;
}

#[tokio::test(start_paused = true)]
async fn deep_nesting_with_all_options() {
    let timeout = std::time::Duration::from_secs(60);
    nested_runs(free().timeout(timeout).retry(Retry::times(1)).callback(Hook)).await;
}

#[tokio::test]
async fn deep_nesting_fails_and_is_cancelled() {
    let mut innermost = GraphAutoma::new("innermost");
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let worker = move |hang: bool| {
        let begun = begun.clone();
        async move {
            if hang {
                begun.send(()).unwrap();
                std::future::pending::<()>().await;
            }
            Err::<i64, _>(WorkerError::msg("deep down"))
        }
    };
    innermost.add_func_as_worker("worker", worker, start().params(["hang"])).unwrap();
    let automa = nested(innermost, &free());
    let error = automa.run(args!(hang = false)).output::<()>().await.unwrap_err().to_string();
    assert!(error.ends_with("/n/worker` failed: deep down"), "{error}");
    let run = automa.run(args!(hang = true)).spawn();
    has_begun.recv().await.unwrap();
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}

#[tokio::test]
async fn a_fault_deep_down_is_reported() {
    let mut innermost = GraphAutoma::new("innermost");
    innermost.add_func_as_worker("self", next, after(["self"])).unwrap();
    let error = nested(innermost, &free()).validate().unwrap_err().to_string();
    assert!(
        error.ends_with("worker `self` depends on itself; to repeat it, let it ferry to itself")
    );
}

/// An automa whose worker runs another one itself, and so on, so many times.
fn running_each_other(levels: usize) -> GraphAutoma {
    let mut innermost = GraphAutoma::new("innermost");
    innermost.add_func_as_worker("n", async |x: usize| x, start().output()).unwrap();
    (0..levels).fold(innermost, |inner, _| {
        let mut outer = GraphAutoma::new("outer");
        let run =
            async |inner: &GraphAutoma, x: usize| inner.run(args!(x + 1)).output::<usize>().await;
        outer.add_func_as_worker("n", with(inner, run), start().output()).unwrap();
        outer
    })
}

#[tokio::test]
async fn workers_that_run_automata_at_any_depth() {
    let automa = running_each_other(DEEP);
    assert_eq!(automa.run(args!(0_usize)).output::<usize>().await.unwrap(), DEEP);
    assert_eq!(automa.run(args!(0_usize)).spawn().output::<usize>().await.unwrap(), DEEP);
}

/// Without a runtime there is one stack for all of them.
#[test]
fn workers_that_run_automata_without_a_runtime() {
    let run = |levels: usize| {
        let automa = running_each_other(levels);
        let mut run = Box::pin(automa.run(args!(0_usize)).output::<usize>());
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        loop {
            if let std::task::Poll::Ready(result) = run.as_mut().poll(&mut task) {
                return result;
            }
        }
    };
    assert_eq!(run(20).unwrap(), 20);
    let error = run(DEEP).unwrap_err().to_string();
    let expected = "nested more than 32 levels deep, which needs a tokio runtime";
    assert!(error.ends_with(expected), "{error}");
}

/// What is deep inside is dropped with what is around it.
#[tokio::test]
async fn a_run_deep_inside_others_is_cancelled() {
    struct Dropped(tokio::sync::mpsc::UnboundedSender<&'static str>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }

    let (said, mut hear) = tokio::sync::mpsc::unbounded_channel();
    let mut automa = GraphAutoma::new("innermost");
    let hang = move || {
        let said = said.clone();
        async move {
            said.send("begun").unwrap();
            let _dropped = Dropped(said);
            std::future::pending::<usize>().await
        }
    };
    automa.add_func_as_worker("n", hang, start().output()).unwrap();
    for _ in 0..DEEP {
        let mut outer = GraphAutoma::new("outer");
        let run = async |inner: &GraphAutoma| inner.run(()).output::<usize>().await;
        outer.add_func_as_worker("n", with(automa, run), start().output()).unwrap();
        automa = outer;
    }
    let run = automa.run(()).spawn();
    assert_eq!(hear.recv().await, Some("begun"));
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
    assert_eq!(hear.recv().await, Some("dropped"));
}
