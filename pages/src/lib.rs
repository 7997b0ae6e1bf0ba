//! The programs of the README and of the book.
//!
//! `build.rs` reads the pages. `tests/programs.rs` runs each program, and compares what it prints
//! with the block below it. Programs that the compiler has to refuse are doc tests of this file.

#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/refused.md"))]
struct Refused;
