//! The index of files, which several processes can share.

#[cfg(not(feature = "sqlite"))]
mod none;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(not(feature = "sqlite"))]
pub(super) use none::Index;
#[cfg(feature = "sqlite")]
pub(super) use sqlite::Index;
