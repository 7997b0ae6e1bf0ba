//! User types as workers: with state, configuration, and with or without a signature.

use std::sync::atomic::{AtomicU32, Ordering};

use ddg_core::prelude::*;
use expect_test::expect;

/// Greets; takes what it says it takes.
struct Greeter {
    greeting: &'static str,
}

impl Worker for Greeter {
    type Output = String;

    fn signature(&self) -> Signature {
        Signature::new().param::<String>("name").param::<Option<u32>>("times")
    }

    async fn run(&self, args: Args, _cx: &Context) -> Result<String, WorkerError> {
        // One value for each parameter, however it was given.
        assert_eq!((args.positional().len(), args.by_name().count()), (2, 0));
        let times = args.get::<Option<u32>>(1)?.unwrap_or(1);
        let name = args.get::<String>(0)?;
        Ok(vec![format!("{}, {name}!", self.greeting); times as usize].join(" "))
    }
}

/// Gives what it was called with; takes anything.
struct Echo;

impl Worker for Echo {
    type Output = String;

    async fn run(&self, args: Args, cx: &Context) -> Result<String, WorkerError> {
        Ok(format!("{} {args:?}", cx.key()))
    }
}

/// Counts its calls over all runs.
#[derive(Default)]
struct Counter(AtomicU32);

impl Worker for Counter {
    type Output = u32;

