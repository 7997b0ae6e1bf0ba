//! A run that is stopped after any step, serialised and resumed ends as if it had not been stopped.

use ddg_core::prelude::*;
use ddg_core::snapshot::{Snapshot, SnapshotError};
use expect_test::expect;
use proptest::prelude::*;

/// Stops the run in step `at`.
struct StopIn {
    at: u64,
}

impl Callback for StopIn {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        if cx.step() == self.at {
            cx.stop();
        }
        Ok(())
    }
}

/// A graph of `n` workers with random earlier dependencies, where a few ferry back until the run
/// has used up its budget of jumps.
fn program(edges: &[Vec<usize>], jumps: &[Option<usize>], budget: u32) -> GraphAutoma {
    let mut automa = GraphAutoma::new("program");
    for (place, dependencies) in edges.iter().enumerate() {
        let jump = jumps[place];
        let worker = move |inputs: Option<Vec<u64>>, cx: Context| async move {
            let runs = cx.local().update("runs", |runs: &mut u32| {
                *runs += 1;
                *runs
            });
            let mixed = inputs
                .unwrap_or_default()
                .iter()
                .fold(place as u64 + 1, |sum, x| sum.wrapping_mul(31).wrapping_add(*x));
            if let Some(target) = jump
                && runs <= budget
            {
                cx.ferry_to(format!("w{target}"), (vec![mixed, u64::from(runs)],));
            }
            mixed.wrapping_add(u64::from(runs))
        };
        let options = if dependencies.is_empty() { start() } else { free() };
        let keys = dependencies.iter().map(|on| format!("w{on}"));
        automa
            .add_func_as_worker(format!("w{place}"), worker, options.after(keys).merge())
            .unwrap();
    }
    automa
}

fn programs() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<Option<usize>>, u32)> {
    (2..12_usize).prop_flat_map(|n| {
        let edges = (0..n)
            .map(|place| proptest::collection::btree_set(0..place.max(1), 0..=place.min(3)))
            .enumerate()
            .map(|(place, set)| {
                set.prop_map(move |set| set.into_iter().filter(|on| *on < place).collect())
            })
            .collect::<Vec<_>>();
        let jumps = proptest::collection::vec(proptest::option::weighted(0.3, 0..n), n);
        (edges, jumps, 1..4_u32)
    })
}

/// A summary of a finished run.
fn report(outcome: &Outcome) -> String {
    let outputs: Vec<_> = outcome
        .automa()
        .keys()
        .iter()
        .map(|key| format!("{key}: {:?}", outcome.automa().output(key.as_str())))
        .collect();
    format!("{outcome:?} {outputs:?}")
}

async fn undisturbed(automa: &GraphAutoma) -> String {
    report(&automa.run(()).await.unwrap())
}

async fn stopped_in(automa: &GraphAutoma, at: u64) -> Option<String> {
    let mut stopping = automa.clone();
    stopping.add_callback(StopIn { at });
    let stopped = stopping.run(()).await.unwrap();
    if !stopped.stopped() {
        return None;
    }
    let json = serde_json::to_string(&stopped.snapshot().unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    Some(report(&automa.resume(snapshot).await.unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// [X4]
    #[test]
    fn snapshot_and_resume_equal_the_uninterrupted_run((edges, jumps, budget) in programs()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let automa = program(&edges, &jumps, budget);
            let expected = undisturbed(&automa).await;
            let mut at = 1;
            while let Some(resumed) = stopped_in(&automa, at).await {
                assert_eq!(resumed, expected, "stopped in step {at}");
                at += 1;
            }
        });
    }
}

fn refused(error: &SnapshotError) -> String {
    error.to_string()
}

async fn snapshot_of(automa: &GraphAutoma) -> Result<Snapshot, SnapshotError> {
    let mut stopping = automa.clone();
    stopping.add_callback(StopIn { at: 1 });
    stopping.run(()).await.unwrap().snapshot()
}

/// [D2]
#[tokio::test]
async fn a_value_without_a_json_form_is_named() {
    let mut automa = GraphAutoma::new("socket");
    let open = async || Opaque::new(std::sync::mpsc::channel::<u8>().0);
    automa.add_func_as_worker("open", open, start()).unwrap();
    automa.add_func_as_worker("end", async || (), after(["open"]).suppressed()).unwrap();
    let error = snapshot_of(&automa).await.unwrap_err();
    expect!["automa `socket`: worker `open`: its output: `Opaque<Sender<u8>>` cannot be written as JSON: `Sender<u8>` is opaque: it lives only in memory and has no JSON form"].assert_eq(&refused(&error));
}

#[tokio::test]
async fn a_snapshot_of_another_graph_is_refused() {
    let two = |name: &str, second: &str| {
        let mut automa = GraphAutoma::new(name);
        automa.add_func_as_worker("first", async || 1, start()).unwrap();
        automa.add_func_as_worker(second, async |x: i32| x, after(["first"])).unwrap();
        automa
    };
    let snapshot = snapshot_of(&two("a", "second")).await.unwrap();
    let error = two("a", "other").resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `a` is declared differently than when the snapshot was taken: worker `second` is no longer declared; worker `other` is new; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"]
        .assert_eq(&error.to_string());
    let error = two("b", "second").resume(snapshot.clone()).await.unwrap_err();
    expect!["this is automa `b`, but the snapshot is of a run of `a`: resume it with that one"]
        .assert_eq(&error.to_string());
    assert_eq!(two("a", "second").resume(snapshot).await.unwrap().steps(), 2);
}
