//! Holds the runnable examples in `examples/`.
