//! Automata of a given shape: workers in sequence, or concurrent and collected in order.

use ddg_agentic::compose::{ConcurrentAutoma, SequentialAutoma};
use ddg_core::prelude::*;
use expect_test::expect;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

#[tokio::test]
async fn each_takes_what_the_one_before_gave() {
    let automa = SequentialAutoma::new("count")
        .then_func("one", async |x: i64| x + 1)
        .then_func("ten", async |x: i64| x * 10)
        .then_func("text", async |x: i64| x.to_string())
        .build()
        .unwrap();
    assert_eq!(automa.run(args!(4)).output::<String>().await.unwrap(), "50");
}

#[test]
fn arguments_that_do_not_fit_are_refused_before_the_tool_runs() {
    let error = SequentialAutoma::new("count")
        .then_func("one", async |x: i64| x + 1)
        .then_func("text", async |text: String| text)
        .build()
        .unwrap_err();
    expect!["automa `count`: parameter #1 of worker `text` takes `String`, but dependency `one` gives `i64`"]
    .assert_eq(&error.to_string());
}

#[tokio::test]
async fn results_come_in_the_order_of_the_branches_whichever_ends_first() {
    let (second_ended, wait) = oneshot::channel::<()>();
    let (wait, second_ended) =
        (std::sync::Mutex::new(Some(wait)), std::sync::Mutex::new(Some(second_ended)));
    let (wait, second_ended) = (std::sync::Arc::new(wait), std::sync::Arc::new(second_ended));
    let automa = ConcurrentAutoma::new("race")
        .branch_func("first", move || {
            let wait = wait.lock().unwrap().take().unwrap();
            async move {
                wait.await.unwrap();
                "first".to_owned()
            }
        })
        .branch_func("second", move || {
            second_ended.lock().unwrap().take().unwrap().send(()).unwrap();
            async { "second".to_owned() }
        })
        .build()
        .unwrap();
    assert_eq!(automa.run(()).output::<Vec<String>>().await.unwrap(), ["first", "second"]);
}

#[tokio::test]
async fn a_branch_adds_branches_and_those_add_more() {
    // A function that names itself says what future it gives.
    fn halve(n: u32, cx: Context) -> BoxFuture<'static, u32> {
        async move {
            if n > 1 {
                for half in ["a", "b"] {
                    let key = format!("{}{half}", cx.key());
                    ConcurrentAutoma::grow(&cx, key, AnyWorker::func(halve), (n / 2,));
                }
            }
            n
        }
        .boxed()
    }
    let automa = ConcurrentAutoma::new("halves").branch_func("n", halve).build().unwrap();
    assert_eq!(automa.run(args!(4)).output::<Vec<u32>>().await.unwrap(), [4, 2, 2, 1, 1, 1, 1]);
    assert_eq!(
        automa.run(args!(1)).output::<Vec<u32>>().await.unwrap(),
        [1],
        "a run leaves nothing behind"
    );
}

#[tokio::test]
async fn a_block_without_workers_is_accepted() {
    let sequential = SequentialAutoma::new("nothing").build().unwrap();
    assert_eq!(sequential.run(()).output::<Option<String>>().await.unwrap(), None);
    let concurrent = ConcurrentAutoma::new("nothing").build().unwrap();
    assert_eq!(concurrent.run(()).output::<Vec<String>>().await.unwrap(), Vec::<String>::new());
}

#[test]
fn a_taken_key_is_named() {
    let branches = ConcurrentAutoma::new("pair")
        .branch_func("a", async || 1)
        .branch_func("results", async || 2);
    expect!["automa `pair`: there is a worker `results` already: choose another key, or remove the other first"]
        .assert_eq(&branches.build().unwrap_err().to_string());
}

#[tokio::test]
async fn a_branch_takes_another_out() {
    let automa = ConcurrentAutoma::new("race")
        .branch_func("slow", async || 1)
        .branch_func("fast", async |cx: Context| {
            ConcurrentAutoma::take_out(&cx, "slow");
            2
        })
        .branch_func("other", async || 3)
        .build()
        .unwrap();
    assert_eq!(automa.run(()).output::<Vec<u32>>().await.unwrap(), [2, 3]);
}

#[tokio::test]
async fn workers_have_options() {
    let flaky = AnyWorker::func(async |n: u32, cx: Context| match cx.attempt() {
        1 => Err(WorkerError::msg("not yet")),
        attempt => Ok(n * attempt),
    });
    let once_more = || free().retry(Retry::times(1)).params(["n"]);
    let sequential = SequentialAutoma::new("in a row")
        .then_with("double", flaky.clone(), once_more())
        .then_with("again", flaky.clone(), once_more())
        .build()
        .unwrap();
    assert_eq!(sequential.run(args!(n = 5)).output::<u32>().await.unwrap(), 20);
    let concurrent = ConcurrentAutoma::new("side by side")
        .branch_with("double", flaky.clone(), once_more())
        .branch_with("none", AnyWorker::func(async || 1), free().suppressed())
        .build()
        .unwrap();
    assert_eq!(concurrent.run(args!(5)).output::<Vec<u32>>().await.unwrap(), [10, 1]);
}

#[tokio::test]
async fn workers_append_workers_and_those_append_more() {
    let append = async |n: u32, cx: Context| {
        let next = AnyWorker::func(async |n: u32, cx: Context| {
            let last = AnyWorker::func(async |n: u32| n * 10);
            SequentialAutoma::append(&cx, [("last", last)]);
            n + 1
        });
        SequentialAutoma::append(&cx, [("next", next)]);
        n + 1
    };
    let automa = SequentialAutoma::new("grows").then_func("first", append).growing();
    let automa = automa.build().unwrap();
    assert_eq!(automa.run(args!(1)).output::<u32>().await.unwrap(), 30);
    assert_eq!(automa.run(args!(2)).output::<u32>().await.unwrap(), 40);
}
