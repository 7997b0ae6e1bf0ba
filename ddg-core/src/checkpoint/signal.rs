//! Signals that were sent to a run.

/// A signal that was sent to a run, as a store keeps it. See
/// [`Context::signal`](crate::Context::signal).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalRecord {
    /// Its number among the signals of the run, counted from 1 in the order of their arrival.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// Its content, which is opaque to the store.
    pub body: Vec<u8>,
}

impl SignalRecord {
    /// The signal `name` with the number `number`.
    pub fn new(number: u64, name: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { number, name: name.into(), body: body.into() }
    }
}
