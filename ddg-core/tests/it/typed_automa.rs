//! Automata declared by methods: the code of `#[automa]` and `#[worker]` does at run time what it
//! declares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ddg_core::prelude::*;
use ddg_core::{Data, Key};
use expect_test::expect;
use futures::{Stream, StreamExt, stream};

struct Adder;

#[automa]
impl Adder {
    #[worker(start)]
    async fn increment(&self, x: i64) -> i64 {
        x + 1
    }

    #[worker(dependencies = [increment])]
    async fn add_two(x: i64) -> i64 {
        x + 2
    }

    #[worker(dependencies = [increment, add_two], output)]
    fn sum(&self, a: i64, b: i64) -> i64 {
        self.helper(a, b)
    }

    fn helper(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

#[tokio::test]
async fn the_output_has_the_type_of_the_output_worker() {
    let y: i64 = Adder.run(args!(x = 10)).await.unwrap();
    assert_eq!(y, 24);
    let adder: TypedAutoma<i64> = Adder.build().unwrap();
    assert_eq!(adder.run(args!(10)).await.unwrap() + 1, 25);
    assert_eq!(adder.name(), "Adder");
    assert!(adder.keys().eq(["increment", "add_two", "sum"].map(Key::from).iter()));
    assert_eq!(adder.dependencies("sum").unwrap(), ["increment", "add_two"]);
}

#[tokio::test]
async fn a_typed_automa_can_be_nested_and_changed() {
    let mut adder = Adder.build().unwrap();
    adder.add_func_as_worker("beside", async || (), start()).unwrap();
    assert_eq!(adder.run(args!(10)).await.unwrap(), 24);
    assert_eq!(adder.run(args!(x = 10)).await.unwrap(), 24);

    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("adder", Adder.build().unwrap(), start()).unwrap();
    let negate = async |x: i64| -x;
    outer.add_func_as_worker("negate", negate, after(["adder"]).output()).unwrap();
    assert_eq!(outer.run(args!(10)).output::<i64>().await.unwrap(), -24);
}

#[tokio::test]
async fn misspelled_inputs_are_refused_with_the_methods_parameter_names() {
    let expected =
        expect!["automa `Adder`: no worker has a parameter `number`; there are: a, b, x"];
    expected.assert_eq(&Adder.run(args!(number = 10)).await.unwrap_err().to_string());
    let expected = expect![[r#"
        automa `Adder`, step 1: worker `increment` cannot be called: parameter `x`: expected `i64`, found `String`"#]];
    expected.assert_eq(&Adder.run(args!("ten")).await.unwrap_err().to_string());
}

/// Has state that its workers share over all runs.
struct Counter {
    runs: AtomicU32,
    label: String,
}

#[automa(name = "the counter")]
impl Counter {
    #[worker(start)]
    async fn count(&self) -> u32 {
        self.runs.fetch_add(1, Ordering::Relaxed) + 1
    }

    #[worker(dependencies = [count], output)]
    async fn tell(&self, count: &u32, cx: &Context) -> String {
        format!("{} of {}: {count}", self.label, cx.automa().name())
    }
}

#[tokio::test]
async fn self_is_shared_by_all_runs() {
    let counter = Counter { runs: AtomicU32::new(0), label: "run".into() }.build().unwrap();
    assert_eq!(counter.run(()).await.unwrap(), "run of the counter: 1");
    assert_eq!(counter.run(()).await.unwrap(), "run of the counter: 2");
    assert_eq!(counter.clone().run(()).await.unwrap(), "run of the counter: 3");
}

struct Tools;

#[automa(output = Vec<String>)]
impl Tools {
    #[worker(start)]
    async fn plan(&self, words: Vec<String>, cx: &Context) -> Vec<String> {
        let mut keys = Vec::new();
        for (n, word) in words.iter().enumerate() {
            let key = format!("tool {n}");
            cx.add_func_as_worker(&key, Self::TOOL, free());
            cx.ferry_to(&key, (word.clone(),));
            keys.push(key);
        }
        cx.add_func_as_worker("collect", Self::COLLECT, after(keys).merge().output());
        words
    }

    #[worker(detached, timeout = Duration::from_secs(60))]
    async fn tool(&self, word: String, cx: &Context) -> String {
        format!("{}: {}", cx.key(), word.to_uppercase())
    }

    #[worker(detached)]
    async fn collect(
        &self,
        answers: Vec<String>,
        #[from(plan)] words: &[String],
        #[from(dynamic("nobody"), default = 7)] number: i64,
    ) -> Vec<String> {
        answers.into_iter().chain([format!("{} words, {number}", words.len())]).collect()
    }
}

#[tokio::test]
async fn detached_workers_are_placed_at_run_time() {
    let words = vec!["one".to_owned(), "two".to_owned()];
    let answers = Tools.run((words,)).await.unwrap();
    assert_eq!(answers, ["tool 0: ONE", "tool 1: TWO", "2 words, 7"]);
    assert!(Tools.build().unwrap().keys().eq([Key::from("plan")].iter()));
}

struct Injected;

#[automa]
impl Injected {
    #[worker(start)]
    async fn begin(&self, ferry: bool, cx: &Context) -> i64 {
        if ferry {
            cx.ferry_to(Self::LOOKS, (1,));
        }
        5
    }

    #[worker(key = "in between", dependencies = [begin])]
    async fn between(&self, x: i64) -> i64 {
        x * 2
    }

    #[worker(dependencies = [between], output)]
    async fn looks(
        &self,
        x: i64,
        #[from(begin)] begun: i64,
        #[from("in between", default = -1)] between: i64,
        #[from(looks, default = None)] last: Option<Vec<i64>>,
    ) -> Vec<i64> {
        let last = last.map_or(0, |last| last.len());
        vec![x, begun, between, i64::try_from(last).unwrap()]
    }
}

#[tokio::test]
async fn from_gives_the_last_output_or_the_default() {
    let injected = Injected.build().unwrap();
    assert_eq!(injected.run(args!(false)).await.unwrap(), [10, 5, 10, 0]);
    let outcome = injected.run(args!(true)).outcome().await.unwrap();
    // It ran twice: ferried to beside `in between`, and after it.
    assert_eq!(outcome.steps(), 3);
    assert_eq!(outcome.into_output::<Vec<i64>>().unwrap(), [10, 5, 10, 4]);
}

#[tokio::test]
async fn a_worker_is_ferried_to_by_its_constant_with_a_key_of_its_own() {
    assert_eq!(Injected::BETWEEN.key(), "in between");
    assert!(Injected.build().unwrap().dependencies("looks").unwrap() == ["in between"]);
}

/// Borrows what it is given.
struct Borrowing;

#[automa]
impl Borrowing {
    #[worker(start, output)]
    async fn tell(&self, number: &f64, text: &str, list: &[u8], maybe: Option<u8>) -> String {
        format!("{number} {text} {list:?} {maybe:?}")
    }
}

#[tokio::test]
async fn borrowed_parameters_take_what_owned_ones_take() {
    let borrowing = || Borrowing;
    let typed = borrowing().run(args!(1.5, "text", vec![1_u8], Some(2_u8))).await.unwrap();
    assert_eq!(typed, "1.5 text [1] Some(2)");
    let json = serde_json::json!({"number": 1.5, "text": "text", "list": [1], "maybe": 2});
    assert_eq!(borrowing().run(json).await.unwrap(), typed);
    let numbers = borrowing().run(args!(1, "text", vec![1_u8], 2)).await;
    assert_eq!(numbers.map_err(|error| error.to_string()).unwrap(), "1 text [1] Some(2)");
}

/// Is generic over what it repeats.
struct Repeat<T> {
    what: T,
}

#[automa]
impl<T: Data> Repeat<T> {
    #[worker(start)]
    async fn times(&self, n: usize) -> usize {
        n
    }

    #[worker(dependencies = [times], output)]
    async fn repeat(&self, n: usize) -> Vec<T> {
        vec![self.what.clone(); n]
    }
}

#[tokio::test]
async fn an_automa_may_be_generic() {
    assert_eq!(Repeat { what: 7 }.run(args!(2)).await.unwrap(), [7, 7]);
    let words = Repeat { what: "word".to_owned() }.run(args!(n = 1)).await.unwrap();
    assert_eq!(words, ["word"]);
}

/// Is put together of several blocks and another automa, one of whose workers it overrides.
struct Agent {
    retrieval: Arc<Retrieval>,
}

struct Retrieval {
    source: String,
}

#[automa]
impl Retrieval {
    #[worker(dependencies = [dynamic("query")])]
    async fn search(&self, query: String) -> Vec<String> {
        vec![format!("{query} in {}", self.source)]
    }

    #[worker(dependencies = [search])]
    async fn rank(&self, hits: Vec<String>) -> Vec<String> {
        hits
    }
}

#[automa(fragments = [Self::queries, self.retrieval])]
impl Agent {
    #[worker(override, dependencies = [dynamic("search")])]
    async fn rank(&self, mut hits: Vec<String>) -> Vec<String> {
        hits.push("ranked".to_owned());
        hits
    }

    #[worker(dependencies = [rank], output)]
    async fn answer(&self, hits: Vec<String>) -> String {
        hits.join(", ")
    }
}

#[automa(fragment = queries)]
impl Agent {
    #[worker(start)]
    async fn query(&self, words: String) -> String {
        words.to_lowercase()
    }
}

#[tokio::test]
async fn several_blocks_and_fragments_make_one_automa() {
    let agent = || Agent { retrieval: Arc::new(Retrieval { source: "books".into() }) };
    let answer: String = agent().run(args!("WORDS")).await.unwrap();
    assert_eq!(answer, "words in books, ranked");
    let agent = agent().build().unwrap();
    assert!(agent.keys().eq(["query", "search", "rank", "answer"].map(Key::from).iter()));
    // By itself, the fragment lacks a worker.
    let alone = Retrieval { source: String::new() }.build().unwrap_err();
    let expected = expect![[r#"
        automa `Retrieval`: worker `search` depends on `query`, which does not exist; the workers are: `search`, `rank`"#]];
    expected.assert_eq(&alone.to_string());
}

/// Uses every way of mapping arguments and dealing results.
struct Mapping;

#[automa]
impl Mapping {
    #[worker(start, in_order)]
    fn deal(&self, n: i64) -> Vec<i64> {
        vec![n, n + 1]
    }

    #[worker(dependencies = [deal], inline)]
    fn one(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [deal], blocking)]
    fn two(&self, x: i64) -> (i64, String) {
        (x, "two".to_owned())
    }

    #[worker(dependencies = [two], unpack)]
    async fn spread(&self, x: i64, text: String) -> String {
        format!("{text} {x}")
    }

    #[worker(dependencies = [one, spread], merge)]
    async fn all(&self, all: Vec<Value>) -> String {
        format!("{all:?}")
    }

    #[worker(dependencies = [all], suppressed, output)]
    async fn last(&self, #[from(all)] all: &str) -> String {
        format!("last {all}")
    }
}

#[tokio::test]
async fn arguments_and_results_are_mapped_as_declared() {
    assert_eq!(Mapping.run(args!(n = 1)).await.unwrap(), r#"last [1, "two 2"]"#);
}

/// Is given its options from itself, and fails as often as it is told.
struct Stubborn {
    patience: Duration,
    failures: AtomicU32,
}

struct Log(Arc<std::sync::Mutex<Vec<String>>>);

impl Callback for Log {
    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        self.0.lock().unwrap().push(format!("{} gave {output:?}", cx.key()));
        Ok(())
    }
}

static LOG: std::sync::LazyLock<Arc<std::sync::Mutex<Vec<String>>>> =
    std::sync::LazyLock::new(Arc::default);

#[automa]
impl Stubborn {
    #[worker(start, retry = Retry::times(3), callbacks = [Log(Arc::clone(&LOG))])]
    async fn tries(&self, cx: &Context) -> Result<u32, WorkerError> {
        if self.failures.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Err(WorkerError::msg("not yet"));
        }
        Ok(cx.attempt())
    }

    #[worker(dependencies = [tries], timeout = self.patience, output)]
    async fn hangs(&self, attempts: u32) -> u32 {
        if attempts == 1 {
            std::future::pending::<()>().await;
        }
        attempts
    }
}

#[tokio::test(start_paused = true)]
async fn options_are_expressions_that_see_self() {
    let stubborn = |failures: u32| {
        let patience = Duration::from_secs(5);
        Stubborn { patience, failures: failures.into() }.run(())
    };
    assert_eq!(stubborn(2).await.unwrap(), 3);
    assert_eq!(*LOG.lock().unwrap(), ["tries gave 3"]);
    let expected = expect!["automa `Stubborn`, step 2: worker `hangs` failed: timed out after 5s"];
    expected.assert_eq(&stubborn(0).await.unwrap_err().to_string());
    let expected = expect!["automa `Stubborn`, step 1: worker `tries` failed: not yet"];
    expected.assert_eq(&stubborn(9).await.unwrap_err().to_string());
}

/// Gives a stream.
struct Streaming;

#[automa]
impl Streaming {
    #[worker(start)]
    async fn count(&self, n: u32) -> impl Stream<Item = u32> + use<> {
        stream::iter(0..n)
    }

    #[worker(dependencies = [count], output)]
    async fn sum(&self, items: ItemStream<u32>) -> u32 {
        items.items().fold(0, async |sum, item| sum + item).await
    }
}

#[tokio::test]
async fn a_method_may_give_a_stream() {
    assert_eq!(Streaming.run(args!(4)).await.unwrap(), 6);
}

/// Has no output.
struct Silent;

#[automa]
impl Silent {
    #[worker(start)]
    async fn nothing(&self) {}
}

#[tokio::test]
async fn without_an_output_worker_the_result_is_nothing() {
    let nothing: () = Silent.run(()).await.unwrap();
    assert_eq!(nothing, ());
}
