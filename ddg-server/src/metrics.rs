//! Figures of the server, in the text format of Prometheus.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Labels of a request: no id, no key, and no text of a client.
type Request = [(&'static str, String); 3];

/// All figures.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<[(&'static str, String); 1], Histogram>,
    in_flight: Gauge,
    streams: Gauge,
}

/// One of those that a gauge counts, until it is dropped.
pub(crate) struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn counted(gauge: &Gauge) -> Counted {
    gauge.inc();
    Counted(gauge.clone())
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("ddg");
        let requests = Family::default();
        registry.register("http_requests", "Requests that were answered", requests.clone());
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 4.0, 9));
        let seconds = Family::new_with_constructor(buckets);
        registry.register_with_unit(
            "http_request_duration",
            "Time until a request was answered; of a stream, until its head was sent",
            Unit::Seconds,
            seconds.clone(),
        );
        let in_flight = Gauge::default();
        registry.register(
            "http_requests_in_flight",
            "Requests that are not answered yet",
            in_flight.clone(),
        );
        let streams = Gauge::default();
        registry.register("sse_streams", "Open streams of events", streams.clone());
        let build: Gauge = Gauge::default();
        build.set(1);
        let version = ("version".into(), env!("CARGO_PKG_VERSION").into());
        registry.sub_registry_with_label(version).register(
            "build",
            "The version of the server",
            build,
        );
        Self { registry, requests, seconds, in_flight, streams }
    }

    /// Counts a request that is handled.
    pub(crate) fn begin(&self) -> Counted {
        counted(&self.in_flight)
    }

    /// Counts a stream that is open.
    pub(crate) fn stream(&self) -> Counted {
        counted(&self.streams)
    }

    pub(crate) fn ended(
        &self,
        method: &Method,
        route: String,
        status: StatusCode,
        elapsed: Duration,
    ) {
        // Methods of clients' own invention are one label.
        let method = match method.as_str() {
            known @ ("GET" | "POST" | "DELETE" | "HEAD" | "PUT" | "PATCH" | "OPTIONS") => known,
            _ => "other",
        };
        self.seconds.get_or_create(&[("route", route.clone())]).observe(elapsed.as_secs_f64());
        let labels = [
            ("method", method.to_owned()),
            ("route", route),
            ("status", status.as_str().to_owned()),
        ];
        self.requests.get_or_create(&labels).inc();
    }

    /// All figures as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all text");
        text
    }
}
