//! Steps of nested automata: in a sequence, side by side, at any depth, and those that cannot be
//! written.

use std::sync::atomic::{AtomicU64, Ordering};

use ddg_core::values::Opaque;
use ddg_core::worker::Retry;

use super::*;

/// [X9] [N1]
#[tokio::test(start_paused = true)]
async fn automata_in_a_sequence_keep_their_steps() {
    let n_writes = leave_at_every_write(Way::default(), |effects| {
        let mut automa = GraphAutoma::new("sequence");
        automa.add_func_as_worker("before", passing(effects), start().inline()).unwrap();
        automa.add_worker("first", looping(5, effects), after(["before"])).unwrap();
        automa.add_worker("second", looping(5, effects), after(["first"])).unwrap();
        automa
            .add_func_as_worker("after", passing(effects), after(["second"]).inline().output())
            .unwrap();
        automa
    });
    assert!(n_writes.await > 2 * 7 + 4);
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn automata_side_by_side_keep_their_steps() {
    let way = Way { in_flight: 3, ..Way::default() };
    leave_at_every_write(way, |effects| {
        let mut automa = GraphAutoma::new("side by side");
        for (key, n) in [("a", 5), ("b", 2), ("c", 4)] {
            automa.add_worker(key, looping(n, effects), start()).unwrap();
        }
        let sum = async |a: u64, b: u64, c: u64| a + b + c;
        automa.add_func_as_worker("sum", sum, after(["a", "b", "c"]).output()).unwrap();
        automa
    })
    .await;
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn results_inside_of_automata_are_written_as_well() {
    let way = Way { policy: CheckpointPolicy::EveryWorker, in_flight: 4, ..Way::default() };
    leave_at_every_write(way, |effects| {
        let mut wide = GraphAutoma::new("wide");
        for key in ["a", "b", "c"] {
            wide.add_func_as_worker(key, passing(effects), start().inline()).unwrap();
        }
        let sum = async |a: u64, b: u64, c: u64| a + b + c;
        wide.add_func_as_worker("sum", sum, after(["a", "b", "c"]).output()).unwrap();
        let mut automa = GraphAutoma::new("outer");
        automa.add_worker("wide", wide, start()).unwrap();
        automa.add_worker("looping", looping(3, effects), start()).unwrap();
        automa.add_func_as_worker("plain", passing(effects), start().inline()).unwrap();
        let sum = async |a: u64, b: u64, c: u64| a + b + c;
        automa
            .add_func_as_worker("sum", sum, after(["wide", "looping", "plain"]).output())
            .unwrap();
        automa
    })
    .await;
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn one_automa_that_runs_several_times_at_once_keeps_the_steps_of_each() {
    let way = Way { in_flight: 2, ..Way::default() };
    leave_at_every_write(way, |effects| {
        let mut automa = GraphAutoma::new("twice");
        let begin = async |_: u64, cx: Context| {
            cx.ferry_to("inner", (10_u64,));
            cx.ferry_to("inner", (100_u64,));
        };
        automa.add_func_as_worker("begin", begin, start()).unwrap();
        // Both kickoffs have the same effects, apart from what they add.
        let (counted, log) = (Effects::default(), effects.clone());
        let mut inner = looping(3, &counted);
        inner.add_callback(Told(log));
        automa.add_worker("inner", inner, free()).unwrap();
        automa.add_func_as_worker("sum", async |x: u64| x, after(["inner"]).output()).unwrap();
        automa
    })
    .await;
}

/// Tells what `step` is called with.
struct Told(Effects);

impl Callback for Told {
    async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
        if cx.key() == "step" {
            self.0.add(format!("{} of {}", args.get::<u64>(0)?, args.get::<u64>(2)?));
        }
        Ok(())
    }
}

/// [X9] However deep it is nested.
#[tokio::test(start_paused = true)]
async fn at_any_depth_steps_are_kept() {
    leave_at_every_write(Way::default(), |effects| {
        (0..40).fold(looping(3, effects), |inner, _| {
            let mut around = GraphAutoma::new("around");
            around.add_worker("inner", inner, start()).unwrap();
            around
                .add_func_as_worker("then", passing(effects), after(["inner"]).inline().output())
                .unwrap();
            around
        })
    })
    .await;
}

/// [X9] A further attempt begins anew, also if an earlier one was left.
#[tokio::test(start_paused = true)]
async fn a_retried_automa_begins_anew() {
    let store = GatedStore::open_for(PLENTY);
    let declare = |effects: &Effects, fails: u64| {
        let (log, left) = (effects.clone(), AtomicU64::new(fails));
        let mut inner = GraphAutoma::new("inner");
        let first = passing(effects);
        inner.add_func_as_worker("first", first, start().inline()).unwrap();
        let second = move |x: u64, cx: Context| {
            log.add(cx.path().to_string());
            let fails =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if fails.is_ok() { Err(WorkerError::msg("not yet")) } else { Ok(x) }
        };
        inner.add_func_as_worker("second", second, after(["first"]).inline().output()).unwrap();
        let mut automa = GraphAutoma::new("outer");
        automa.add_worker("inner", inner, start().retry(Retry::times(3)).output()).unwrap();
        automa
    };
    let effects = Effects::default();
    let automa = declare(&effects, 1);
    let output = Way::default().run(&automa, &store).output::<u64>().await.unwrap();
    assert_eq!(output, 1);
    assert_eq!(
        effects.counts(),
        BTreeMap::from([("inner/first".into(), 2), ("inner/second".into(), 2)])
    );

    // Left after the first step: that step is not taken again, until the attempt fails.
    let store = GatedStore::open_for(2);
    let effects = Effects::default();
    let left = Way::default().run(&declare(&effects, 0), &store).spawn();
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(left);
    store.freed("a").await;
    store.let_through(PLENTY);
    assert_eq!(Way::default().run(&declare(&effects, 1), &store).output::<u64>().await.unwrap(), 1);
    assert_eq!(
        effects.counts(),
        BTreeMap::from([("inner/first".into(), 2), ("inner/second".into(), 3)])
    );
}

/// [X9] [X3] A nested automa that has stopped does not continue.
#[tokio::test(start_paused = true)]
async fn a_nested_automa_that_has_stopped_stays_so() {
    leave_at_every_write(Way { in_flight: 2, ..Way::default() }, |effects| {
        let mut stops = GraphAutoma::new("stops");
        let pass = passing(effects);
        let stop = move |x: u64, cx: Context| {
            cx.stop();
            pass(x, cx)
        };
        stops.add_func_as_worker("stop", stop, start().inline().output()).unwrap();
        let never = async |_: u64| -> u64 { panic!("it has stopped") };
        stops.add_func_as_worker("never", never, after(["stop"])).unwrap();
        let mut automa = GraphAutoma::new("outer");
        automa.add_worker("stops", stops, start()).unwrap();
        automa.add_worker("looping", looping(4, effects), start()).unwrap();
        let sum = async |a: u64, b: u64| a + b;
        automa.add_func_as_worker("sum", sum, after(["stops", "looping"]).output()).unwrap();
        automa
    })
    .await;
}

/// [X9] What cannot be written does not fail the run: it runs again.
#[tokio::test(start_paused = true)]
async fn a_nested_state_that_cannot_be_written_is_left_out() {
    let declare = |effects: &Effects| {
        let mut inner = GraphAutoma::new("inner");
        let open = passing(effects);
        let open = move |x: u64, cx: Context| Opaque::new(open(x, cx));
        inner.add_func_as_worker("open", open, start().inline()).unwrap();
        let close = passing(effects);
        let close = move |x: Opaque<u64>, cx: Context| close(*x, cx);
        inner.add_func_as_worker("close", close, after(["open"]).inline().output()).unwrap();
        let mut automa = GraphAutoma::new("outer");
        automa.add_worker("inner", inner, start().output()).unwrap();
        automa
    };
    let effects = Effects::default();
    let store = GatedStore::open_for(PLENTY);
    assert_eq!(Way::default().run(&declare(&effects), &store).output::<u64>().await.unwrap(), 1);
    assert_eq!(
        store.puts(),
        ["running: state of step 0", "running: state of step 1", "finished: "]
    );
}

/// [X9] [X11] A step of a nested automa that failed is tried again, and those before it are not.
#[tokio::test(start_paused = true)]
async fn a_nested_step_that_failed_is_tried_again() {
    let store = GatedStore::open_for(PLENTY);
    let effects = Effects::default();
    let declare = |fails: bool| {
        let mut inner = GraphAutoma::new("inner");
        inner.add_func_as_worker("first", passing(&effects), start().inline()).unwrap();
        let log = effects.clone();
        let second = move |x: u64, cx: Context| {
            log.add(cx.path().to_string());
            if fails { Err(WorkerError::msg("no power")) } else { Ok(x) }
        };
        inner.add_func_as_worker("second", second, after(["first"]).inline().output()).unwrap();
        let mut automa = GraphAutoma::new("outer");
        automa.add_worker("inner", inner, start().output()).unwrap();
        automa
    };
    let failed = Way::default().run(&declare(true), &store).await.unwrap_err();
    assert!(matches!(failed, RunError::Step(_)), "{failed}");
    assert_eq!(Way::default().run(&declare(false), &store).output::<u64>().await.unwrap(), 1);
    assert_eq!(
        effects.counts(),
        BTreeMap::from([("inner/first".into(), 1), ("inner/second".into(), 2)])
    );
}

/// [X9] With `OnPause`, nothing of nested automata is written.
#[tokio::test(start_paused = true)]
async fn on_pause_nested_steps_are_not_written() {
    let store = GatedStore::open_for(PLENTY);
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", looping(5, &Effects::default()), start().output()).unwrap();
    let way = Way { policy: CheckpointPolicy::OnPause, ..Way::default() };
    way.run(&automa, &store).await.unwrap();
    assert_eq!(store.puts(), ["running: state of step 0", "finished: state of step 1"]);
}
