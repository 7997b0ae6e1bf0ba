//! Streams as outputs: the next worker consumes the stream while it is produced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ddg_core::prelude::*;
use expect_test::expect;
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Source = Opaque<Mutex<UnboundedReceiver<i64>>>;

/// A stream of what the test sends, and the way to send it.
fn source() -> (UnboundedSender<i64>, Source) {
    let (sender, receiver) = unbounded_channel();
    (sender, Opaque::new(Mutex::new(receiver)))
}

/// Gives what the test sends.
fn relay(source: Source) -> impl Stream<Item = i64> + Send + 'static {
    stream::unfold(source, async |source| {
        let item = source.lock().await.recv().await?;
        Some((item, source))
    })
}

async fn count_to(n: i64) -> impl Stream<Item = i64> {
    stream::iter(1..=n)
}

/// An automa in which `relay` gives a stream; inputs: `source`.
fn relaying() -> GraphAutoma {
    let mut automa = GraphAutoma::new("relay");
    let options = start().params(["source"]).inline();
    automa.add_func_as_worker("relay", relay, options).unwrap();
    automa
}

#[tokio::test]
async fn the_next_worker_consumes_while_it_is_produced() {
    let (sender, source) = source();
    let (seen, mut was_seen) = unbounded_channel();
    let mut automa = relaying();
    let consume = move |items: ItemStream<i64>| {
        let seen = seen.clone();
        items.items().fold(0, move |sum, item| {
            seen.send(item).unwrap();
            async move { sum + item }
        })
    };
    automa.add_func_as_worker("consume", consume, after(["relay"]).output()).unwrap();
    let run = automa.run(args!(source = source)).spawn();
    for item in 1..=3 {
        // The next item is produced only once the one before has been consumed.
        sender.send(item).unwrap();
        assert_eq!(was_seen.recv().await.unwrap(), item);
        assert!(!run.is_finished());
    }
    drop(sender);
    assert_eq!(run.output::<i64>().await.unwrap(), 6);
}

#[tokio::test]
async fn nothing_is_produced_before_a_reader_polls() {
    let produced = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&produced);
    let mut automa = GraphAutoma::new("lazy");
    let produce = move || {
        let count = Arc::clone(&count);
        stream::iter(0..10).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed))
    };
    automa.add_func_as_worker("produce", produce, start().inline()).unwrap();
    let consume = async |items: ItemStream<i32>| items.items().take(3).collect::<Vec<_>>().await;
    automa
        .add_func_as_worker("untouched", async |_: ItemStream<i32>| (), after(["produce"]))
        .unwrap();
    automa.run(()).output::<()>().await.unwrap();
    assert_eq!(produced.load(Ordering::Relaxed), 0);
    automa.add_func_as_worker("consume", consume, after(["produce"]).output()).unwrap();
    assert_eq!(automa.run(()).output::<Vec<i32>>().await.unwrap(), [0, 1, 2]);
    assert_eq!(produced.load(Ordering::Relaxed), 3);
}

/// Two consumers of a stream that report the items they see.
fn two_consumers(seen: &UnboundedSender<(String, i64)>) -> GraphAutoma {
    let mut automa = relaying();
    for key in ["one", "two"] {
        let seen = seen.clone();
        let consume = move |items: ItemStream<i64>, cx: Context| {
            let seen = seen.clone();
            items.items().fold(0, move |sum, item| {
                seen.send((cx.key().to_string(), item)).unwrap();
                async move { sum + item }
            })
        };
        automa.add_func_as_worker(key, consume, after(["relay"])).unwrap();
    }
    let both = async |one: i64, two: i64| vec![one, two];
    automa.add_func_as_worker("both", both, after(["one", "two"]).output()).unwrap();
    automa
}

async fn both_consume() {
    let (sender, source) = source();
    let (seen, mut was_seen) = unbounded_channel();
    let run = two_consumers(&seen).run(args!(source = source)).spawn();
    for item in 1..=3 {
        sender.send(item).unwrap();
        let mut both = [was_seen.recv().await.unwrap(), was_seen.recv().await.unwrap()];
        both.sort();
        assert_eq!(both, [("one".to_owned(), item), ("two".to_owned(), item)]);
    }
    drop(sender);
    assert_eq!(run.output::<Vec<i64>>().await.unwrap(), [6, 6]);
}

