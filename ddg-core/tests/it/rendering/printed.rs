//! Printed text has no characters from data that control a terminal or change the direction of
//! text.

use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::printable;
use expect_test::expect;
use proptest::prelude::*;

const EVIL: &str =
    "a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1A\u{7f}\r\nb\u{202e}c\u{2066}\u{61c}\u{200f}\u{2028}\u{feff}";

/// Whether a terminal, or who reads it, may take it for something else than text of one line.
fn is_evil(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Events of every kind, with such text wherever they take text.
#[tokio::test]
async fn events_are_one_line() {
    let mut automa = GraphAutoma::new(EVIL);
    let mut inner = GraphAutoma::new(EVIL);
    inner.add_func_as_worker(EVIL, async || EVIL.to_owned(), start()).unwrap();
    automa.add_worker(format!("in{EVIL}"), inner, start()).unwrap();
    let speaks = async |cx: Context| {
        cx.emit(format!("name{EVIL}"), EVIL.to_owned());
        cx.emit_chunk(EVIL.to_owned());
        let added = format!("new{EVIL}");
        cx.add_func_as_worker(&added, async || (), after([cx.key().as_str()]).suppressed());
        cx.ferry_to(&added, ());
        if cx.attempt() == 1 {
            return Err(WorkerError::msg(EVIL));
        }
        Ok(())
    };
    automa.add_func_as_worker(EVIL, speaks, start().retry(Retry::times(1))).unwrap();
    let fails = async || Err::<(), _>(WorkerError::msg(EVIL));
    automa.add_func_as_worker(format!("bad{EVIL}"), fails, after([EVIL]).suppressed()).unwrap();
    let ask = async |cx: Context| -> Result<String, WorkerError> {
        Ok(cx.interact_with_human(EVIL.to_owned())?)
    };
    let mut asking = GraphAutoma::new("asking");
    asking.add_func_as_worker(EVIL, ask, start()).unwrap();

    let mut kinds = std::collections::BTreeSet::new();
    for automa in [automa, asking] {
        let run = automa.run(());
        let mut events = run.events(EventFilter::all());
        let run = run.spawn();
        while let Some(event) = events.next().await {
            let event = event.unwrap();
            let printed = event.to_string();
            assert!(!printed.contains(is_evil), "{printed:?}");
            let kind = serde_json::to_value(&event.kind).unwrap();
            kinds.insert(kind["kind"].as_str().unwrap().to_owned());
        }
        _ = run.await;
    }
    expect![[r#"{"attempt_failed", "chunk", "custom", "ferried", "graph_changed", "run_failed", "run_finished", "run_paused", "run_started", "step_settled", "step_started", "worker_failed", "worker_finished", "worker_interrupted", "worker_retrying", "worker_started"}"#]]
    .assert_eq(&format!("{kinds:?}"));
}

/// An error as it is printed, by `Display` and, with its causes, by `Debug`.
#[track_caller]
fn check_error(what: &str, error: &dyn std::error::Error) {
    for printed in [error.to_string(), format!("{error:?}"), format!("{error:#}")] {
        let shown = |c| is_evil(c) && c != '\n' && c != '\t';
        assert!(!printed.contains(shown), "{what}: {printed:?}");
        assert!(printed.contains("202e"), "{what} does not have the text: {printed:?}");
    }
}

/// Fails in all that a step can fail with: each worker with this text in its key.
fn failing(what: &str) -> GraphAutoma {
    let mut automa = GraphAutoma::new(format!("automa {EVIL}"));
    let key = |name: &str| format!("{name} {EVIL}");
    automa.add_func_as_worker(key("free"), async |_: u32| (), free()).unwrap();
    let (to, what) = (key("nowhere"), what.to_owned());
    let work = move |cx: Context| {
        let (to, what) = (to.clone(), what.clone());
        async move {
            match what.as_str() {
                "ferry" => cx.ferry_to(&to, ()),
                "remove" => cx.remove_worker(&to),
                "add" => cx.add_func_as_worker(&to, async || (), after([&to])),
                "bind" => cx.ferry_to(format!("free {EVIL}"), (EVIL.to_owned(),)),
                "name" => {
                    let args = Args::new().with_named(EVIL.to_owned(), 1_u32);
                    cx.ferry_to(format!("free {EVIL}"), args);
                }
                "panic" => panic!("{EVIL}"),
                "local" => {
                    cx.local().set(EVIL, 1);
                    cx.local().try_get::<String>(EVIL)?;
                }
                "signal" => _ = cx.signal::<u32>(EVIL)?,
                "steps" => cx.ferry_to(cx.key(), ()),
                _ => return Err(WorkerError::msg(EVIL)),
            }
            Ok(())
        }
    };
    automa.add_func_as_worker(key("work"), work, start()).unwrap();
    automa.set_max_steps(2);
    automa
}

#[tokio::test]
async fn errors_of_runs_show_no_control_characters() {
    for what in ["ferry", "remove", "add", "bind", "name", "panic", "local", "steps", "fail"] {
        let mut outer = GraphAutoma::new(EVIL);
        outer.add_worker(EVIL, failing(what), start()).unwrap();
        for automa in [failing(what), outer] {
            check_error(what, &automa.run(()).await.unwrap_err());
        }
    }
    let named = Args::new().with_named(EVIL.to_owned(), 1_u32);
    check_error("input", &failing("fail").run(named).await.unwrap_err());
    check_error("arguments", &failing("fail").run((1,)).await.unwrap_err());
    check_error("steps", &failing("steps").run(()).max_total_steps(1).await.unwrap_err());
    check_error("signal", &failing("signal").run(()).output::<()>().await.unwrap_err());

    let mut automa = GraphAutoma::new("waiting");
    automa.add_func_as_worker("a", async || 1, start()).unwrap();
    automa.add_func_as_worker(format!("b{EVIL}"), async || 1, free()).unwrap();
    let both = after(["a", &format!("b{EVIL}")]).output();
    automa.add_func_as_worker("c", async |a: u32, _: u32| a, both).unwrap();
    check_error("output", &automa.run(()).output::<u32>().await.unwrap_err());
    let waiting = automa.run(()).await.unwrap().waiting()[0].to_string();
    assert!(waiting.contains("202e") && !waiting.contains(is_evil), "{waiting:?}");
}

#[tokio::test]
async fn errors_of_graphs_and_snapshots_show_no_control_characters() {
    let mut automa = GraphAutoma::new(EVIL);
    let add = |automa: &mut GraphAutoma, key: &str, options: WorkerOptions| {
        automa.add_func_as_worker(key.to_owned(), async |a: u32| a, options)
    };
    add(&mut automa, EVIL, after(["gone\u{202e}"])).unwrap();
    check_error("duplicate", &add(&mut automa, EVIL, free()).unwrap_err());
    let (one, two) = (format!("1{EVIL}"), format!("2{EVIL}"));
    add(&mut automa, &one, after([&two])).unwrap();
    add(&mut automa, &two, after([&one])).unwrap();
    add(&mut automa, "self\u{202e}", after(["self\u{202e}"])).unwrap();
    let named = free().params(["x\u{202e}", "y"]);
    check_error("parameters", &add(&mut automa, "named\u{202e}", named).unwrap_err());
    check_error("graph", &automa.validate().unwrap_err());

    let mut asking = GraphAutoma::new(EVIL);
    let ask = async |cx: Context| cx.interact_with_human::<u32>(EVIL.to_owned());
    asking.add_func_as_worker(EVIL, ask, start().output()).unwrap();
    let paused = asking.run(()).await.unwrap();
    let mut snapshot = paused.snapshot().unwrap();
    check_error("answer", &snapshot.answer(EVIL, 1).unwrap_err());
    check_error("paused", &asking.run(()).output::<u32>().await.unwrap_err());
    let again = snapshot.clone();
    snapshot.answer_with(|_| EVIL.to_owned());
    check_error("answered", &asking.resume(snapshot).await.unwrap_err());

    let other = GraphAutoma::new(format!("other{EVIL}"));
    check_error("other", &other.resume(again.clone()).await.unwrap_err());
    let mut changed = GraphAutoma::new(EVIL);
    changed.add_func_as_worker(format!("new{EVIL}"), async || 1, start()).unwrap();
    check_error("changed", &changed.resume(again).await.unwrap_err());
    let unreadable = "{\"version\":1,\"a\u{202e}\":1}";
    let error = serde_json::from_str::<ddg_core::snapshot::Snapshot>(unreadable).unwrap_err();
    let error = WorkerError::from(error);
    assert!(!error.to_string().contains(is_evil), "{error}");
}

#[test]
fn printable_text_stays() {
    for text in ["plain", "日本語 🦀", "שלום", "می‌خواهم", "👩‍👩‍👧", "a\u{301}", "½ – “x”", ""]
    {
        assert_eq!(printable::line(text), text);
        assert!(matches!(printable::line(text), std::borrow::Cow::Borrowed(_)));
    }
    assert_eq!(printable::line("a\u{200d}b"), "a\\u{200d}b");
    assert_eq!(printable::line("a\tb\r\n"), "a\\tb\\r\\n");
    assert_eq!(printable::lines("a\tb\r\nc\u{7}"), "a\tb\\r\nc\\u{7}");
}

proptest! {
    #[test]
    fn any_text(text in "\\PC*|.*|[\u{0}-\u{2fff}]*") {
        let line = printable::line(&text).into_owned();
        prop_assert!(!line.contains(is_evil), "{line:?}");
        // What has been escaped is left as it is.
        prop_assert_eq!(printable::line(&line), line.as_str());
        let lines = printable::lines(&text).into_owned();
        prop_assert!(!lines.contains(|c| is_evil(c) && c != '\n' && c != '\t'), "{lines:?}");
        prop_assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
    }
}
