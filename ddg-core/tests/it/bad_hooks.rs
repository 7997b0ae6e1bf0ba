//! A hook that fails or panics is logged as a warning, and the run continues without it.

use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use expect_test::expect;

use super::recording::record;

/// Misbehaves in every hook, in its own way.
#[derive(Clone, Copy)]
enum Bad {
    Fails,
    Panics,
    PanicsAfterAwait,
}

impl Bad {
    async fn misbehave(self, hook: &str) -> Result<(), WorkerError> {
        match self {
            Self::Fails => Err(WorkerError::msg(format!("{hook} fails"))),
            Self::Panics => panic!("{hook} panics"),
            Self::PanicsAfterAwait => {
                tokio::task::yield_now().await;
                panic!("{hook} panics late")
            }
        }
    }
}

impl Callback for Bad {
    async fn will_run(&self, _cx: &Context, _args: &Args) -> Result<(), WorkerError> {
        self.misbehave("will_run").await
    }

    async fn did_run(&self, _cx: &Context, _output: &Value) -> Result<(), WorkerError> {
        self.misbehave("did_run").await
    }

    async fn did_fail(
        &self,
        _cx: &Context,
        _error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        self.misbehave("did_fail").await.map(|()| Some(Value::new("a substitute".to_owned())))
    }
}

/// Panics before there is a future.
struct Hasty;

impl Callback for Hasty {
    fn will_run(
        &self,
        _cx: &Context,
        _args: &Args,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send {
        if true {
            panic!("too hasty");
        }
        async { Ok(()) }
    }
}

/// Sees how a worker ended, and gives a substitute for its error.
struct Good(Arc<Mutex<Vec<String>>>);

impl Callback for Good {
    async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
        self.0.lock().unwrap().push(format!("{} will run {args:?}", cx.path()));
        Ok(())
    }

    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        self.0.lock().unwrap().push(format!("{} did run: {output:?}", cx.path()));
        Ok(())
    }

    async fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        self.0.lock().unwrap().push(format!("{} did fail: {error}", cx.path()));
        Ok(Some(Value::new(0)))
    }
}

fn parse() -> GraphAutoma {
    let mut automa = GraphAutoma::new("parse");
    let parse = |text: String| text.parse::<i64>();
    automa.add_func_as_worker("parse", parse, start().inline().output()).unwrap();
    automa
}

#[tokio::test]
async fn a_bad_hook_in_every_scope_changes_nothing() {
    for bad in [Bad::Fails, Bad::Panics, Bad::PanicsAfterAwait] {
        let mut automa = GraphAutoma::new("parse");
        let parse = |text: String| text.parse::<i64>();
        let options = start().inline().output().callback(bad).callback(Hasty);
        automa.add_func_as_worker("parse", parse, options).unwrap();
        automa.add_callback(bad);
        automa.add_callback(Hasty);
        assert_eq!(automa.run(args!("7")).output::<i64>().await.unwrap(), 7);
        let error = automa.run(args!("x")).output::<i64>().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "automa `parse`, step 1: worker `parse` failed: invalid digit found in string",
        );
    }
}

#[tokio::test]
async fn the_hooks_around_a_bad_one_see_what_they_would_see_without_it() {
    let seen = |bad: bool| async move {
        let (outer, inner) = (Arc::default(), Arc::default());
        let mut automa = parse();
        automa.add_callback(Good(Arc::clone(&outer)));
        if bad {
            automa.add_callback(Bad::Panics);
            automa.add_callback(Bad::Fails);
        }
        automa.add_callback(Good(Arc::clone(&inner)));
        assert_eq!(automa.run(args!("7")).output::<i64>().await.unwrap(), 7);
        assert_eq!(automa.run(args!("x")).output::<i64>().await.unwrap(), 0);
        let lines = [outer, inner].map(|seen| seen.lock().unwrap().join("\n"));
        lines.join("\n\n")
    };
    let expected = expect![[r#"
        parse will run ("7")
        parse did run: 7
        parse will run ("x")
        parse did run: 0

        parse will run ("7")
        parse did run: 7
        parse will run ("x")
        parse did fail: invalid digit found in string"#]];
    let with_bad = seen(true).await;
    expected.assert_eq(&with_bad);
    assert_eq!(seen(false).await, with_bad);
}

#[tokio::test]
async fn a_bad_hook_is_reported_as_a_warning() {
    let mut automa = parse();
    automa.add_callback(Bad::Fails);
    automa.add_callback(Bad::Panics);
    let runs = async {
        automa.run(args!("7")).output::<i64>().await.unwrap();
        expect!["automa `parse`, step 1: worker `parse` failed: invalid digit found in string"]
            .assert_eq(&automa.run(args!("x")).output::<i64>().await.unwrap_err().to_string());
    };
    let warnings = record(tracing::Level::WARN, runs).await;
    let expected = expect![[r#"
        warn: a callback failed; the run continues worker=parse hook="will_run" error=will_run fails
        warn: a callback failed; the run continues worker=parse hook="will_run" error=panicked: will_run panics
        warn: a callback failed; the run continues worker=parse hook="did_run" error=panicked: did_run panics
        warn: a callback failed; the run continues worker=parse hook="did_run" error=did_run fails
        warn: a callback failed; the run continues worker=parse hook="will_run" error=will_run fails
        warn: a callback failed; the run continues worker=parse hook="will_run" error=panicked: will_run panics
        warn: a callback failed; the run continues worker=parse hook="did_fail" error=panicked: did_fail panics
        warn: a callback failed; the run continues worker=parse hook="did_fail" error=did_fail fails
    "#]];
    expected.assert_eq(&warnings);
}
