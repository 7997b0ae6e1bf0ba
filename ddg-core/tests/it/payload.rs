//! A large payload is passed from worker to worker without being copied or serialised.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ddg_core::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MIB: usize = 1 << 20;
const CHAIN: usize = 100;

/// A payload that counts how often it is copied and written, for each test on its own.
struct Payload<const TEST: usize>(Vec<u8>);

#[derive(Default)]
struct Count {
    clones: AtomicUsize,
    writes: AtomicUsize,
}

static COUNTS: [Count; 8] =
    [const { Count { clones: AtomicUsize::new(0), writes: AtomicUsize::new(0) } }; 8];

impl<const TEST: usize> Payload<TEST> {
    fn new() -> Self {
        Self(vec![7; MIB])
    }

    /// How often it was copied, and written.
    fn counted() -> (usize, usize) {
        let count = &COUNTS[TEST];
        (count.clones.load(Ordering::SeqCst), count.writes.load(Ordering::SeqCst))
    }
}

impl<const TEST: usize> Clone for Payload<TEST> {
    fn clone(&self) -> Self {
        COUNTS[TEST].clones.fetch_add(1, Ordering::SeqCst);
        Self(self.0.clone())
    }
}

impl<const TEST: usize> Serialize for Payload<TEST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        COUNTS[TEST].writes.fetch_add(1, Ordering::SeqCst);
        self.0.serialize(serializer)
    }
}

impl<'de, const TEST: usize> Deserialize<'de> for Payload<TEST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}

fn key(n: usize) -> String {
    format!("w{n}")
}

#[tokio::test]
async fn the_counts_count() {
    type P = Payload<0>;
    let value = Value::new(P::new());
    assert_eq!(P::counted(), (0, 0));
    assert_eq!(value.get::<P>().unwrap().0.len(), MIB);
    assert_eq!(P::counted(), (1, 0));
    assert_eq!(value.to_json().unwrap().as_array().unwrap().len(), MIB);
    assert_eq!(P::counted(), (1, 1));
}

#[tokio::test]
async fn down_a_chain_shared() {
    type P = Payload<1>;
    let mut automa = GraphAutoma::new("chain");
    automa.add_func_as_worker(key(0), async || Arc::new(P::new()), start()).unwrap();
    for n in 1..=CHAIN {
        let options = after([key(n - 1)]);
        let added = match n % 4 {
            0 => automa.add_func_as_worker(key(n), async |payload: Arc<P>| payload, options),
            1 => {
                let borrows = async |payload: &Arc<P>| Arc::clone(payload);
                automa.add_func_as_worker(key(n), borrows, options)
            }
            2 => automa.add_func_as_worker(key(n), |payload: Arc<P>| payload, options.inline()),
            _ => automa.add_func_as_worker(key(n), async |payload: Value| payload, options),
        };
        added.unwrap();
    }
    let len = async |payload: &P| payload.0.len();
    automa.add_func_as_worker("len", len, after([key(CHAIN)]).output()).unwrap();
    assert_eq!(automa.run(()).output::<usize>().await.unwrap(), MIB);
    assert_eq!(P::counted(), (0, 0));
}

#[tokio::test]
async fn down_a_chain_that_borrows_it() {
    type P = Payload<2>;
    let mut automa = GraphAutoma::new("chain");
    automa.add_func_as_worker(key(0), async || P::new(), start()).unwrap();
    for n in 1..=CHAIN {
        // Each is handed the payload of the first, and how long the one before found it.
        let borrows = async |payload: &P, len: usize| payload.0.len().max(len);
        let options = after([key(n - 1)]).params(["payload", "len"]).from("payload", key(0));
        let options = match n {
            1 => options.suppressed().from_or("len", "nobody", 0),
            CHAIN => options.output(),
            _ => options,
        };
        automa.add_func_as_worker(key(n), borrows, options).unwrap();
    }
    assert_eq!(automa.run(()).output::<usize>().await.unwrap(), MIB);
    assert_eq!(P::counted(), (0, 0));
}

