//! Logs of the command, on standard error, and its spans.

use clap::ValueEnum;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// The form of the lines of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs and spans are written until it is dropped.
#[must_use]
pub(super) struct Logging {
    #[cfg(feature = "telemetry")]
    _spans: Option<spans::Exported>,
}

/// Begins to write logs. `filter` has the form of `RUST_LOG`.
pub(super) fn begin(format: LogFormat, filter: &str) -> Result<Logging, String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        format!("--log {filter:?}: {error}; write a level such as info, or ddg_server=debug,warn")
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let all = registry().with(lines.with_filter(filter));
    let failed = |error: &dyn std::fmt::Display| format!("logs cannot be written: {error}");
    #[cfg(feature = "telemetry")]
    if let Some((layer, exported)) = spans::layer()? {
        all.with(layer).try_init().map_err(|error| failed(&error))?;
        return Ok(Logging { _spans: Some(exported) });
    }
    all.try_init().map_err(|error| failed(&error))?;
    Ok(Logging {
        #[cfg(feature = "telemetry")]
        _spans: None,
    })
}

/// Spans of requests, runs and workers, for a collector of OpenTelemetry.
#[cfg(feature = "telemetry")]
mod spans {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Subscriber;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::Layer;
    use tracing_subscriber::registry::LookupSpan;

    /// A layer that exports spans.
    type Exporting<S> = Box<dyn Layer<S> + Send + Sync>;

    /// Drop guard of the export: sends the spans that have ended.
    pub(super) struct Exported(SdkTracerProvider);

    impl Drop for Exported {
        fn drop(&mut self) {
            if let Err(error) = self.0.shutdown() {
                tracing::warn!(%error, "the last spans were not exported");
            }
        }
    }

    /// The layer that exports, if `OTEL_EXPORTER_OTLP_ENDPOINT` is set. The exporter reads this
    /// variable and related ones itself.
    pub(super) fn layer<S>() -> Result<Option<(Exporting<S>, Exported)>, String>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        if std::env::var_os(ENDPOINT).is_none_or(|endpoint| endpoint.is_empty()) {
            return Ok(None);
        }
        crate::tls::install();
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.map_err(|error| format!("{ENDPOINT}: {error}"))?;
        let resource = Resource::builder().with_service_name("ddg").build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter);
        let provider = provider.build();
        // Not the spans of the client that exports them.
        let ours = Targets::new()
            .with_target("ddg_core", LevelFilter::DEBUG)
            .with_target("ddg_agentic", LevelFilter::INFO)
            .with_target("ddg_server", LevelFilter::INFO);
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("ddg"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        Ok(Some((layer.with_filter(ours).boxed(), Exported(provider))))
    }
}
