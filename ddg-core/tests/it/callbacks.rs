//! Callbacks: hooks around workers, in three scopes.

use std::sync::{Arc, Mutex};

use ddg_core::callback;
use ddg_core::prelude::*;
use expect_test::expect;

use crate::trace::{add, end, name};

/// What a hook does besides writing down that it was called.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Watch,
    Fail,
    Panic,
    Substitute,
}

/// Writes down every call of a hook for workers of automata called `automa …`.
#[derive(Clone)]
struct Hook {
    scope: &'static str,
    does: Does,
    log: Log,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn hook(&self, scope: &'static str, does: Does) -> Hook {
        Hook { scope, does, log: self.clone() }
    }

    fn watch(&self, scope: &'static str) -> Hook {
        self.hook(scope, Does::Watch)
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Hook {
    fn called<T>(&self, cx: &Context, what: &str, result: T) -> Result<T, WorkerError> {
        let line = format!("{}: {} {what}\n", self.scope, cx.path());
        self.log.0.lock().unwrap().push_str(&line);
        match self.does {
            Does::Watch | Does::Substitute => Ok(result),
            Does::Fail => Err(WorkerError::msg("a hook that fails")),
            Does::Panic => panic!("a hook that panics"),
        }
    }
}

impl Callback for Hook {
    async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
        self.called(cx, &format!("will run {args:?}"), ())
    }

    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        self.called(cx, &format!("did run: {output:?}"), ())
    }

    async fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        let substitute = (self.does == Does::Substitute).then(|| Value::new("instead".to_owned()));
        self.called(cx, &format!("did fail: {error}"), substitute)
    }
}

async fn bad() -> Result<String, WorkerError> {
    Err(WorkerError::msg("no"))
}

