//! Errors show what others send without characters that control a terminal or change the direction
//! of text.

use std::sync::Arc;
use std::time::Duration;

use ddg_agentic::AgentError;
use ddg_agentic::files::{FileError, RemoteError};
use ddg_agentic::memory::{ConversationError, ConversationId};
use ddg_agentic::model::ModelError;
use ddg_agentic::prelude::*;
use ddg_agentic::tool::ToolError;

const EVIL: &str = "a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1A\u{7f}\rb\u{202e}c\u{2066}\u{200f}\u{feff}";

fn is_evil(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[track_caller]
fn check(error: &dyn std::error::Error) {
    for printed in [error.to_string(), format!("{error:?}")] {
        assert!(!printed.contains(is_evil), "{printed:?}");
        assert!(printed.contains("202e"), "it does not have the text: {printed:?}");
    }
}

#[test]
fn errors_show_no_control_characters() {
    let evil = || EVIL.to_owned();
    let status =
        ModelError::Status { model: evil(), status: 500, message: evil(), retry_after: None };
    let other = ModelError::Other {
        model: evil(),
        source: Arc::new(std::io::Error::other(EVIL)),
        retryable: false,
    };
    check(&status);
    check(&other);
    check(&ModelError::AllFailed { failures: vec![status, other] });

    check(&ToolError::Unknown { name: evil(), nearest: Some(evil()), known: vec![evil()] });
    check(&ToolError::Arguments { tool: evil(), faults: vec![evil()] });
    check(&ToolError::TimedOut { tool: evil(), after: Duration::ZERO });
    check(&ToolError::Failed { tool: evil(), source: EVIL.into() });

    let conversation = ConversationId::new("a\u{202e}b").unwrap();
    check(&AgentError::Busy { conversation: conversation.clone() });
    check(&AgentError::Waiting { conversation: conversation.clone(), questions: vec![evil()] });
    let failed = ConversationError::Backend { store: evil(), action: "read", source: EVIL.into() };
    check(&failed);
    check(&AgentError::Unread { conversation, source: failed });

    let source = Arc::new(std::io::Error::other(EVIL));
    let io = FileError::Io { action: "read", path: EVIL.into(), source: Arc::clone(&source) };
    check(&io);
    check(&FileError::Content { filename: evil(), source });
    check(&RemoteError::Status { status: 500, message: evil(), retry_after: None });
}

/// What a model and a tool say is data of the run, which is kept as it is, and is in the error of the
/// run as escapes.
#[tokio::test]
async fn an_agent_that_fails_shows_no_control_characters() {
    let failure =
        ModelError::Failed { model: "m".to_owned(), message: EVIL.to_owned(), retryable: false };
    let agent = ReActAutoma::new(ScriptedModel::new().fails(failure)).build().unwrap();
    let error = agent.run(args!("Hello?")).await.unwrap_err();
    check(&error);
    let failed = error.downcast_ref::<AgentFailed>().unwrap();
    check(failed);
}
