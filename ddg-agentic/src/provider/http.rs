//! HTTP clients for providers, and their URLs.

use std::time::Duration;

use reqwest::redirect::Policy;

use crate::tls::choose_crypto;

/// Creates a client that does not follow redirects, because they would send the key elsewhere.
pub(crate) fn http_client(
    connect_timeout: Duration,
    base_url: &str,
) -> Result<reqwest::Client, reqwest::Error> {
    choose_crypto();
    let client = || {
        reqwest::Client::builder()
            .connect_timeout(connect_timeout)
            .redirect(Policy::none())
            .user_agent(concat!("ddg-agentic/", env!("CARGO_PKG_VERSION")))
    };
    match client().build() {
        // A machine without root certificates, such as a small container, can still connect without
        // TLS.
        Err(_) if base_url.starts_with("http:") => client().tls_certs_only([]).build(),
        http => http,
    }
}

/// What is wrong with the URL of a provider, if anything.
pub(crate) fn wrong_url(base_url: &str) -> Option<&'static str> {
    match reqwest::Url::parse(base_url) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Some("is neither http nor https"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("has a user or password in it, which belong in the key")
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Some("ends in a query or fragment")
        }
        Ok(_) => None,
        Err(_) => Some("is no URL"),
    }
}
