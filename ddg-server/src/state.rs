//! What all requests of a server share.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ddg_agentic::assistants::Assistants;
use tokio_util::sync::CancellationToken;

use crate::files::Files;
use crate::http::rate::Rate;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::models::Models;

/// The state of a server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<State>);

pub(crate) struct State {
    /// Nothing if everybody may send requests.
    pub(crate) keys: Option<Keys>,
    pub(crate) rate: Option<Rate>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) models: Arc<Models>,
    pub(crate) files: Arc<Files>,
    pub(crate) assistants: Assistants,
    /// Cancelled when the server stops.
    pub(crate) stopping: CancellationToken,
}

/// Limits of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body_bytes: u64,
    pub(crate) file_bytes: u64,
    /// How long a body may pause.
    pub(crate) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 32 << 20, file_bytes: 512 << 20, idle: Duration::from_secs(30) }
    }
}

impl Deref for Shared {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}