#[tokio::test]
async fn to_five_readers() {
    type P = Payload<3>;
    let mut automa = GraphAutoma::new("five readers");
    automa.add_func_as_worker("payload", async || P::new(), start()).unwrap();
    let options = || after(["payload"]);
    let by_reference = async |payload: &P| payload.0.len();
    let shared = async |payload: Arc<P>| payload.0.len();
    let optional = async |payload: Option<Arc<P>>| payload.unwrap().0.len();
    let untyped = async |payload: Value| payload.shared::<P>().unwrap().0.len();
    let blocking = |payload: &P| payload.0.len();
    automa.add_func_as_worker("by reference", by_reference, options()).unwrap();
    automa.add_func_as_worker("shared", shared, options()).unwrap();
    automa.add_func_as_worker("optional", optional, options()).unwrap();
    automa.add_func_as_worker("untyped", untyped, options()).unwrap();
    automa.add_func_as_worker("blocking", blocking, options()).unwrap();
    let all = after(["by reference", "shared", "optional", "untyped", "blocking"]);
    let sum = async |all: Vec<usize>| all.into_iter().sum::<usize>();
    automa.add_func_as_worker("sum", sum, all.merge().output()).unwrap();
    assert_eq!(automa.run(()).output::<usize>().await.unwrap(), 5 * MIB);
    assert_eq!(P::counted(), (0, 0));
}

#[tokio::test]
async fn as_run_input_and_ferry_argument_through_nested_automata_to_the_result() {
    type P = Payload<4>;
    let mut inner = GraphAutoma::new("inner");
    let ferries = async |payload: Arc<P>, cx: &Context| cx.ferry_to("end", (payload,));
    let options = start().params(["payload"]);
    inner.add_func_as_worker("ferries", ferries, options).unwrap();
    inner.add_func_as_worker("end", async |payload: Arc<P>| payload, free().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner.clone(), start()).unwrap();
    automa.add_worker("again", inner, after(["inner"]).output()).unwrap();
    let payload = Arc::new(P::new());
    let result =
        automa.run(args!(payload = Arc::clone(&payload))).output::<Arc<P>>().await.unwrap();
    assert!(Arc::ptr_eq(&payload, &result));
    let result = automa.run(args!(Arc::clone(&payload))).output::<Arc<P>>().await.unwrap();
    assert!(Arc::ptr_eq(&payload, &result));
    assert_eq!(P::counted(), (0, 0));
}

#[tokio::test]
async fn a_reader_by_value_gets_a_copy_of_its_own() {
    type P = Payload<5>;
    let mut automa = GraphAutoma::new("by value");
    automa.add_func_as_worker("payload", async || P::new(), start()).unwrap();
    for n in 0..3 {
        let changes = async |mut payload: P| {
            payload.0.clear();
            payload.0.len()
        };
        automa.add_func_as_worker(key(n), changes, after(["payload"])).unwrap();
    }
    let len = async |payload: &P| payload.0.len();
    let options = after((0..3).map(key)).suppressed().params(["payload"]);
    let options = options.from("payload", "payload").output();
    automa.add_func_as_worker("len", len, options).unwrap();
    assert_eq!(automa.run(()).output::<usize>().await.unwrap(), MIB);
    assert_eq!(P::counted(), (3, 0));
}

#[tokio::test]
async fn an_argument_without_another_holder_is_moved() {
    type P = Payload<6>;
    let mut automa = GraphAutoma::new("moved");
    let begin = async |cx: &Context| cx.ferry_to("takes", (P::new(),));
    automa.add_func_as_worker("begin", begin, start()).unwrap();
    let takes = async |payload: P| payload.0.len();
    automa.add_func_as_worker("takes", takes, free().output()).unwrap();
    assert_eq!(automa.run(()).output::<usize>().await.unwrap(), MIB);
    assert_eq!(P::counted(), (0, 0));
}

#[tokio::test]
async fn merged_into_a_list_of_shared_payloads() {
    type P = Payload<7>;
    let mut automa = GraphAutoma::new("merged");
    automa.add_func_as_worker("one", async || P::new(), start()).unwrap();
    automa.add_func_as_worker("two", async || P::new(), start()).unwrap();
    let len = async |all: Vec<Arc<P>>| all.iter().map(|payload| payload.0.len()).sum::<usize>();
    automa.add_func_as_worker("len", len, after(["one", "two"]).merge().output()).unwrap();
    assert_eq!(automa.run(()).output::<usize>().await.unwrap(), 2 * MIB);
    assert_eq!(P::counted(), (0, 0));
}
