//! Texts: a literal is accepted wherever a `String` is.

use std::fmt::Debug;
use std::sync::Arc;

use ddg_core::Data;
use ddg_core::args::IntoArgs;
use ddg_core::event::EventFilter;
use ddg_core::event::EventKind;
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use ddg_core::values::ValueType;
use ddg_core::worker::{IntoFunc, Signature, WorkerRef};
use futures::StreamExt;
use serde_json::json;

/// The result of `automa`.
async fn result<T: Data>(automa: &GraphAutoma, args: impl IntoArgs) -> T {
    automa.run(args).await.unwrap().into_output().unwrap()
}

/// Runs `first` and passes its output to `second`, which returns the result.
async fn hand_over<T: Data, M, N>(
    first: impl IntoFunc<M, Made = AnyWorker>,
    second: impl IntoFunc<N, Made = AnyWorker>,
) -> T {
    let mut automa = GraphAutoma::new("text");
    automa.add_func_as_worker("first", first, start()).unwrap();
    automa.add_func_as_worker("second", second, after(["first"]).output()).unwrap();
    result(&automa, ()).await
}

#[track_caller]
fn check<T: Data + PartialEq + Debug>(value: &Value, expected: &T) {
    assert_eq!(value.get::<T>().unwrap(), *expected);
    assert_eq!(value.clone().take::<T>().unwrap(), *expected);
    assert_eq!(*value.shared::<T>().unwrap(), *expected);
}

#[test]
fn a_value_of_a_literal_is_a_string() {
    let value = Value::new("Tokyo");
    check(&value, &"Tokyo".to_owned());
    check(&value, &Arc::new("Tokyo".to_owned()));
    check(&value, &Some("Tokyo".to_owned()));
    check(&value, &Some(Arc::new("Tokyo".to_owned())));
    check(&value, &json!("Tokyo"));
    check(&value, &"Tokyo");
    check(&value, &Some("Tokyo"));
    assert_eq!(value.downcast_ref::<String>().unwrap(), "Tokyo");
    assert_eq!(value.type_name(), "String");
    assert_eq!(value.to_json().unwrap(), json!("Tokyo"));
    assert_eq!(Value::from_json(json!("Tokyo")).get::<&str>().unwrap(), "Tokyo");
    assert_eq!(
        Value::new("seven").get::<u64>().unwrap_err().to_string(),
        "expected `u64`, found `String`",
    );
    assert_eq!(
        Value::new(7).get::<&str>().unwrap_err().to_string(),
        "expected `String`, found `i32`",
    );
}

#[test]
fn literals_in_tuples_options_and_results_are_strings() {
    check(&Value::new(Some("a")), &"a".to_owned());
    check(&Value::new(Some("a")), &Some("a".to_owned()));
    check(&Value::new(Some("a")), &Some("a"));
    check(&Value::new(None::<&str>), &None::<String>);
    check(&Value::new(("a", 1)), &("a".to_owned(), 1));
    check(&Value::new(("a", 1)), &("a", 1));
    check(&Value::new((1, Some("a"), ("b", 2))), &(1, Some("a".to_owned()), ("b".to_owned(), 2)));
    check(&Value::new(Ok::<_, String>("a")), &Ok::<_, String>("a".to_owned()));
    check(&Value::from_json(json!(["a", 1])), &("a".to_owned(), 1));

    let wrong = Value::new(("a", 1)).get::<(String, bool)>().unwrap_err();
    assert_eq!(wrong.to_string(), "expected `(String, bool)`, found `(&str, i32)`");
}

#[test]
fn the_type_of_a_literal_is_that_of_a_string() {
    assert_eq!(ValueType::of::<&str>(), ValueType::of::<String>());
    assert_eq!(ValueType::of::<Option<&str>>(), ValueType::of::<Option<String>>());
    assert_eq!(ValueType::of::<&str>().to_string(), "String");
    assert!(ValueType::of::<(String, i32)>().accepts(ValueType::of::<(&str, i32)>()));
    assert!(!ValueType::of::<(String, i32)>().accepts(ValueType::of::<(&str, u8)>()));
    assert!(!ValueType::of::<i32>().accepts(ValueType::of::<&str>()));
}

