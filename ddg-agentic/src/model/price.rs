//! Prices of tokens.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul};

use ddg_core::__report::shown;
use serde::{Deserialize, Serialize};

use super::Usage;

/// The price of a model's tokens, per million, in a currency of your choice.
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
    /// Price of a million input tokens that were not cached.
    pub input: f64,
    /// Price of a million input tokens that were in the provider's cache.
    pub cached_input: f64,
    /// Price of a million output tokens.
    pub output: f64,
}

/// The cost of replies, in the currency of the prices. It is formatted with four decimal places
/// unless another precision is given (`{:.2}`).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Cost(pub f64);

/// A model has no price.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no price for {}: give one; a price of zeros is allowed",
    models.iter().map(|model| format!("`{}`", shown(model))).collect::<Vec<_>>().join(", ")
)]
#[non_exhaustive]
pub struct NoPrice {
    /// All models without a price.
    pub models: Vec<String>,
}

impl Price {
    /// Creates a price per million input tokens, cached or not, and per million output tokens.
    pub fn new(input: f64, output: f64) -> Self {
        Self { input, cached_input: input, output }
    }

    /// Sets the price of a million input tokens that were in the provider's cache.
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
