//! Functions as workers: async or sync, with 0 to 12 parameters of every kind, and with a value or
//! a `Result` as output.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;

use ddg_core::Data;
use ddg_core::prelude::*;
use ddg_core::worker::IntoFunc;
use expect_test::expect;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct City {
    name: String,
}

fn oslo() -> City {
    City { name: "Oslo".to_owned() }
}

/// What `function` gives for `args`.
async fn call<T: Data, M>(
    function: impl IntoFunc<M, Made = AnyWorker>,
    args: Args,
) -> Result<T, RunError> {
    let mut automa = GraphAutoma::new("call");
    automa.add_func_as_worker("function", function, start().output()).unwrap();
    automa.run(args).output().await
}

#[tokio::test]
async fn of_0_to_12_parameters() {
    macro_rules! sums {
        ($([$($x:ident)*])*) => {
            [$((
                AnyWorker::func(async |$($x: u32),*| { let sum: u32 = [$($x),*].iter().sum(); sum }),
                AnyWorker::func(|$($x: u32),*| { let sum: u32 = [$($x),*].iter().sum(); sum }),
            )),*]
        };
    }
    let functions = sums![
        [] [a] [a b] [a b c] [a b c d] [a b c d e] [a b c d e f] [a b c d e f g] [a b c d e f g h]
        [a b c d e f g h i] [a b c d e f g h i j] [a b c d e f g h i j k]
        [a b c d e f g h i j k l]
    ];
    assert_eq!(functions.len(), 13);
    for (n, (of_async, of_sync)) in (0..).zip(functions) {
        for function in [of_async, of_sync] {
            let mut automa = GraphAutoma::new("sum");
            automa.add_worker("sum", function, start().output()).unwrap();
            // Each its own weight, so that none can stand for another.
            let args = (0..n).fold(Args::new(), |args, place| args.with(1_u32 << place));
            assert_eq!(automa.run(args).output::<u32>().await.unwrap(), (1 << n) - 1);
        }
    }
}

#[tokio::test]
async fn twelve_parameters_keep_their_order() {
    let listed = async |a: u8,
                        b: u8,
                        c: u8,
                        d: u8,
                        e: u8,
                        f: u8,
                        g: u8,
                        h: u8,
                        i: u8,
                        j: u8,
                        k: u8,
                        l: u8| { vec![a, b, c, d, e, f, g, h, i, j, k, l] };
    let args = args!(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    assert_eq!(call::<Vec<u8>, _>(listed, args).await.unwrap(), (1..=12).collect::<Vec<u8>>());
}

#[expect(clippy::too_many_arguments, reason = "one for each way")]
async fn all_ways(
    value: City,
    borrowed: &City,
    cx: &Context,
    shared: Arc<City>,
    given: Option<City>,
    left_out: Option<City>,
    untyped: Value,
    owned_cx: Context,
) -> bool {
    tokio::task::yield_now().await;
    let untyped = untyped.get::<City>().unwrap();
    let all = [value, borrowed.clone(), City::clone(&shared), given.unwrap(), untyped];
    all.iter().all(|city| *city == oslo())
        && left_out.is_none()
        && cx.key() == "function"
        && owned_cx.step() == 1
}

#[tokio::test]
async fn parameters_taken_in_every_way() {
    let args = || Args::new().with(oslo()).with(oslo()).with(oslo()).with(oslo());
    let positional = args().with(None::<City>).with(oslo());
    assert!(call::<bool, _>(all_ways, positional).await.unwrap());
    let sync =
        |value: City, borrowed: &City, shared: Arc<City>, given: Option<City>, cx: &Context| {
            value == *borrowed && *shared == given.unwrap() && cx.step() == 1
        };
    assert!(call::<bool, _>(sync, args()).await.unwrap());
    let optional = async |city: Option<City>, shared: Option<Arc<City>>| (city, shared);
    let none: (Option<City>, Option<Arc<City>>) = call(optional, args!()).await.unwrap();
    assert_eq!(none, (None, None));
    let some: (Option<City>, Option<Arc<City>>) =
        call(optional, args!(oslo(), oslo())).await.unwrap();
    assert_eq!(some, (Some(oslo()), Some(Arc::new(oslo()))));
}

#[tokio::test]
async fn async_closures_that_borrow_their_parameters() {
    let borrowing = async |city: &City, times: &usize, cx: &Context| {
        tokio::task::yield_now().await;
        format!("{} {}", cx.key(), city.name.repeat(*times))
    };
    let text: String = call(borrowing, args!(oslo(), 2_usize)).await.unwrap();
    assert_eq!(text, "function OsloOslo");
}

#[tokio::test]
async fn closures_that_hold_something() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let counts = move |x: i64| {
        counted.fetch_add(1, Ordering::Relaxed);
        let counted = Arc::clone(&counted);
        async move {
            counted.fetch_add(1, Ordering::Relaxed);
            x
        }
    };
    assert_eq!(call::<i64, _>(counts, args!(3)).await.unwrap(), 3);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(Arc::strong_count(&calls), 1, "dropped with its automa");
}

