//! The ways in which a program is played.

use std::fmt;
use std::sync::LazyLock;

use ddg_core::checkpoint::CheckpointPolicy;
use tokio::runtime::{Builder, Runtime};

/// How a program is played. The plain way is the lean one: nobody looks at the run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Way {
    pub(super) drive: Drive,
    /// Whether somebody subscribes to its events.
    pub(super) watched: bool,
    /// Whether there are hooks around its workers, and around the run.
    pub(super) hooked: bool,
    /// Whether its spans are recorded.
    pub(super) traced: bool,
    pub(super) stored: Stored,
    /// How many kickoffs may run at the same time.
    pub(super) at_most: Option<usize>,
    /// Whether it settles as soon as anything has ended. That is the same only if no two of its
    /// workers ever run at the same time, or if it does not matter when they end.
    pub(super) rolling: bool,
    /// Whether it is played a second time in the same automa, when the costs of its workers are
    /// known.
    pub(super) again: bool,
}

/// Where the workers are polled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Drive {
    /// In the task of the test, on its only thread.
    #[default]
    InPlace,
    /// On a runtime with two threads.
    TwoThreads,
    /// One at a time, by chance.
    Simulated,
}

/// Where the run is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Stored {
    /// Nowhere: it is saved as a snapshot when it has paused or stopped.
    #[default]
    Nowhere,
    InMemory(CheckpointPolicy),
    /// In a file, for one of so many programs, because that takes long.
    #[cfg(feature = "sqlite")]
    InSqlite {
        one_of: u64,
    },
}

/// The runtime with two threads. It is never dropped, as that is not allowed in an async test.
pub(super) static TWO_THREADS: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// All ways; the first one is the lean one.
pub(super) fn all() -> Vec<Way> {
    let way = Way::default();
    let two = Way { drive: Drive::TwoThreads, ..way };
    let stored = |policy| Stored::InMemory(policy);
    let every_step = stored(CheckpointPolicy::EveryStep);
    vec![
        way,
        Way { again: true, ..two },
        Way { at_most: Some(1), ..way },
        Way { at_most: Some(2), ..two },
        Way { drive: Drive::Simulated, ..way },
        Way { watched: true, ..way },
        Way { watched: true, again: true, ..two },
        Way { watched: true, hooked: true, drive: Drive::Simulated, ..way },
        Way { hooked: true, ..way },
        Way { hooked: true, again: true, ..two },
        Way { traced: true, ..way },
        Way { stored: every_step, ..way },
        Way { stored: every_step, ..two },
        Way { stored: stored(CheckpointPolicy::OnPause), ..way },
        Way { stored: stored(CheckpointPolicy::EveryWorker), ..two },
        Way { watched: true, hooked: true, traced: true, stored: every_step, ..way },
        Way { rolling: true, ..way },
        Way { rolling: true, watched: true, ..two },
        Way { rolling: true, hooked: true, drive: Drive::Simulated, ..way },
        Way { rolling: true, stored: every_step, ..way },
        #[cfg(feature = "sqlite")]
        Way { stored: Stored::InSqlite { one_of: 10 }, ..two },
    ]
}

impl Way {
    /// Whether a program is played in this way: that of a seed, which `is_lone` if no two of its
    /// workers run at the same time.
    pub(super) fn is_due(&self, seed: u64, is_lone: bool) -> bool {
        if self.rolling && !is_lone {
            return false;
        }
        match self.stored {
            #[cfg(feature = "sqlite")]
            Stored::InSqlite { one_of } => seed.is_multiple_of(one_of),
            Stored::Nowhere | Stored::InMemory(_) => true,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.drive)?;
        for (word, holds) in
            [(" watched", self.watched), (" hooked", self.hooked), (" traced", self.traced)]
        {
            f.write_str(if holds { word } else { "" })?;
        }
        f.write_str(if self.rolling { " at a rolling pace" } else { "" })?;
        if self.stored != Stored::Nowhere {
            write!(f, " {:?}", self.stored)?;
        }
        self.at_most.iter().try_for_each(|n| write!(f, " at most {n} at a time"))
    }
}
