//! Events of nested automata are published with those of the run, at any depth.

use ddg_core::event::EventFilter;
use expect_test::expect;

use super::{nested, watched};

/// [V4] [V5]
#[tokio::test]
async fn nested_automata_appear_with_their_path_within_their_worker() {
    expect![[r#"
        0: run of `level 0` started
        1: step 1 started: `in0` (start)
        2: step 1: `in0` started
        3: in0: run of `level 1` started
        4: in0: step 1 started: `in1` (start)
        5: in0: step 1: `in1` started
        6: in0/in1: run of `innermost` started
        7: in0/in1: step 1 started: `work` (start)
        8: in0/in1: step 1: `work` started
        9: in0/in1: step 1: `work` tells depth: "in0/in1/work"
        10: in0/in1: step 1: `work` finished: 7
        11: in0/in1: step 1 settled: `work`: 7
        12: in0/in1: run finished: 7
        13: in0: step 1: `in1` finished: 7
        14: in0: step 1 settled: `in1`: 7
        15: in0: run finished: 7
        16: step 1: `in0` finished: 7
        17: step 1 settled: `in0`: 7
        18: run finished: 7
        output: 7
    "#]]
    .assert_eq(&watched(&nested(2), EventFilter::all()).await);
}

/// [V4] [V5]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_from_any_depth_also_through_tasks() {
    let events = watched(&nested(20), EventFilter::custom()).await;
    let path: Vec<_> = (0..20).map(|level| format!("in{level}")).collect();
    let path = path.join("/");
    // 20 levels begin with three events each, and the innermost with three more.
    assert_eq!(
        events,
        format!("63: {path}: step 1: `work` tells depth: \"{path}/work\"\noutput: 7\n")
    );
}
