//! Checkpoint stores: first the behaviour of all of them, one file each, then of single ones.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod setup;

mod contention;
mod deleting;
mod dropped;
#[cfg(unix)]
mod fencing;
mod forks;
mod journals;
mod leases;
mod lists;
mod owners;
mod random_use;
mod rests;
mod run_ids;
mod signals;
mod time_travel;

#[cfg(all(feature = "sqlite", target_os = "linux"))]
mod sqlite_faults;
#[cfg(feature = "sqlite")]
mod sqlite_files;
#[cfg(feature = "sqlite")]
mod sqlite_processes;
#[cfg(feature = "sqlite")]
mod sqlite_shared;
#[cfg(feature = "sqlite")]
mod sqlite_size;

#[cfg(feature = "postgres")]
mod postgres_failover;
#[cfg(feature = "postgres")]
mod postgres_servers;
