//! A request to a provider has one span, which is ours. The client library adds none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ddg_agentic::model::ChatRequest;
use ddg_agentic::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::model;
use crate::openai_server::{Answer, OpenAiServer};

/// The spans of this thread: the target, the name and the fields of each.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Span>>>);

type Span = (String, String, BTreeMap<String, String>);

struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: LayerContext<'_, S>) {
        let mut fields = Fields(BTreeMap::new());
        span.record(&mut fields);
        let metadata = span.metadata();
        let (target, name) = (metadata.target().to_owned(), metadata.name().to_owned());
        self.0.lock().unwrap().push((target, name, fields.0));
    }
}

/// How many of the spans are of requests to models, by their target.
async fn of_requests(streams: bool) -> BTreeMap<String, usize> {
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = OpenAiServer::serving([Answer::text("Hello.")]).await;
    match streams {
        true => {
            let agent = ReActAutoma::new(model(&server)).build().unwrap();
            assert_eq!(agent.run(args!("Hello!")).await.unwrap().text(), "Hello.");
        }
        // By itself a model has no span of ours, and none of the library.
        false => {
            let request = ChatRequest::new([Message::user("Hello!")]);
            assert_eq!(model(&server).chat(request).await.unwrap().message.text, "Hello.");
        }
    }
    let mut n_spans = BTreeMap::new();
    for (target, name, fields) in spans.0.lock().unwrap().iter() {
        let is_of_model = fields.get("gen_ai.operation.name").is_some_and(|it| it.contains("chat"));
        if is_of_model || target.starts_with("rig") || name.starts_with("chat") {
            *n_spans.entry(target.clone()).or_default() += 1;
        }
    }
    n_spans
}

#[tokio::test]
async fn the_client_library_adds_no_spans_of_its_own() {
    let expected = BTreeMap::from([("ddg_agentic::gen_ai".to_owned(), 1)]);
    assert_eq!(of_requests(true).await, expected);
    assert_eq!(of_requests(false).await, BTreeMap::new());
}