async fn identity<T: Data>(x: T) -> T {
    x
}

struct Scale(i64);

impl Scale {
    fn times(&self, x: i64) -> i64 {
        self.0 * x
    }

    async fn doubled(x: i64) -> i64 {
        2 * x
    }
}

#[tokio::test]
async fn generic_functions_methods_and_pointers() {
    assert_eq!(call::<i64, _>(identity::<i64>, args!(3)).await.unwrap(), 3);
    assert_eq!(call::<City, _>(identity::<City>, args!(oslo())).await.unwrap(), oslo());
    assert_eq!(call::<i64, _>(Scale::doubled, args!(3)).await.unwrap(), 6);
    let scale = Scale(5);
    assert_eq!(call::<i64, _>(move |x: i64| scale.times(x), args!(3)).await.unwrap(), 15);
    let pointer: fn(i64) -> i64 = i64::abs;
    assert_eq!(call::<i64, _>(pointer, args!(-3)).await.unwrap(), 3);
    let boxed: Box<dyn Fn(i64) -> i64 + Send + Sync> = Box::new(|x| x + 1);
    assert_eq!(call::<i64, _>(move |x: i64| boxed(x), args!(3)).await.unwrap(), 4);
}

#[tokio::test]
async fn a_synchronous_function_runs_on_another_thread_unless_it_is_inline() {
    let thread_of = |options: WorkerOptions| async move {
        let mut automa = GraphAutoma::new("threads");
        let id = || format!("{:?}", thread::current().id());
        automa.add_func_as_worker("id", id, options.start().output()).unwrap();
        automa.run(()).output::<String>().await.unwrap()
    };
    let here = format!("{:?}", thread::current().id());
    assert_eq!(thread_of(free().inline()).await, here);
    assert_ne!(thread_of(free().blocking()).await, here);
    assert_ne!(thread_of(free()).await, here);
    assert_eq!(thread_of(free().blocking().inline()).await, here, "the last one counts");
}

#[tokio::test]
async fn blocking_functions_of_a_step_run_side_by_side() {
    let barrier = Arc::new(std::sync::Barrier::new(3));
    let mut automa = GraphAutoma::new("side by side");
    for key in ["a", "b", "c"] {
        let barrier = Arc::clone(&barrier);
        // Each waits until all three are there.
        automa.add_func_as_worker(key, move || _ = barrier.wait(), start()).unwrap();
    }
    assert_eq!(automa.run(()).await.unwrap().steps(), 1);
}