#[tokio::test]
async fn workers_return_it() {
    let upper = async |text: String| text.to_uppercase();
    assert_eq!(hand_over::<String, _, _>(async || "a", upper).await, "A");
    assert_eq!(hand_over::<String, _, _>(|| "a", upper).await, "A");
    assert_eq!(hand_over::<String, _, _>(async || Some("a"), upper).await, "A");
    let plain = async || Ok::<_, WorkerError>("a");
    assert_eq!(hand_over::<String, _, _>(plain, upper).await, "A");
    let data = async || Ok::<_, String>("a");
    assert_eq!(hand_over::<String, _, _>(data, upper).await, "A");
    let tuple = async || ("a", 1);
    let taken = async |(text, n): (String, i32)| format!("{text}{n}");
    assert_eq!(hand_over::<String, _, _>(tuple, taken).await, "a1");
    assert_eq!(hand_over::<Option<String>, _, _>(async || (), async || None::<&str>).await, None);
    assert_eq!(hand_over::<String, _, _>(async || (), async || "a").await, "a");
}

#[tokio::test]
async fn workers_take_it_in_every_form() {
    let text = async || "text";
    assert_eq!(hand_over::<usize, _, _>(text, async |x: String| x.len()).await, 4);
    assert_eq!(hand_over::<usize, _, _>(text, async |x: Arc<String>| x.len()).await, 4);
    assert_eq!(hand_over::<usize, _, _>(text, async |x: Option<String>| x.unwrap().len()).await, 4);
    assert_eq!(
        hand_over::<usize, _, _>(text, |x: Value| x.get::<String>().unwrap().len()).await,
        4
    );

    #[expect(clippy::ptr_arg, reason = "this is about the type")]
    async fn borrowed(x: &String) -> usize {
        x.len()
    }
    assert_eq!(hand_over::<usize, _, _>(text, borrowed).await, 4);
}

#[tokio::test]
async fn a_function_that_takes_str_is_a_worker() {
    async fn greet(name: &str, cx: &Context) -> Result<&'static str, WorkerError> {
        cx.local().set("name", name.to_owned());
        Ok("greeted")
    }
    fn length(name: &str, more: Option<&str>) -> usize {
        name.len() + more.unwrap_or_default().len()
    }
    let mut automa = GraphAutoma::new("text");
    automa.add_func_as_worker("greet", greet, start().params(["name"])).unwrap();
    automa.add_func_as_worker("length", length, after(["greet"]).output()).unwrap();
    assert_eq!(result::<usize>(&automa, ("bob",)).await, 7);
    assert_eq!(result::<usize>(&automa, ("bob".to_owned(),)).await, 7);
    assert_eq!(result::<usize>(&automa, json!({"name": "bob"})).await, 7);
}

#[tokio::test]
async fn runs_are_given_it() {
    let mut automa = GraphAutoma::new("text");
    let joined = async |a: String, b: Option<String>| a + &b.unwrap_or_default();
    automa.add_func_as_worker("join", joined, start().params(["a", "b"]).output()).unwrap();
    assert_eq!(result::<String>(&automa, ("x",)).await, "x");
    assert_eq!(result::<String>(&automa, ("x", Some("y"))).await, "xy");
    assert_eq!(result::<String>(&automa, args!("x", b = "y")).await, "xy");
    assert_eq!(result::<String>(&automa, Args::new().with("x").with_named("b", "y")).await, "xy");
    let short_lived = String::from("x");
    assert_eq!(
        result::<String>(&automa, args!(short_lived.as_str(), b = &*short_lived)).await,
        "xx"
    );
}

#[tokio::test]
async fn ferries_carry_it() {
    type End = fn(String, Option<String>, Option<u32>, Arc<String>) -> String;
    const END: WorkerRef<End> = WorkerRef::new("end");
    let end = async |a: String, b: Option<String>, n: Option<u32>, c: Arc<String>| {
        format!("{a}{}{}{c}", b.unwrap_or_default(), n.unwrap_or_default())
    };
    let mut automa = GraphAutoma::new("text");
    let ferry = async |typed: bool, cx: Context| match typed {
        true => cx.ferry_to(END, ("a", "b", 3, "c")),
        false => cx.ferry_to("end", ("a", Some("b"), 3, "c")),
    };
    automa.add_func_as_worker("ferry", ferry, start()).unwrap();
    automa.add_func_as_worker("end", end, free().output()).unwrap();
    assert_eq!(result::<String>(&automa, (true,)).await, "ab3c");
    assert_eq!(result::<String>(&automa, (false,)).await, "ab3c");

    // What is exactly right still fits.
    let exact = async |cx: Context| {
        let a = String::from("a");
        cx.ferry_to(END, (a, None::<String>, Some(1_u32), Arc::new("c".to_owned())));
    };
    let mut automa = automa.clone();
    automa.override_func_as_worker("ferry", exact, start()).unwrap();
    assert_eq!(result::<String>(&automa, ()).await, "a1c");
}

