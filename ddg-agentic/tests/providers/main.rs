//! Requests to providers over HTTP, and the conversion of their replies.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../fixture/openai_server.rs"]
mod openai_server;

mod agents;
mod cancelling;
mod ends;
mod environment;
mod failures;
mod files;
mod keys;
mod media;
mod odd_servers;
mod others;
mod reasoning;
mod recordings;
mod replies;
mod requests;
mod responses;
mod spans;
mod streams;
mod timeouts;
mod tool_images;

use ddg_agentic::provider::OpenAi;

use openai_server::OpenAiServer;

/// A model at the server.
fn model(server: &OpenAiServer) -> OpenAi {
    OpenAi::new("test-model").base_url(server.base_url()).api_key("sk-test")
}
