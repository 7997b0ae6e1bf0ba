//! What encrypts our connections.

use rustls::crypto::{CryptoProvider, ring};

/// Chooses what encrypts, unless the program has chosen already. An HTTP client is built after this.
pub(crate) fn choose_crypto() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been quicker, which is as good.
        let _ = ring::default_provider().install_default();
    }
}
