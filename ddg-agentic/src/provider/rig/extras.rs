//! Headers and query parameters that the user adds to requests.

use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};
use rig_core::http_client::{Request, Uri};

use crate::model::{ExtraPairs, ModelError};

tokio::task_local! {
    /// The extras of the current task's request. A task-local variable, because the library in
    /// between passes nothing on.
    static OF_REQUEST: Arc<Extras>;
}

/// Headers and query parameters that are added to a request.
#[derive(Debug, Default)]
pub(super) struct Extras {
    headers: Vec<(HeaderName, HeaderValue)>,
    query: ExtraPairs,
}

impl Extras {
    /// Creates the extras of a `model`.
    ///
    /// # Errors
    /// If a header is invalid.
    pub(super) fn new(
        model: &str,
        headers: &ExtraPairs,
        query: &ExtraPairs,
    ) -> Result<Arc<Self>, ModelError> {
        let header = |(name, value): (&str, &str)| {
            let found = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            let (header, mut value) = found.ok_or_else(|| ModelError::Setup {
                message: format!(
                    "model `{model}`: the extra header {name:?} cannot be sent: a name has letters, \
                     digits and `-`, a value no line breaks"
                ),
            })?;
            value.set_sensitive(true);
            Ok((header, value))
        };
        let headers = headers.iter().map(header).collect::<Result<_, ModelError>>()?;
        Ok(Arc::new(Self { headers, query: query.clone() }))
    }

    /// Runs `asking` with these extras for its requests.
    pub(super) async fn scope<F: Future>(self: Arc<Self>, asking: F) -> F::Output {
        OF_REQUEST.scope(self, asking).await
    }

    /// Adds these extras, and those of the task's request, to a request.
    pub(super) fn add_to<T>(&self, request: &mut Request<T>) {
        self.add_own(request);
        // A task without a request has no extras, which is not an error.
        let _ = OF_REQUEST.try_with(|extras| extras.add_own(request));
    }

    fn add_own<T>(&self, request: &mut Request<T>) {
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        if self.query.is_empty() {
            return;
        }
        let mut query = reqwest::Url::parse("http://query").expect("it is a URL");
        query.query_pairs_mut().extend_pairs(self.query.iter());
        let uri = request.uri().to_string();
        let before = if uri.contains('?') { '&' } else { '?' };
        let uri = format!("{uri}{before}{}", query.query().unwrap_or_default());
        *request.uri_mut() = Uri::try_from(uri).expect("a query was encoded as one");
    }
}
