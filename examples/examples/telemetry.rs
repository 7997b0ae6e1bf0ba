//! Exports the spans of a run through OpenTelemetry.
//!
//! An order is priced, and checked by a nested automa. The first attempt to reach the stock fails,
//! and a second order fails for good. The exported spans are printed as a tree, with all
//! attributes. With `OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318` they are sent to a
//! collector instead.
//!
//! Run it with `cargo run -p examples --features telemetry --example telemetry`.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ddg_core::prelude::*;
use opentelemetry::trace::{SpanId, Status, TracerProvider};
use opentelemetry_otlp::SpanExporter as OtlpExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

struct Order;

#[automa(fragments = [Self::nested])]
impl Order {
    /// Events in a worker belong to its span.
    #[worker(start)]
    #[tracing::instrument(name = "query prices", skip(self))]
    async fn price(&self, item: String) -> usize {
        tokio::time::sleep(Duration::from_millis(5)).await;
        item.len() * 30
    }

    #[worker(dependencies = [price, dynamic("check")], output)]
    async fn bill(&self, euros: usize, in_stock: bool) -> String {
        if in_stock { format!("{euros} euros") } else { "sold out".to_owned() }
    }
}

impl Order {
    fn nested(_: &Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError> {
        let stock = async |item: String, cx: Context| match (cx.attempt(), item.as_str()) {
            (_, "unicorn") => Err(WorkerError::msg("there is no such thing")),
            (1, _) => Err(WorkerError::msg("no connection")),
            _ => Ok(true),
        };
        let mut check = GraphAutoma::new("check");
        let options = start().output().retry(Retry::times(1)).params(["item"]);
        check.add_func_as_worker("stock", stock, options)?;
        graph.add_worker("check", check, start())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let memory = Memory::default();
    let resource = Resource::builder().with_service_name("shop").build();
    let provider = SdkTracerProvider::builder().with_resource(resource);
    let provider = if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() {
        // The exporter reads this variable and related ones itself.
        provider.with_batch_exporter(OtlpExporter::builder().with_http().build()?).build()
    } else {
        provider.with_simple_exporter(memory.clone()).build()
    };
    // Steps and workers have the level debug, and so do spans of the client that exports them.
    let ours = Targets::new()
        .with_target("ddg_core", LevelFilter::DEBUG)
        .with_target("telemetry", LevelFilter::INFO);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("shop"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();

    assert_eq!(Order.run(args!(item = "bell")).await?, "120 euros");
    assert!(Order.run(args!(item = "unicorn")).await.is_err());

    provider.shutdown()?;
    print!("{}", memory.tree()?);
    Ok(())
}

/// Keeps the exported spans.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Memory {
    async fn export(&self, mut spans: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(&mut spans);
        Ok(())
    }
}

impl Memory {
    fn tree(&self) -> Result<String, Box<dyn Error>> {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.sort_by_key(|span| span.start_time);
        let mut tree = String::new();
        add_children(&spans, SpanId::INVALID, 0, &mut tree);
        Ok(tree)
    }
}

/// Adds the spans within `parent`.
fn add_children(spans: &[SpanData], parent: SpanId, depth: usize, tree: &mut String) {
    let indent = "  ".repeat(depth);
    for span in spans.iter().filter(|span| span.parent_span_id == parent) {
        let attributes = span.attributes.iter().map(|it| format!(" {}={}", it.key, it.value));
        *tree += &format!("{indent}{}{}\n", span.name, attributes.collect::<String>());
        for event in span.events.iter() {
            let attributes = event.attributes.iter().map(|it| format!(" {}={}", it.key, it.value));
            *tree += &format!("{indent}  ! {}{}\n", event.name, attributes.collect::<String>());
        }
        if let Status::Error { description } = &span.status {
            *tree += &format!("{indent}  ✗ {description}\n");
        }
        add_children(spans, span.span_context.span_id(), depth + 1, tree);
    }
}
