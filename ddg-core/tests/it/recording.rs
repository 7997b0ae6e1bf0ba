//! Records the `tracing` spans and events of one thread, as lines of text indented by their depth.
//!
//! The process has one subscriber, which asks each thread whether it records, because `tracing`
//! mixes up subscribers that come and go next to other tests.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

struct Recording {
    level: Level,
    lines: Vec<String>,
}

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// What is traced on this thread, down to `level`, while `traced` runs on it.
pub(crate) async fn record(level: Level, traced: impl Future) -> String {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Recorder);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        tracing::callsite::rebuild_interest_cache();
    });
    let before = RECORDING.replace(Some(Recording { level, lines: Vec::new() }));
    assert!(before.is_none(), "one recording at a time");
    traced.await;
    let lines = RECORDING.take().expect("begun above").lines;
    lines.iter().map(|line| format!("{line}\n")).collect()
}

struct Recorder;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let level = RECORDING.with_borrow(|recording| recording.as_ref().map(|it| it.level));
        level.is_some_and(|level| *metadata.level() <= level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let span = cx.span(id).expect("it is new");
        let mut fields = Fields(span.name().to_owned());
        attributes.record(&mut fields);
        let line = add_line(span.scope().count() - 1, &fields.0);
        span.extensions_mut().insert(Line(line));
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, cx: Context<'_, S>) {
        let mut fields = Fields(String::new());
        record.record(&mut fields);
        let span = cx.span(id).expect("it is open");
        let Line(line) = *span.extensions().get().expect("it began with a line");
        RECORDING.with_borrow_mut(|recording| {
            recording.as_mut().expect("as it began").lines[line] += &fields.0;
        });
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let mut fields = Fields(format!("{}:", event.metadata().level()).to_lowercase());
        event.record(&mut fields);
        add_line(cx.event_scope(event).map_or(0, Iterator::count), &fields.0);
    }
}

/// Gives which line it is.
fn add_line(depth: usize, line: &str) -> usize {
    RECORDING.with_borrow_mut(|recording| {
        let lines = &mut recording.as_mut().expect("only a recording thread is enabled").lines;
        lines.push(format!("{}{line}", "  ".repeat(depth)));
        lines.len() - 1
    })
}

/// The line of a span, to which what is recorded later is added.
struct Line(usize);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
