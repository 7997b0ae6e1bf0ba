//! What tokens cost.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul};

use serde::{Deserialize, Serialize};

use super::Usage;

/// What a model's tokens cost, per million, in a currency of your choice.
///
/// ```
/// use ddg_agentic::model::{Price, Usage};
///
/// let price = Price::new(2.0, 10.0).cached_input(0.5);
/// let usage = Usage::new(1_000, 200).cached_input(600);
/// assert_eq!((price * usage).to_string(), "0.0031");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Price {
    /// A million tokens that the model reads for the first time.
    pub input: f64,
    /// A million tokens that it reads and the provider had cached.
    pub cached_input: f64,
    /// A million tokens that it writes.
    pub output: f64,
}

/// What replies cost, in the currency of the prices. Written with four places unless told otherwise
/// (`{:.2}`).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Cost(pub f64);

/// A model has no price.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no price for {}: give one, if need be of zeros",
    models.iter().map(|model| format!("`{model}`")).collect::<Vec<_>>().join(", ")
)]
#[non_exhaustive]
pub struct NoPrice {
    /// All that have none.
    pub models: Vec<String>,
}

impl Price {
    /// So much for a million tokens read, cached or not, and so much for a million written.
    pub fn new(input: f64, output: f64) -> Self {
        Self { input, cached_input: input, output }
    }

    /// Sets what a million tokens cost that the provider had cached.
    #[must_use]
    pub fn cached_input(mut self, price: f64) -> Self {
        self.cached_input = price;
        self
    }
}

impl Mul<Usage> for Price {
    type Output = Cost;

    fn mul(self, usage: Usage) -> Cost {
        const PER_TOKEN: f64 = 1e-6;
        let fresh = usage.input_tokens.saturating_sub(usage.cached_input_tokens);
        let parts = [
            (fresh, self.input),
            (usage.cached_input_tokens, self.cached_input),
            (usage.output_tokens, self.output),
        ];
        Cost(parts.into_iter().map(|(tokens, price)| tokens as f64 * price * PER_TOKEN).sum())
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0 + more.0)
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*}", f.precision().unwrap_or(4), self.0)
    }
}

ddg_core::__report::debug_is_display!(NoPrice);
