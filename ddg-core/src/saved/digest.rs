//! A few bytes that stand for much: equal where what they were made of is.

use serde::{Deserialize, Serialize};

/// A number that is another one, most surely, if what it was made of is something else; the same
/// on every machine and in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest(u32);

/// FNV-1a of 64 bits, folded to 32.
pub(super) struct Hasher(u64);

impl Hasher {
    pub(super) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        // A byte that is in no text, so that `ab`, `c` is not `a`, `bc`.
        self.bytes(&[0xff]);
    }

    pub(super) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(super) fn digest(&mut self, digest: Digest) {
        self.number(digest.0.into());
    }

    pub(super) fn end(self) -> Digest {
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