/// [C1]
#[tokio::test]
async fn start_hooks_run_from_the_outside_in_and_end_hooks_from_the_inside_out() {
    let log = Log::default();
    let mut automa = GraphAutoma::new("scopes");
    let options = start().callback(log.watch("worker 1")).callback(log.watch("worker 2"));
    automa.add_func_as_worker("a", name, options).unwrap();
    add(&mut automa, "b", after(["a"]));
    automa.add_callback(log.watch("automa 1"));
    automa.add_callback(log.watch("automa 2"));

    automa.run(()).output::<()>().await.unwrap();
    expect![[r#"
        automa 1: a will run ()
        automa 2: a will run ()
        worker 1: a will run ()
        worker 2: a will run ()
        worker 2: a did run: "a"
        worker 1: a did run: "a"
        automa 2: a did run: "a"
        automa 1: a did run: "a"
        automa 1: b will run ()
        automa 2: b will run ()
        automa 2: b did run: "b"
        automa 1: b did run: "b"
    "#]]
    .assert_eq(&log.take());
}

/// [C1]
#[tokio::test]
async fn process_wide_callbacks_are_outermost_and_hold_for_runs_that_start_while_installed() {
    /// Other tests run in this process at the same time: look at one automa only.
    struct Only(Hook);
    impl Callback for Only {
        async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
            match cx.automa().name() {
                "process-wide" => self.0.will_run(cx, args).await,
                _ => Ok(()),
            }
        }
    }
    let log = Log::default();
    let mut automa = GraphAutoma::new("process-wide");
    automa.add_callback(log.watch("automa"));
    add(&mut automa, "a", start());
    let gate = Arc::new(tokio::sync::Notify::new());
    let wait = {
        let gate = Arc::clone(&gate);
        move || {
            let gate = Arc::clone(&gate);
            async move { gate.notified().await }
        }
    };
    automa.add_func_as_worker("wait", wait, after(["a"]).suppressed()).unwrap();
    add(&mut automa, "z", after(["wait"]));

    let first = callback::install(Only(log.watch("process 1")));
    let second = callback::install(Only(log.watch("process 2")));
    let run = automa.run(()).spawn();
    tokio::task::yield_now().await;
    drop((first, second));
    gate.notify_one();
    run.await.unwrap();
    let starts = |text: String| -> String {
        text.lines()
            .filter(|line| line.contains("will run"))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    expect![[r#"
        process 1: a will run ()
        process 2: a will run ()
        automa: a will run ()
        process 1: wait will run ()
        process 2: wait will run ()
        automa: wait will run ()
        process 1: z will run ()
        process 2: z will run ()
        automa: z will run ()
    "#]]
    .assert_eq(&starts(log.take()));

    gate.notify_one();
    automa.run(()).output::<()>().await.unwrap();
    expect![[r#"
        automa: a will run ()
        automa: wait will run ()
        automa: z will run ()
    "#]]
    .assert_eq(&starts(log.take()));
}

/// [C2] [W1]
#[tokio::test]
async fn a_kickoff_is_hooked_once_however_often_it_is_tried() {
    let log = Log::default();
    let mut automa = GraphAutoma::new("retried");
    let third = async |cx: Context| match cx.attempt() {
        attempt @ ..3 => Err(WorkerError::msg(format!("attempt {attempt}"))),
        attempt => Ok(attempt),
    };
    automa.add_func_as_worker("third", third, start().retry(Retry::times(2))).unwrap();
    automa.add_func_as_worker("never", bad, start().retry(Retry::times(2))).unwrap();
    automa.add_callback(log.watch("automa"));

    let error = automa.run(()).output::<()>().await.unwrap_err();
    assert_eq!(error.to_string(), "automa `retried`, step 1: worker `never` failed: no");
    expect![[r#"
        automa: third will run ()
        automa: never will run ()
        automa: never did fail: no
        automa: third did run: 3
    "#]]
    .assert_eq(&log.take());
}

/// [C3]
#[tokio::test]
async fn nested_automata_and_workers_added_at_run_time_inherit() {
    let log = Log::default();
    let mut inner = GraphAutoma::new("inner");
    add(&mut inner, "a", start());
    inner.add_callback(log.watch("inner"));
    let mut automa = GraphAutoma::new("outer");
    automa.add_callback(log.watch("outer"));
    automa.add_worker("inner", inner, start().callback(log.watch("worker"))).unwrap();
    let grow = async |cx: Context| {
        cx.add_func_as_worker("new", name, free());
        cx.ferry_to("new", ());
    };
    automa.add_func_as_worker("grow", grow, after(["inner"]).suppressed()).unwrap();

    automa.run(()).output::<()>().await.unwrap();
    expect![[r#"
        outer: inner will run ()
        worker: inner will run ()
        outer: inner/a will run ()
        inner: inner/a will run ()
        inner: inner/a did run: "a"
        outer: inner/a did run: "a"
        worker: inner did run: null
        outer: inner did run: null
        outer: grow will run ()
        outer: grow did run: null
        outer: new will run ()
        outer: new did run: "new"
    "#]]
    .assert_eq(&log.take());
}

/// [C4]
#[tokio::test]
async fn an_error_hook_may_give_an_output_and_hooks_further_out_see_a_worker_that_has_run() {
    let log = Log::default();
    let mut automa = GraphAutoma::new("substitute");
    let options = start()
        .callback(log.watch("out"))
        .callback(log.hook("substitute", Does::Substitute))
        .callback(log.watch("in"));
    automa.add_func_as_worker("bad", bad, options).unwrap();
    automa.add_func_as_worker("next", async |x: String| x, after(["bad"]).output()).unwrap();

    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "instead");
    expect![[r#"
        out: bad will run ()
        substitute: bad will run ()
        in: bad will run ()
        in: bad did fail: no
        substitute: bad did fail: no
        out: bad did run: "instead"
    "#]]
    .assert_eq(&log.take());
}

/// [C4] [S9]
#[tokio::test]
async fn the_effects_of_a_failed_worker_are_dropped_when_its_error_is_replaced() {
    for retry in [None, Some(Retry::times(1))] {
        let log = Log::default();
        let mut automa = GraphAutoma::new("substitute");
        let bad = async |cx: Context| {
            cx.ferry_to("ghost", ());
            cx.add_func_as_worker("new", name, free());
            Err::<String, _>(WorkerError::msg("no"))
        };
        let options = start().callback(log.hook("substitute", Does::Substitute));
        let options = match retry {
            Some(retry) => options.retry(retry),
            None => options,
        };
        automa.add_func_as_worker("bad", bad, options).unwrap();
        add(&mut automa, "ghost", free());

        let outcome = automa.run(()).await.unwrap();
        assert!(!outcome.automa().contains("new"), "{retry:?}");
        assert!(outcome.automa().output("ghost").is_none(), "{retry:?}");
    }
}

/// [C5]
#[tokio::test]
async fn a_hook_that_fails_or_panics_loses_neither_the_run_nor_the_other_hooks() {
    for does in [Does::Fail, Does::Panic] {
        let log = Log::default();
        let mut automa = GraphAutoma::new("broken");
        automa.add_callback(log.watch("out"));
        automa.add_callback(log.hook("broken", does));
        automa.add_callback(log.watch("in"));
        automa.add_func_as_worker("a", name, start()).unwrap();
        automa.add_func_as_worker("bad", bad, after(["a"]).suppressed()).unwrap();

        expect![[r#"
            error: automa `broken`, step 2: worker `bad` failed: no
        "#]]
        .assert_eq(&end(automa.run(()).await));
        expect![[r#"
            out: a will run ()
            broken: a will run ()
            in: a will run ()
            in: a did run: "a"
            broken: a did run: "a"
            out: a did run: "a"
            out: bad will run ()
            broken: bad will run ()
            in: bad will run ()
            in: bad did fail: no
            broken: bad did fail: no
            out: bad did fail: no
        "#]]
        .assert_eq(&log.take());
    }
}

/// Writes down the hooks of runs.
struct RunHook(&'static str, Log);

impl RunHook {
    fn called(&self, what: &str) -> Result<(), WorkerError> {
        let line = format!("{}: {what}\n", self.0);
        self.1.0.lock().unwrap().push_str(&line);
        match self.0 {
            "fails" => Err(WorkerError::msg("a hook that fails")),
            "panics" => panic!("a hook that panics"),
            _ => Ok(()),
        }
    }
}

impl Callback for RunHook {
    async fn run_will_start(&self, automa: &str) -> Result<(), WorkerError> {
        self.called(&format!("`{automa}` will start"))
    }

    async fn run_did_end(&self, outcome: &Outcome) -> Result<(), WorkerError> {
        let how = (outcome.is_paused(), outcome.stopped(), outcome.output().clone());
        self.called(&format!("did end {how:?}"))
    }

    async fn run_did_fail(&self, automa: &str, error: &RunError) -> Result<(), WorkerError> {
        self.called(&format!("`{automa}` did fail: {error}"))
    }

    async fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        self.called(&format!("{} in step {} ({}): {error}", cx.path(), cx.step(), cx.cause()))?;
        Ok(Some(Value::new(1)))
    }
}

/// [C7] [C5] [C1]
#[tokio::test]
async fn a_run_has_hooks_each_time_it_begins_or_is_resumed() {
    let log = Log::default();
    let mut inner = GraphAutoma::new("inner");
    let ask = async |cx: Context| Ok::<i32, WorkerError>(cx.interact_with_human("how many?")?);
    inner.add_func_as_worker("ask", ask, start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start().output()).unwrap();
    for name in ["outside", "fails", "panics", "inside"] {
        automa.add_callback(RunHook(name, log.clone()));
    }

    let mut snapshot = automa.run(()).await.unwrap().snapshot().unwrap();
    let question = snapshot.questions().remove(0);
    snapshot.answer(&question.id, 3).unwrap();
    assert_eq!(automa.resume(snapshot).output::<i32>().await.unwrap(), 3);
    expect![[r#"
        outside: `outer` will start
        fails: `outer` will start
        panics: `outer` will start
        inside: `outer` will start
        inside: did end (true, false, null)
        panics: did end (true, false, null)
        fails: did end (true, false, null)
        outside: did end (true, false, null)
        outside: `outer` will start
        fails: `outer` will start
        panics: `outer` will start
        inside: `outer` will start
        inside: did end (false, false, 3)
        panics: did end (false, false, 3)
        fails: did end (false, false, 3)
        outside: did end (false, false, 3)
    "#]]
    .assert_eq(&log.take());

    automa.set_max_steps(0);
    assert!(matches!(automa.run(()).await, Err(RunError::StepLimit { .. })));
    expect![[r#"
        outside: `outer` will start
        fails: `outer` will start
        panics: `outer` will start
        inside: `outer` will start
        inside: `outer` did fail: automa `outer`: reached its limit of steps, 0, with `inner` still ready
        panics: `outer` did fail: automa `outer`: reached its limit of steps, 0, with `inner` still ready
        fails: `outer` did fail: automa `outer`: reached its limit of steps, 0, with `inner` still ready
        outside: `outer` did fail: automa `outer`: reached its limit of steps, 0, with `inner` still ready
    "#]].assert_eq(&log.take());

    // It cannot begin.
    assert!(matches!(automa.run(args!(5)).await, Err(RunError::UnusedArguments { .. })));
    assert_eq!(log.take(), "");
}

/// [C6] [S2]
#[tokio::test]
async fn a_worker_that_cannot_be_called_is_told_to_its_error_hooks() {
    let log = Log::default();
    let mut automa = GraphAutoma::new("unfit");
    automa.add_func_as_worker("a", async |cx: Context| cx.ferry_to("c", (1, 2)), start()).unwrap();
    let c = async |x: String| x;
    automa.add_func_as_worker("b", async || 1, after(["a"])).unwrap();
    automa.add_func_as_worker("c", c, free().callback(RunHook("worker", log.clone()))).unwrap();
    automa.add_callback(RunHook("automa", log.clone()));

    assert!(matches!(automa.run(()).await, Err(RunError::Step(_))));
    expect![[r#"
        automa: `unfit` will start
        worker: c in step 2 (ferry by `a`): parameter #1: expected `String`, found `i32`
        automa: c in step 2 (ferry by `a`): parameter #1: expected `String`, found `i32`
        automa: `unfit` did fail: automa `unfit`, step 2: worker `c` cannot be called: parameter #1: expected `String`, found `i32`
    "#]].assert_eq(&log.take());
}

/// Ferries before and after the worker.
struct Jumps;

impl Callback for Jumps {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        cx.ferry_to("log", ("start hook",));
        Ok(())
    }

    async fn did_run(&self, cx: &Context, _: &Value) -> Result<(), WorkerError> {
        cx.ferry_to("log", ("end hook",));
        Ok(())
    }

    async fn did_fail(&self, cx: &Context, _: &WorkerError) -> Result<Option<Value>, WorkerError> {
        cx.ferry_to("log", ("error hook",));
        Ok(cx.input::<bool>("saved")?.unwrap_or_default().then(Value::null))
    }
}

/// [C8] [S9] [C4]
#[tokio::test]
async fn what_hooks_ask_for_counts_around_what_the_worker_asks_for() {
    let mut automa = GraphAutoma::new("jumps");
    let jump = async |fails: bool, cx: Context| {
        cx.ferry_to("log", ("worker",));
        if fails { Err(WorkerError::msg("no")) } else { Ok(()) }
    };
    automa.add_func_as_worker("jump", jump, start().callback(Jumps)).unwrap();
    let log = async |by: String, cx: Context| {
        cx.local().update("all", |all: &mut Vec<String>| {
            all.push(by);
            all.clone()
        })
    };
    automa.add_func_as_worker("log", log, free().output()).unwrap();
    automa.declare_input("saved");
    automa.set_max_concurrency(1);

    let logged = async |args: Args| automa.run(args).output::<Vec<String>>().await;
    assert_eq!(logged(args!(false)).await.unwrap(), ["start hook", "worker", "end hook"]);
    let saved = logged(args!(true, saved = true)).await.unwrap();
    assert_eq!(saved, ["start hook", "error hook"]);
    expect!["automa `jumps`, step 1: worker `jump` failed: no"]
        .assert_eq(&logged(args!(true)).await.unwrap_err().to_string());
}
