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
