//! The cryptography of connections.

use rustls::crypto::{CryptoProvider, ring};

/// Installs a cryptography provider, unless the program has installed one. Call it before an HTTP
/// client is built.
pub(crate) fn choose_crypto() {
    if CryptoProvider::get_default().is_none() {
        // An error means that another thread has installed one, which is just as good.
        let _ = ring::default_provider().install_default();
    }
}
