//! Riddles that many agents solve together. Tests cite the rules of `docs/riddles.md`.

mod adapters;
mod calculator;
mod flags;
mod held;
mod messages;
mod model;
mod place;
#[cfg(all(feature = "outside", feature = "postgres"))]
mod postgres;
mod reviews;
mod shared_folder;
mod sub_riddles;
