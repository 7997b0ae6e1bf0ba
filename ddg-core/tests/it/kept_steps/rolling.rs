//! A rolling run is written while something runs.

use ddg_core::checkpoint::{CheckpointStore, RunId};

use super::*;

const ROLLING: Way = Way { policy: CheckpointPolicy::EveryStep, pace: Pace::Rolling, in_flight: 1 };

/// A quick branch of jumps beside a slow worker that counts itself in its local space.
fn uneven(effects: &Effects, slow: Duration) -> GraphAutoma {
    let mut automa = GraphAutoma::new("uneven");
    let log = effects.clone();
    let quick = move |k: u64, cx: Context| {
        let log = log.clone();
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            log.add(format!("quick {k}"));
            match k < 8 {
                true => cx.ferry_to("quick", (k + 1,)),
                false => cx.ferry_to("end", (k,)),
            }
        }
    };
    let begin = async |_: u64, cx: Context| {
        cx.ferry_to("quick", (1_u64,));
        cx.ferry_to("slow", ());
    };
    automa.add_func_as_worker("begin", begin, start()).unwrap();
    automa.add_func_as_worker("quick", quick, free()).unwrap();
    let slow = move |cx: Context| async move {
        let n = cx.local().update("n", |n: &mut u64| {
            *n += 1;
            *n
        });
        tokio::time::sleep(slow).await;
        cx.ferry_to("slow end", (n,));
    };
    automa.add_func_as_worker("slow", slow, free()).unwrap();
    let slow_end = async |n: u64| assert_eq!(n, 1, "its changes count once");
    automa.add_func_as_worker("slow end", slow_end, free()).unwrap();
    automa.add_func_as_worker("end", async |k: u64| k, free().output()).unwrap();
    automa
}

/// [X12]
#[tokio::test(start_paused = true)]
async fn a_slow_worker_does_not_put_the_quick_ones_back() {
    let effects = Effects::default();
    let store = GatedStore::open_for(PLENTY);
    let left = ROLLING.run(&uneven(&effects, Duration::from_secs(1 << 20)), &store).spawn();
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert!(!left.is_finished());
    drop(left);
    store.freed("a").await;
    assert_eq!(effects.counts().len(), 8);
    let run = ROLLING.run(&uneven(&effects, Duration::from_secs(1)), &store);
    assert_eq!(run.output::<u64>().await.unwrap(), 8);
    assert!(effects.counts().values().all(|n| *n == 1), "{:?}", effects.counts());
}

/// [X12]
#[tokio::test(start_paused = true)]
async fn a_rolling_run_is_left_at_every_write() {
    leave_at_every_write(ROLLING, |effects| uneven(effects, Duration::from_millis(4_500))).await;
}

/// [X12] [X9]
#[tokio::test(start_paused = true)]
async fn automata_within_a_rolling_run_keep_their_steps_and_roll_themselves() {
    let way = Way { in_flight: 3, ..ROLLING };
    leave_at_every_write(way, |effects| {
        let mut automa = GraphAutoma::new("outer");
        for (key, n) in [("a", 5), ("b", 2)] {
            automa.add_worker(key, looping(n, effects), start()).unwrap();
        }
        let mut inner = uneven(effects, Duration::from_millis(2_500));
        inner.set_pace(Pace::Rolling);
        automa.add_worker("uneven", inner, start()).unwrap();
        let pass = passing(effects);
        automa.add_func_as_worker("then", pass, after(["b"]).inline()).unwrap();
        let sum = async |a: u64, b: u64, c: u64| a + b + c;
        automa.add_func_as_worker("sum", sum, after(["a", "then", "uneven"]).output()).unwrap();
        automa
    })
    .await;
}

/// [X12] The numbers of the states go up, also where a branch ends and nothing begins.
#[tokio::test(start_paused = true)]
async fn each_settling_has_a_state_of_its_own() {
    let mut automa = GraphAutoma::new("ends");
    for n in 1..=5 {
        let sleep = move || tokio::time::sleep(Duration::from_secs(n));
        automa.add_func_as_worker(n.to_string(), sleep, start()).unwrap();
    }
    let store = GatedStore::open_for(PLENTY);
    automa.run(()).pace(Pace::Rolling).stored_in(&store, "a").await.unwrap();
    let steps = store.steps(&RunId::new("a").unwrap()).await.unwrap();
    let steps: Vec<_> = steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [0, 1, 2, 3, 4, 5]);
}

/// [X12] Kickoffs of one worker that overlap and change its local space are written together.
#[tokio::test(start_paused = true)]
async fn kickoffs_that_overlap_and_change_a_local_space_are_not_torn_apart() {
    let way = Way { in_flight: 3, ..ROLLING };
    leave_at_every_write(way, |effects| {
        let mut automa = GraphAutoma::new("overlap");
        let begin = async |_: u64, cx: Context| {
            (1..=3_u64).for_each(|k| cx.ferry_to("count", (k,)));
        };
        automa.add_func_as_worker("begin", begin, start()).unwrap();
        let log = effects.clone();
        let count = move |k: u64, cx: Context| {
            let log = log.clone();
            async move {
                let sum = cx.local().update("sum", |sum: &mut u64| {
                    *sum += k;
                    *sum
                });
                tokio::time::sleep(Duration::from_secs(k)).await;
                log.add(k.to_string());
                if k == 3 {
                    cx.ferry_to("end", (sum,));
                }
            }
        };
        automa.add_func_as_worker("count", count, free()).unwrap();
        automa.add_func_as_worker("end", async |sum: u64| sum, free().output()).unwrap();
        automa
    })
    .await;
}
