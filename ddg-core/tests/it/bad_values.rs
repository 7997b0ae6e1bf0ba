//! Outputs whose `Drop` panics: a run ends with an error, and other runs continue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ddg_core::checkpoint::{MemoryStore, RunStatus, StoredRuns};
use ddg_core::prelude::*;
use expect_test::expect;
use serde::{Deserialize, Serialize};

/// Panics when it is dropped, once, if it is armed.
#[derive(Clone, Serialize, Deserialize)]
struct Bomb(#[serde(skip)] Arc<AtomicBool>);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.0.swap(false, Ordering::Relaxed), "boom");
    }
}

/// Gives a bomb twice, so that the second replaces the first.
fn twice(armed: &Arc<AtomicBool>) -> GraphAutoma {
    let armed = Arc::clone(armed);
    let mut automa = GraphAutoma::new("twice");
    let give = move |n: u32, cx: Context| {
        // The first bomb is not dropped before it is replaced, unless it is written.
        match n {
            0 => cx.ferry_to("give", (1_u32,)),
            _ => armed.store(true, Ordering::Relaxed),
        }
        std::future::ready(Bomb(Arc::clone(&armed)))
    };
    automa.add_func_as_worker("give", give, start().output()).unwrap();
    automa
}

/// [S11]
#[tokio::test]
async fn an_output_that_panics_as_it_is_replaced_fails_the_run() {
    let armed = Arc::new(AtomicBool::new(false));
    let error = twice(&armed).run(args!(0_u32)).await.unwrap_err();
    expect!["automa `twice`: a panic outside of its workers, as in the `Drop` of an output or in a store: boom"]
        .assert_eq(&error.to_string());
    assert!(matches!(error, RunError::Panicked { .. }));

    let error = twice(&armed).run(args!(0_u32)).spawn().await.unwrap_err();
    assert!(matches!(error, RunError::Panicked { .. }), "{error}");
}

/// In a nested automa it is a failure of the worker that the automa is.
#[tokio::test]
async fn an_output_that_panics_in_a_nested_automa_fails_its_worker() {
    let armed = Arc::new(AtomicBool::new(false));
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", twice(&armed), start().output()).unwrap();
    let error = outer.run(args!(0_u32)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("worker `inner` failed: ") && text.ends_with(": boom"), "{text}");
}

/// [X16] It is stored as failed, and its lease is released.
#[tokio::test]
async fn an_output_that_panics_in_a_stored_run_fails_it() {
    let armed = Arc::new(AtomicBool::new(false));
    let store = MemoryStore::new();
    let error = twice(&armed).run(args!(0_u32)).stored_in(&store, "run").await.unwrap_err();
    assert!(matches!(error, RunError::Panicked { .. }), "{error}");
    let record = StoredRuns::new(&store).record("run").await.unwrap();
    assert_eq!((record.status, record.holder), (RunStatus::Failed, None));
    assert!(record.reason.unwrap().ends_with(": boom"));
}