#[tokio::test]
async fn two_consumers_each_see_every_item_while_it_is_produced() {
    both_consume().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consumers_on_two_threads() {
    both_consume().await;
}

#[tokio::test]
async fn a_consumer_that_comes_later_reads_from_the_first_item_on() {
    let mut automa = GraphAutoma::new("later");
    automa.add_func_as_worker("count", count_to, start()).unwrap();
    let sum =
        async |items: ItemStream<i64>| items.items().fold(0, async |sum, item| sum + item).await;
    automa.add_func_as_worker("sum", sum, after(["count"])).unwrap();
    let list = async |_: i64, items: ItemStream<i64>| items.items().collect::<Vec<_>>().await;
    let options = after(["sum"]).params(["sum", "items"]).from("items", "count").output();
    automa.add_func_as_worker("list", list, options).unwrap();
    assert_eq!(automa.run(args!(3)).output::<Vec<i64>>().await.unwrap(), [1, 2, 3]);
}

/// The one that reads on must be woken although the other one polled last and is gone.
#[tokio::test(start_paused = true)]
async fn a_consumer_that_stops_reading_does_not_hold_up_the_other() {
    let (sender, source) = source();
    let (gone, mut is_gone) = unbounded_channel();
    let mut automa = relaying();
    let reads_on = async |items: ItemStream<i64>| items.items().collect::<Vec<_>>().await;
    automa.add_func_as_worker("reads on", reads_on, after(["relay"]).output()).unwrap();
    let stops = move |items: ItemStream<i64>| {
        let gone = gone.clone();
        async move {
            // Asks for the first item after the other one has, and goes away before it comes.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            assert!(futures::poll!(items.items().next()).is_pending());
            gone.send(()).unwrap();
        }
    };
    automa.add_func_as_worker("stops", stops, after(["relay"])).unwrap();
    let run = automa.run(args!(source = source)).spawn();
    is_gone.recv().await.unwrap();
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    drop(sender);
    let items = tokio::time::timeout(Duration::from_secs(60), run.output::<Vec<i64>>()).await;
    assert_eq!(items.expect("it is woken").unwrap(), [1, 2]);
}

/// Both must come to an end, the one that polled and the one that waits.
#[tokio::test(start_paused = true)]
async fn a_producer_that_panics_fails_the_run() {
    let (sender, source) = source();
    let mut automa = GraphAutoma::new("panics");
    let produce = |source: Source| {
        relay(source).inspect(|item| assert!(*item < 2, "it cannot count further than 1"))
    };
    automa.add_func_as_worker("produce", produce, start().inline()).unwrap();
    let (seen, mut was_seen) = unbounded_channel();
    for key in ["one", "two"] {
        let seen = seen.clone();
        let consume = move |items: ItemStream<i64>| {
            let seen = seen.clone();
            items.items().for_each(move |_| {
                seen.send(()).unwrap();
                async {}
            })
        };
        automa.add_func_as_worker(key, consume, after(["produce"])).unwrap();
    }
    let run = automa.run(args!(source)).spawn();
    sender.send(1).unwrap();
    was_seen.recv().await.unwrap();
    was_seen.recv().await.unwrap();
    sender.send(2).unwrap();
    let end = tokio::time::timeout(Duration::from_secs(60), run).await;
    let error = end.expect("everybody is woken").unwrap_err().to_string();
    assert!(error.contains("failed: panicked: it cannot count further than 1"), "{error}");
}

#[tokio::test]
async fn a_stream_with_a_panicked_producer_is_not_complete() {
    let mut automa = GraphAutoma::new("panics");
    let produce =
        || stream::iter(1..=3).inspect(|item| assert!(*item < 2, "it cannot count further than 1"));
    automa.add_func_as_worker("produce", produce, start().inline()).unwrap();
    let count = async |items: ItemStream<i32>| items.items().count().await;
    let options = after(["produce"]).retry(Retry::times(1)).output();
    automa.add_func_as_worker("count", count, options).unwrap();
    // The second attempt finds the one item that there is, and the end of it.
    let error = automa.run(()).output::<usize>().await.unwrap_err().to_string();
    assert!(error.starts_with("automa `panics`, step 2: worker `count` failed"), "{error}");
}

#[tokio::test]
async fn a_stream_as_the_result_of_a_run_continues_after_its_end() {
    let (sender, source) = source();
    let mut automa = GraphAutoma::new("relay");
    automa.add_func_as_worker("relay", relay, start().inline().output()).unwrap();
    let stream = automa.run(args!(source)).output::<ItemStream<i64>>().await.unwrap();
    let mut items = stream.items();
    for item in 1..=3 {
        sender.send(item).unwrap();
        assert_eq!(items.next().await, Some(item));
    }
    drop(sender);
    assert_eq!(items.next().await, None);
    assert_eq!(stream.items().collect::<Vec<_>>().await, [1, 2, 3]);
}

#[tokio::test]
async fn a_stream_is_data_once_it_has_ended() {
    let mut automa = GraphAutoma::new("count");
    automa.add_func_as_worker("count", count_to, start()).unwrap();
    let read = async |items: ItemStream<i64>| items.items().count().await;
    automa.add_func_as_worker("read", read, after(["count"]).output()).unwrap();
    let outcome = automa.run(args!(3)).await.unwrap();
    let value = outcome.automa().output("count").unwrap();
    assert_eq!(value.to_json().unwrap(), json!([1, 2, 3]));

    let restored: Value = serde_json::from_value(value.to_json().unwrap()).unwrap();
    let items = restored.get::<ItemStream<i64>>().unwrap();
    assert_eq!(items.items().collect::<Vec<_>>().await, [1, 2, 3]);
}

#[tokio::test]
async fn a_stream_that_has_not_ended_has_no_json_form() {
    let mut automa = GraphAutoma::new("count");
    automa.add_func_as_worker("count", count_to, start().output()).unwrap();
    let value = automa.run(args!(3)).output::<Value>().await.unwrap();
    let expected = expect![
        "`ItemStream<i64>` cannot be written as JSON: the stream has not ended: let a worker read it to its end first"
    ];
    expected.assert_eq(&value.to_json().unwrap_err().to_string());
    let items = value.get::<ItemStream<i64>>().unwrap();
    items.items().next().await.unwrap();
    let expected = expect!["ItemStream<i64>(1 produced, more to come)"];
    expected.assert_eq(&format!("{items:?}"));
    assert!(value.to_json().is_err());
}

#[tokio::test]
async fn a_stream_read_as_something_else_is_an_error() {
    let mut automa = GraphAutoma::new("count");
    automa.add_func_as_worker("count", count_to, start()).unwrap();
    automa.add_func_as_worker("list", async |_: Vec<i64>| (), after(["count"])).unwrap();
    let expected = expect![[r#"
        automa `count`: parameter #1 of worker `list` takes `Vec<i64>`, but dependency `count` gives `ItemStream<i64>`"#]];
    expected.assert_eq(&automa.validate().unwrap_err().to_string());

    let mut automa = GraphAutoma::new("count");
    automa.add_func_as_worker("count", count_to, start()).unwrap();
    automa.add_func_as_worker("one", async |_: i64| (), after(["count"]).unpack()).unwrap();
    let expected = expect![
        "automa `count`, step 2: worker `one` cannot be called: cannot unpack the output of `count`: it is neither a list nor a map, but `ItemStream<i64>`"
    ];
    expected.assert_eq(&automa.run(args!(1)).output::<()>().await.unwrap_err().to_string());
}

#[tokio::test]
async fn a_fallible_worker_gives_a_stream_of_its_own_type() {
    let mut automa = GraphAutoma::new("fallible");
    let produce = async |n: i64| -> Result<ItemStream<i64>, WorkerError> {
        if n < 0 {
            return Err(WorkerError::msg("cannot count down"));
        }
        Ok(ItemStream::new(stream::iter(0..n)))
    };
    automa.add_func_as_worker("produce", produce, start()).unwrap();
    let count = async |items: ItemStream<i64>| items.items().count().await;
    automa.add_func_as_worker("count", count, after(["produce"]).output()).unwrap();
    assert_eq!(automa.run(args!(3)).output::<usize>().await.unwrap(), 3);
    let error = automa.run(args!(-1)).output::<usize>().await.unwrap_err().to_string();
    assert_eq!(error, "automa `fallible`, step 1: worker `produce` failed: cannot count down");
}