    async fn run(&self, _args: Args, _cx: &Context) -> Result<u32, WorkerError> {
        Ok(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Reads an argument that it may not have been given.
struct Strict;

impl Worker for Strict {
    type Output = i64;

    async fn run(&self, args: Args, cx: &Context) -> Result<i64, WorkerError> {
        cx.local().update("calls", |calls: &mut u32| *calls += 1);
        Ok(args.get::<i64>(0)? + args.named::<i64>("y")?)
    }
}

#[tokio::test]
async fn its_arguments_are_bound_by_its_signature() {
    let mut automa = GraphAutoma::new("greet");
    automa.add_worker("greet", Greeter { greeting: "Hello" }, start().output()).unwrap();
    let greet = async |args| automa.run(args).output::<String>().await.map_err(|e| e.to_string());
    assert_eq!(greet(args!("Ada")).await.unwrap(), "Hello, Ada!");
    assert_eq!(greet(args!(name = "Ada", times = 2_u32)).await.unwrap(), "Hello, Ada! Hello, Ada!");
    let expected = expect![[r#"
        automa `greet`, step 1: worker `greet` cannot be called: parameter `name` (`String`) got no argument: 0 given by position, none of that name"#]];
    expected.assert_eq(&greet(args!()).await.unwrap_err());
    let expected = expect![[r#"
        automa `greet`, step 1: worker `greet` cannot be called: parameter `name`: expected `String`, found `i32`"#]];
    expected.assert_eq(&greet(args!(7)).await.unwrap_err());
    let expected = expect![[r#"
        automa `greet`: no worker has a parameter `nmae`; did you mean `name`?"#]];
    expected.assert_eq(&greet(args!(nmae = "Ada")).await.unwrap_err());
}

#[tokio::test]
async fn its_types_are_checked_along_edges() {
    let mut automa = GraphAutoma::new("greet");
    automa.add_func_as_worker("number", async || 7, start()).unwrap();
    automa.add_worker("greet", Greeter { greeting: "Hi" }, after(["number"])).unwrap();
    automa.add_func_as_worker("len", async |_: u64| (), after(["greet"])).unwrap();
    let expected = expect![[r#"
        automa `greet`: 2 faults
        - parameter `name` of worker `greet` takes `String`, but dependency `number` gives `i32`
        - parameter #1 of worker `len` takes `u64`, but dependency `greet` gives `String`"#]];
    expected.assert_eq(&automa.validate().unwrap_err().to_string());
}

#[tokio::test]
async fn without_a_signature_it_takes_whatever_there_is() {
    let mut automa = GraphAutoma::new("echo");
    automa.add_worker("first", Echo, start()).unwrap();
    automa.add_func_as_worker("sum", async |a: i32, b: i32| a + b, start()).unwrap();
    automa.add_worker("second", Echo, after(["first", "sum"]).output()).unwrap();
    let text = automa.run(args!(1, 2)).output::<String>().await.unwrap();
    assert_eq!(text, r#"second ("first (1, 2)", 3)"#);

    let mut automa = GraphAutoma::new("echo");
    let begin = async |cx: &Context| cx.ferry_to("echo", args!(1, "two", three = 3.5));
    automa.add_func_as_worker("begin", begin, start()).unwrap();
    automa.add_worker("echo", Echo, free().output()).unwrap();
    assert_eq!(automa.run(()).output::<String>().await.unwrap(), r#"echo (1, "two", three = 3.5)"#);
}

/// Looks at a run input.
struct Look;

impl Worker for Look {
    type Output = Option<f64>;

    async fn run(&self, _args: Args, cx: &Context) -> Result<Option<f64>, WorkerError> {
        Ok(cx.input("three")?)
    }
}

#[tokio::test]
async fn without_a_signature_it_asks_the_context_for_run_inputs() {
    let mut automa = GraphAutoma::new("look");
    automa.add_worker("look", Look, start().output()).unwrap();
    assert_eq!(automa.run(args!(three = 3)).output::<Option<f64>>().await.unwrap(), Some(3.0));
    assert_eq!(automa.run(()).output::<Option<f64>>().await.unwrap(), None);
    let error = automa.run(args!(three = "three")).output::<Option<f64>>().await.unwrap_err();
    let expected = expect![[r#"
        automa `look`, step 1: worker `look` failed: expected `f64`, found `String`"#]];
    expected.assert_eq(&error.to_string());
}

#[tokio::test]
async fn it_has_state_that_outlives_runs() {
    let mut automa = GraphAutoma::new("count");
    automa.add_worker("count", Counter::default(), start().output()).unwrap();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 1);
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 2);
    assert_eq!(
        automa.clone().run(()).output::<u32>().await.unwrap(),
        3,
        "a clone shares its workers"
    );
}

#[tokio::test]
async fn an_argument_that_it_asks_for_and_was_not_given_is_its_error() {
    let mut automa = GraphAutoma::new("strict");
    let begin = async |what: String, cx: &Context| match what.as_str() {
        "nothing" => cx.ferry_to("strict", ()),
        "another name" => cx.ferry_to("strict", args!(1, z = 2)),
        "another type" => cx.ferry_to("strict", args!(1, y = "two")),
        _ => cx.ferry_to("strict", args!(1, y = 2)),
    };
    automa.add_func_as_worker("begin", begin, start()).unwrap();
    automa.add_worker("strict", Strict, free().output()).unwrap();
    let run =
        async |what: &str| automa.run(args!(what)).output::<i64>().await.map_err(|e| e.to_string());
    let expected = expect![[r#"
        automa `strict`, step 2: worker `strict` failed: argument 0 was not given"#]];
    expected.assert_eq(&run("nothing").await.unwrap_err());
    let expected = expect![[r#"
        automa `strict`, step 2: worker `strict` failed: argument `y` was not given"#]];
    expected.assert_eq(&run("another name").await.unwrap_err());
    let expected = expect![[r#"
        automa `strict`, step 2: worker `strict` failed: argument `y`: expected `i64`, found `String`"#]];
    expected.assert_eq(&run("another type").await.unwrap_err());
    assert_eq!(run("all").await.unwrap(), 3);
}

#[tokio::test]
async fn it_is_added_at_run_time_like_any_worker() {
    let mut automa = GraphAutoma::new("grown");
    let grow = async |cx: &Context| {
        cx.add_worker("own", Greeter { greeting: "Hi" }, after(["grow"]));
        cx.add_worker("any", AnyWorker::new(Echo), after(["own"]).output());
        "Ada".to_owned()
    };
    automa.add_func_as_worker("grow", grow, start()).unwrap();
    assert_eq!(automa.run(()).output::<String>().await.unwrap(), r#"any ("Hi, Ada!")"#);
}

#[tokio::test]
async fn one_worker_may_have_several_places() {
    let count = AnyWorker::new(Counter::default());
    let mut automa = GraphAutoma::new("count");
    automa.add_worker("one", count.clone(), start()).unwrap();
    automa.add_worker("two", count.clone(), after(["one"])).unwrap();
    automa.add_worker("three", count, after(["two"]).output()).unwrap();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 3);
}
