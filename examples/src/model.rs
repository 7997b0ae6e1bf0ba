//! The model of the examples.

use std::sync::{Arc, Once};

use ddg_agentic::ChatModel;
use ddg_agentic::model::{ModelError, OfflineModel};

/// A real model if one is configured (`OPENAI_API_KEY` or `OPENAI_BASE_URL`, and `OPENAI_MODEL`).
/// Otherwise one that picks tools by the words of the request, so that examples run without a key.
///
/// # Errors
/// If the configuration is incomplete.
pub fn model() -> Result<Arc<dyn ChatModel>, ModelError> {
    let configured =
        ["OPENAI_API_KEY", "OPENAI_BASE_URL"].iter().any(|name| std::env::var_os(name).is_some());
    if !configured {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            eprintln!(
                "(offline: tools are picked by the words of the request; set OPENAI_API_KEY for a model)"
            );
        });
        return Ok(Arc::new(OfflineModel::new()));
    }
    #[cfg(feature = "providers")]
    return Ok(Arc::new(ddg_agentic::provider::OpenAi::from_env()?));
    #[cfg(not(feature = "providers"))]
    Err(ModelError::Setup {
        message:
            "a model is configured; run the example with `--features providers` to talk to it, \
                  or unset OPENAI_API_KEY and OPENAI_BASE_URL"
                .to_owned(),
    })
}