#[test]
fn without_a_runtime_inline_functions_run_and_blocking_ones_say_what_they_need() {
    let run = |options: WorkerOptions| {
        let mut automa = GraphAutoma::new("alone");
        automa.add_func_as_worker("one", || 1, options.start().output()).unwrap();
        let run = futures::FutureExt::now_or_never(automa.run(()).output::<i32>());
        run.expect("nobody waits")
    };
    assert_eq!(run(free().inline()).unwrap(), 1);
    let expected = expect![[r#"
        automa `alone`, step 1: worker `one` failed: a synchronous worker needs a tokio runtime for its blocking pool: run it within one, or mark the worker `inline`"#]];
    expected.assert_eq(&run(free()).unwrap_err().to_string());
    let expected = expect![[r#"
        automa `alone`, step 1: worker `one` failed: a timeout needs a tokio runtime: run it within one"#]];
    let timed = free().inline().timeout(std::time::Duration::from_secs(1));
    expected.assert_eq(&run(timed).unwrap_err().to_string());
}

/// An error that is not data.
#[derive(Debug)]
struct Closed(City);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is closed", self.0.name)
    }
}

impl Error for Closed {}

#[tokio::test]
async fn results_with_errors_of_every_kind() {
    let io = async |ok: bool| match ok {
        true => Ok(1),
        false => Err(std::io::Error::other("no disk")),
    };
    let own = async |ok: bool| if ok { Ok(1) } else { Err(Closed(oslo())) };
    let boxed = async |ok: bool| -> Result<i32, Box<dyn Error + Send + Sync>> {
        if ok { Ok(1) } else { Err("boxed")? }
    };
    let text = async |ok: bool| if ok { Ok(1) } else { Err("text".to_owned()) };
    let data = async |ok: bool| if ok { Ok(1) } else { Err(oslo()) };
    let engines = async |ok: bool| -> Result<i32, WorkerError> {
        if ok { Ok(1) } else { Err(Closed(oslo()))? }
    };
    let sync = |ok: bool| if ok { Ok(1) } else { Err(fmt::Error) };
    let functions = [
        (AnyWorker::func(io), "no disk"),
        (AnyWorker::func(own), "Oslo is closed"),
        (AnyWorker::func(boxed), "boxed"),
        (AnyWorker::func(text), "text"),
        (AnyWorker::func(data), r#"{"name":"Oslo"}"#),
        (AnyWorker::func(engines), "Oslo is closed"),
        (AnyWorker::func(sync), "an error occurred when formatting an argument"),
    ];
    for (function, message) in functions {
        let mut automa = GraphAutoma::new("call");
        automa.add_worker("function", function, start().output()).unwrap();
        assert_eq!(automa.run(args!(true)).output::<i32>().await.unwrap(), 1);
        let error = automa.run(args!(false)).output::<i32>().await.unwrap_err().to_string();
        assert_eq!(error, format!("automa `call`, step 1: worker `function` failed: {message}"));
    }
}

#[tokio::test]
async fn the_very_error_can_be_had_of_a_failure() {
    let own = async || Err::<(), _>(Closed(oslo()));
    let error = call::<(), _>(own, args!()).await.unwrap_err();
    let closed = error.downcast_ref::<Closed>().unwrap();
    assert_eq!(closed.0, oslo());
}

/// A worker that gives nothing orders others and hands them nothing, whatever its error is.
#[tokio::test]
async fn results_without_a_value_only_order() {
    let io = AnyWorker::func(async || Ok::<(), std::io::Error>(()));
    let engines = AnyWorker::func(async || Ok::<(), WorkerError>(()));
    let text = AnyWorker::func(async || Ok::<(), String>(()));
    for (error, function) in [("io", io), ("engine's", engines), ("text", text)] {
        let mut automa = GraphAutoma::new("order");
        automa.add_worker("first", function, start()).unwrap();
        automa.add_func_as_worker("then", async || 7, after(["first"]).output()).unwrap();
        let then = automa.run(()).output::<i32>().await;
        assert_eq!(then.map_err(|e| e.to_string()), Ok(7), "with the {error} error");
    }
}

#[tokio::test]
async fn outputs_of_every_form() {
    let option = async |some: bool| some.then(oslo);
    assert_eq!(call::<Option<City>, _>(option, args!(true)).await.unwrap(), Some(oslo()));
    assert_eq!(call::<Option<City>, _>(option, args!(false)).await.unwrap(), None);
    let shared = async || Arc::new(oslo());
    assert_eq!(call::<City, _>(shared, args!()).await.unwrap(), oslo());
    assert_eq!(*call::<Arc<City>, _>(shared, args!()).await.unwrap(), oslo());
    let json = async || serde_json::json!({"name": "Oslo"});
    assert_eq!(call::<City, _>(json, args!()).await.unwrap(), oslo());
    let value = async || Value::new(oslo());
    assert_eq!(call::<City, _>(value, args!()).await.unwrap(), oslo());
    call::<(), _>(async || (), args!()).await.unwrap();
}

/// [W4]
#[tokio::test]
async fn a_function_with_state_takes_it_before_its_parameters() {
    struct Shop {
        prices: BTreeMap<&'static str, i64>,
        n_asked: AtomicU32,
    }

    async fn total(shop: &Shop, item: &String, n: Option<i64>, cx: &Context) -> i64 {
        shop.n_asked.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        shop.prices[&**item] * n.unwrap_or(cx.step() as i64)
    }

    let prices = BTreeMap::from([("tea", 3), ("cake", 5)]);
    let shop = Arc::new(Shop { prices, n_asked: AtomicU32::new(0) });
    let mut automa = GraphAutoma::new("shop");
    let begin = with("tea".to_owned(), async |item: &String| item.clone());
    automa.add_func_as_worker("begin", begin, start()).unwrap();
    let async_closure = async |shop: &Arc<Shop>, item: String, cx: Context| {
        tokio::task::yield_now().await;
        shop.prices[&*item] + cx.step() as i64
    };
    automa
        .add_func_as_worker("closure", with(Arc::clone(&shop), async_closure), after(["begin"]))
        .unwrap();
    let sync_closure = |shop: &Arc<Shop>, item: &String| -> Result<i64, WorkerError> {
        let price = shop.prices.get(&**item).copied();
        price.ok_or_else(|| WorkerError::msg("not for sale"))
    };
    automa
        .add_func_as_worker("sync", with(Arc::clone(&shop), sync_closure), after(["begin"]))
        .unwrap();
    let add = with(100, |more: &i64, a: i64, b: i64, c: i64| more + a + b + c);
    let options = after(["closure", "sync", "total"]).inline().output();
    automa.add_func_as_worker("add", add, options).unwrap();
    struct State(Arc<Shop>);
    let of_fn = async |State(shop): &State, item: String| total_of(shop, item).await;
    async fn total_of(shop: &Shop, item: String) -> i64 {
        shop.prices[&*item] * 10
    }
    automa.add_func_as_worker("total", with(State(shop.clone()), of_fn), after(["begin"])).unwrap();
    assert_eq!(automa.run(()).output::<i64>().await.unwrap(), 100 + 5 + 3 + 30);

    // Shared by all runs.
    let mut automa = GraphAutoma::new("shop");
    let shop = Arc::into_inner(shop);
    assert!(shop.is_none(), "the first automa holds it");
    let shop = Shop { prices: BTreeMap::from([("tea", 3)]), n_asked: AtomicU32::new(0) };
    let options = start().params(["item", "n"]).output();
    automa.add_func_as_worker("total", with(shop, total), options).unwrap();
    let count = with(7, async |n: &u32| *n);
    automa.add_func_as_worker("count", count, after(["total"]).suppressed()).unwrap();
    assert_eq!(automa.run(args!("tea")).output::<i64>().await.unwrap(), 3);
    assert_eq!(automa.run(args!("tea", n = 4)).output::<i64>().await.unwrap(), 12);
}

/// [A2]
#[tokio::test]
async fn a_function_with_state_has_as_many_parameters_as_one_without() {
    let sum = with(
        1_u64,
        async |one: &u64,
               a: u64,
               b: u64,
               c: u64,
               d: u64,
               e: u64,
               f: u64,
               g: u64,
               h: u64,
               i: u64,
               j: u64,
               k: u64,
               l: u64| { one + a + b + c + d + e + f + g + h + i + j + k + l },
    );
    let mut automa = GraphAutoma::new("many");
    automa.add_func_as_worker("sum", sum, start().output()).unwrap();
    let sum: u64 = automa.run(args!(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)).output().await.unwrap();
    assert_eq!(sum, 79);
}
