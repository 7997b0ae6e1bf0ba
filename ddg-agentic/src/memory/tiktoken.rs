//! Token counts of OpenAI's models.

use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

use super::CountTokens;

/// Counts tokens with one of OpenAI's tables. The table is prepared at the first use, which takes
/// about a tenth of a second, and is kept for the process.
///
/// Long text is counted in pieces of 4 KiB, because the table's pattern fails on a million spaces.
/// A cut can add a token or two. Models of other providers have other tables; for them the count is
/// a good estimate.
///
/// ```
/// use ddg_agentic::memory::{CountTokens, TiktokenTokens};
///
/// assert_eq!(TiktokenTokens::O200k.text("orchestration"), 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TiktokenTokens {
    /// The table of GPT-4o and later models.
    #[default]
    O200k,
    /// The table of GPT-4 and GPT-3.5.
    Cl100k,
}

const BYTES_AT_ONCE: usize = 4096;

impl TiktokenTokens {
    fn table(self) -> &'static CoreBPE {
        match self {
            Self::O200k => o200k_base_singleton(),
            Self::Cl100k => cl100k_base_singleton(),
        }
    }
}

impl CountTokens for TiktokenTokens {
    fn text(&self, text: &str) -> usize {
        let (table, mut rest, mut n_tokens) = (self.table(), text, 0);
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.floor_char_boundary(BYTES_AT_ONCE));
            n_tokens += table.encode_ordinary(piece).len();
            rest = later;
        }
        n_tokens
    }
}