#[tokio::test]
async fn it_is_emitted_and_posted() {
    let mut automa = GraphAutoma::new("text");
    let worker = async |cx: Context| {
        cx.emit("status", "working");
        cx.emit_chunk("x");
        cx.post("posted")
    };
    automa.add_func_as_worker("worker", worker, start().output()).unwrap();
    let posted = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&posted);
    automa.on_post(move |text: String, _| seen.lock().unwrap().push(text));

    let run = automa.run(()).spawn();
    let events: Vec<_> = run.events(EventFilter::all()).collect().await;
    let texts: Vec<_> = events
        .into_iter()
        .filter_map(|event| match &event.unwrap().kind {
            EventKind::Custom { data, .. } => Some(data.clone()),
            EventKind::Chunk { chunk, .. } => Some(chunk.clone()),
            _ => None,
        })
        .map(|value| value.get::<String>().unwrap())
        .collect();
    assert_eq!(texts, ["working", "x"]);
    assert!(run.output::<bool>().await.unwrap());
    assert_eq!(*posted.lock().unwrap(), ["posted"]);
}

#[tokio::test]
async fn local_spaces_keep_it() {
    let mut automa = GraphAutoma::new("text");
    let worker = async |cx: Context| {
        let local = cx.local();
        local.set("k", "x");
        local.update("k", |text: &mut String| text.push('y'));
        (local.get::<String>("k"), local.get::<&str>("k"))
    };
    automa.add_func_as_worker("worker", worker, start().output()).unwrap();
    let read = result::<(Option<String>, Option<String>)>(&automa, ()).await;
    assert_eq!(read, (Some("xy".to_owned()), Some("xy".to_owned())));
}

#[tokio::test]
async fn people_are_asked_and_answer_with_it() {
    let mut automa = GraphAutoma::new("text");
    let ask = async |cx: Context| -> Result<String, WorkerError> {
        Ok(cx.interact_with_human::<String>("Continue?")?)
    };
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    let paused = automa.run(()).await.unwrap();
    let question = paused.questions().remove(0);
    assert_eq!(question.content.get::<String>().unwrap(), "Continue?");

    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer(&question.id, "yes").unwrap();
    let json = serde_json::to_string(&snapshot).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
    let answered = automa.resume(snapshot).await.unwrap();
    assert_eq!(answered.into_output::<String>().unwrap(), "yes");
}

#[tokio::test]
async fn a_snapshot_holds_the_text() {
    let mut automa = GraphAutoma::new("text");
    automa
        .add_func_as_worker(
            "first",
            async |cx: Context| {
                cx.stop();
                ("a", 1)
            },
            start(),
        )
        .unwrap();
    let second = async |(text, n): (String, i32)| format!("{text}{n}");
    automa.add_func_as_worker("second", second, after(["first"]).output()).unwrap();
    let mut snapshot = automa.run(()).await.unwrap().snapshot().unwrap();
    assert_eq!(snapshot.output("first").unwrap().to_json().unwrap(), json!(["a", 1]));
    assert!(snapshot.set_output("first", ("b", 2)));
    let ended = automa.resume(snapshot).await.unwrap();
    assert_eq!(ended.into_output::<String>().unwrap(), "b2");
}

#[tokio::test]
async fn it_stands_in_for_an_output() {
    let mut automa = GraphAutoma::new("text");
    automa.add_func_as_worker("other", async || "other", free()).unwrap();
    let options = start().output().params(["text"]).from_or("text", "other", "default");
    automa.add_func_as_worker("worker", async |text: String| text, options).unwrap();
    assert_eq!(result::<String>(&automa, ()).await, "default");
}

#[tokio::test]
async fn own_workers_give_it() {
    struct Own;

    impl Worker for Own {
        type Output = &'static str;

        fn signature(&self) -> Signature {
            Signature::new()
        }

        async fn run(&self, _: Args, _: &Context) -> Result<&'static str, WorkerError> {
            Ok("own")
        }
    }

    let mut automa = GraphAutoma::new("text");
    automa.add_worker("own", Own, start()).unwrap();
    let upper = async |text: String| text.to_uppercase();
    automa.add_func_as_worker("upper", upper, after(["own"]).output()).unwrap();
    assert_eq!(result::<String>(&automa, ()).await, "OWN");
}
