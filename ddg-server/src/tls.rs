//! Clients of HTTP servers.

use rustls::crypto::{CryptoProvider, ring};

/// A client to build, with a cryptography provider installed for `https`.
pub(crate) fn client() -> reqwest::ClientBuilder {
    install();
    reqwest::Client::builder()
}

/// Installs a cryptography provider for `https`, unless there is one.
pub(crate) fn install() {
    if CryptoProvider::get_default().is_none() {
        // An error means that another thread has installed one, which is just as good.
        let _ = ring::default_provider().install_default();
    }
}
