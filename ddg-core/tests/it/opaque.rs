//! Values without a JSON form travel in an `Opaque`: shared, never copied, never serialised.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use expect_test::expect;

type Channel = Opaque<Mutex<Sender<i32>>>;

fn send(channel: &Channel, x: i32) {
    channel.lock().unwrap().send(x).unwrap();
}

#[tokio::test]
async fn it_travels_through_every_kind_of_parameter() {
    let (sender, received) = channel::<i32>();
    let mut automa = GraphAutoma::new("send");
    let value = async |channel: Channel| send(&channel, 1);
    let borrowed = async |channel: &Channel| send(channel, 2);
    let optional = async |channel: Option<Channel>| send(&channel.unwrap(), 3);
    let shared = async |channel: Arc<Channel>| send(&channel, 4);
    let untyped = async |channel: Value| send(&channel.get().unwrap(), 5);
    let merged = async |channels: Vec<Channel>| {
        assert_eq!(channels.len(), 2);
        send(&channels[1], 6);
    };
    automa.add_func_as_worker("open", async |channel: Channel| channel, start()).unwrap();
    automa.add_func_as_worker("again", async |channel: Channel| channel, start()).unwrap();
    automa.add_func_as_worker("value", value, after(["open"])).unwrap();
    automa.add_func_as_worker("borrowed", borrowed, after(["open"])).unwrap();
    automa.add_func_as_worker("optional", optional, after(["open"])).unwrap();
    automa.add_func_as_worker("shared", shared, after(["open"])).unwrap();
    automa.add_func_as_worker("untyped", untyped, after(["open"])).unwrap();
    automa.add_func_as_worker("merged", merged, after(["open", "again"]).merge()).unwrap();
    automa.run((Opaque::new(Mutex::new(sender)),)).output::<()>().await.unwrap();
    let mut all: Vec<_> = received.iter().collect();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 5, 6], "and the channel is closed: the run held the last sender");
}

#[tokio::test]
async fn an_opaque_value_is_the_same_at_the_end() {
    let inner = Arc::new(Mutex::new(0));
    let mut automa = GraphAutoma::new("count");
    let count = async |counter: Opaque<Mutex<i32>>| {
        *counter.lock().unwrap() += 1;
        counter
    };
    automa.add_func_as_worker("one", count, start()).unwrap();
    automa.add_func_as_worker("two", count, after(["one"]).output()).unwrap();
    let args = (Opaque::from(Arc::clone(&inner)),);
    let result = automa.run(args).output::<Opaque<Mutex<i32>>>().await.unwrap();
    assert!(Arc::ptr_eq(&result.into_inner(), &inner));
    assert_eq!(*inner.lock().unwrap(), 2);
}

#[tokio::test]
async fn scattered_and_unpacked_from_a_list() {
    let mut automa = GraphAutoma::new("deal");
    let deal = async || vec![Opaque::new(Mutex::new(1)), Opaque::new(Mutex::new(2))];
    let read = async |number: Opaque<Mutex<i32>>| *number.lock().unwrap();
    automa.add_func_as_worker("deal", deal, start().in_order()).unwrap();
    automa.add_func_as_worker("one", read, after(["deal"])).unwrap();
    automa.add_func_as_worker("two", read, after(["deal"])).unwrap();
    let both = async |one: i32, two: i32| vec![one, two];
    automa.add_func_as_worker("both", both, after(["one", "two"]).output()).unwrap();
    assert_eq!(automa.run(()).output::<Vec<i32>>().await.unwrap(), [1, 2]);

    let mut automa = GraphAutoma::new("unpack");
    let sum = async |one: Opaque<Mutex<i32>>, two: Opaque<Mutex<i32>>| {
        *one.lock().unwrap() + *two.lock().unwrap()
    };
    automa.add_func_as_worker("list", deal, start()).unwrap();
    automa.add_func_as_worker("sum", sum, after(["list"]).unpack().output()).unwrap();
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 3);
}

#[tokio::test]
async fn it_has_no_json_form_and_cannot_be_read_from_one() {
    let value = Value::new(Opaque::new(Mutex::new(1)));
    let expected = expect![
        "`Opaque<Mutex<i32>>` cannot be written as JSON: `Mutex<i32>` is opaque: it lives only in memory and has no JSON form"
    ];
    expected.assert_eq(&value.to_json().unwrap_err().to_string());
    let list = Value::list(vec![Value::new(1), value.clone()]);
    let expected = expect![
        "`Opaque<Mutex<i32>>` cannot be written as JSON: `Mutex<i32>` is opaque: it lives only in memory and has no JSON form"
    ];
    expected.assert_eq(&list.to_json().unwrap_err().to_string());
    let within = Value::new(vec![Opaque::new(Mutex::new(1))]);
    let expected = expect![
        "`Vec<Opaque<Mutex<i32>>>` cannot be written as JSON: `Mutex<i32>` is opaque: it lives only in memory and has no JSON form"
    ];
    expected.assert_eq(&within.to_json().unwrap_err().to_string());
    let json = Value::from_json(serde_json::json!(1));
    let expected = expect![
        "expected `Opaque<Mutex<i32>>`, found the number 1 (`Mutex<i32>` is opaque: it lives only in memory and cannot be read from JSON)"
    ];
    expected.assert_eq(&json.get::<Opaque<Mutex<i32>>>().unwrap_err().to_string());
    let expected = expect!["expected `Opaque<Mutex<i64>>`, found `Opaque<Mutex<i32>>`"];
    expected.assert_eq(&value.get::<Opaque<Mutex<i64>>>().unwrap_err().to_string());
    assert_eq!(format!("{value:?}"), "<Opaque<Mutex<i32>>>");
}
