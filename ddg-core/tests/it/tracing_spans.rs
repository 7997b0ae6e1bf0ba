//! Each run, step and worker is a `tracing` span; a worker's tells why it was kicked off.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use expect_test::expect;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Spans as lines of text, indented by their depth, in the order they were made.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        _ = write!(self.0, " {field}={value:?}");
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: LayerContext<'_, S>) {
        let span = cx.span(id).unwrap();
        let depth = span.scope().count() - 1;
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        let line = format!("{}{}{}\n", "  ".repeat(depth), span.name(), fields.0);
        self.0.lock().unwrap().push_str(&line);
    }

    fn on_event(&self, event: &tracing::Event<'_>, cx: LayerContext<'_, S>) {
        let depth = cx.event_scope(event).map_or(0, Iterator::count);
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let line = format!("{}-{}\n", "  ".repeat(depth), fields.0);
        self.0.lock().unwrap().push_str(&line);
    }
}

/// The spans of a run of `automa`.
async fn spans(automa: &GraphAutoma, args: Args, level: Level) -> String {
    let lines = Lines::default();
    let layer = lines.clone().with_filter(LevelFilter::from_level(level));
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    _ = automa.outcome(args).await;
    drop(guard);
    let lines = lines.0.lock().unwrap().clone();
    lines
}

/// Starts, ferries to itself and on to `b`, on which `c` depends.
fn automa() -> GraphAutoma {
    let mut automa = GraphAutoma::new("loop");
    let a = async |again: bool, cx: &Context| {
        tracing::info!(again, "in a");
        cx.ferry_to(if again { "a" } else { "b" }, (false,));
    };
    automa.add_func_as_worker("a", a, start()).unwrap();
    automa.add_func_as_worker("b", async |x: bool| x, free()).unwrap();
    automa.add_func_as_worker("c", async |_: bool| (), after(["b"]).output()).unwrap();
    automa
}

#[tokio::test]
async fn run_step_and_worker_with_its_cause() {
    let spans = spans(&automa(), args!(true), Level::DEBUG).await;
    let expected = expect![[r#"
        run automa=loop
          step number=1
            worker key=a cause=start step=1
              - message=in a again=true
          step number=2
            worker key=a cause=ferry by `a` step=2
              - message=in a again=false
          step number=3
            worker key=b cause=ferry by `a` step=3
          step number=4
            worker key=c cause=dependencies step=4
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn at_a_coarser_level_only_the_run() {
    let spans = spans(&automa(), args!(true), Level::INFO).await;
    let expected = expect![[r#"
        run automa=loop
          - message=in a again=true
          - message=in a again=false
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn blocking_workers_and_those_side_by_side_are_within_their_spans() {
    let mut automa = GraphAutoma::new("side by side");
    automa.add_func_as_worker("inline", || tracing::info!("inline"), start().inline()).unwrap();
    let waits = async || {
        tokio::task::yield_now().await;
        tracing::info!("waited");
    };
    automa.add_func_as_worker("waits", waits, start()).unwrap();
    let spans = spans(&automa, args!(), Level::DEBUG).await;
    let expected = expect![[r#"
        run automa=side by side
          step number=1
            worker key=inline cause=start step=1
              - message=inline
            worker key=waits cause=start step=1
              - message=waited
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn a_retry_is_an_event_within_its_worker() {
    let mut automa = GraphAutoma::new("retry");
    let fails = async || Err::<(), _>(WorkerError::msg("not yet"));
    automa.add_func_as_worker("fails", fails, start().retry(Retry::times(1))).unwrap();
    let spans = spans(&automa, args!(), Level::DEBUG).await;
    let expected = expect![[r#"
        run automa=retry
          step number=1
            worker key=fails cause=start step=1
              - message=retrying worker=fails attempt=1 error=not yet wait=0ns
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn what_is_asked_for_too_late_is_a_warning() {
    let kept: Arc<Mutex<Option<Context>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let mut automa = GraphAutoma::new("late");
    automa
        .add_func_as_worker(
            "keeps",
            move |cx: Context| _ = keep.lock().unwrap().replace(cx),
            start().inline(),
        )
        .unwrap();
    let late = move || kept.lock().unwrap().take().unwrap().ferry_to("nowhere", (1,));
    automa.add_func_as_worker("late", late, after(["keeps"]).inline()).unwrap();
    let spans = spans(&automa, args!(), Level::WARN).await;
    let expected = expect![[r#"
        - message=asked for after the worker had ended: dropped worker=keeps ask=ferry to `nowhere` with (1)
    "#]];
    expected.assert_eq(&spans);
}

#[tokio::test]
async fn nested_runs_are_within_the_worker_that_they_are() {
    let mut innermost = GraphAutoma::new("level 10");
    innermost.add_func_as_worker("worker", async || (), start()).unwrap();
    let nested = (0..10).rev().fold(innermost, |inner, level| {
        let mut outer = GraphAutoma::new(format!("level {level}"));
        outer.add_worker("inner", inner, start()).unwrap();
        outer
    });
    let spans = spans(&nested, args!(), Level::DEBUG).await;
    let indents = spans.lines().map(|line| line.len() - line.trim_start().len());
    let expected: Vec<_> = (0..spans.lines().count()).map(|depth| 2 * depth).collect();
    assert_eq!(indents.collect::<Vec<_>>(), expected, "each is within the one before:\n{spans}");
    assert_eq!(spans.lines().count(), 3 * 11);
}
