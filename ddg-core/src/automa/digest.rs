//! A short hash that identifies something large.

use serde::{Deserialize, Serialize};

/// A 32-bit hash, stable across machines and versions; different inputs almost always differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest(u32);

/// FNV-1a of 64 bits, folded to 32.
pub(crate) struct Hasher(u64);

impl Hasher {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        // This byte occurs in no UTF-8 text, so it separates texts: `ab`, `c` differs from `a`,
        // `bc`.
        self.bytes(&[0xff]);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(crate) fn digest(&mut self, digest: Digest) {
        self.number(digest.0.into());
    }

    pub(crate) fn end(self) -> Digest {
        Digest((self.0 ^ (self.0 >> 32)) as u32)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        format!("{:08x}", digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        u32::from_str_radix(&text, 16).map(Self).map_err(|_| format!("`{text}` is no digest"))
    }
}
