//! Each call takes effect at one moment: the results of random calls on eight threads are possible
//! results of the same calls on one thread, one after the other.
//!
//! This is Wing and Gong's search: each call that began before any other had ended is tried as the
//! next one, against a naive model; states are not tried twice. A removal takes effect at two
//! moments, its begin and its end, and a file is being removed in between.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ddg_agentic::files::{FileError, FileManager};
use tokio::sync::Barrier;

use super::provider::Provider;
use super::rounds;

const N_THREADS: usize = 8;

/// What a call did or saw, as moments that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Moment {
    /// A file is there.
    Made(String),
    /// Its removal begins.
    Begins(String),
    /// It is gone.
    Gone(String),
    /// The file is there, is being removed, or is not there.
    Saw(String, Seen),
    /// Exactly these are there, in this order.
    Listed(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Seen {
    There,
    Leaving,
    Absent,
}

/// A call: its moments, and when it began and ended.
#[derive(Clone, Debug)]
struct Call {
    moments: Vec<Moment>,
    began: u64,
    ended: u64,
}

/// The naive model: the files in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Model(Vec<(String, Seen)>);

impl Model {
    fn seen(&self, id: &str) -> Seen {
        self.0.iter().find(|(known, _)| known == id).map_or(Seen::Absent, |(_, seen)| *seen)
    }

    /// The state after the moment, if it could have been now.
    fn after(&self, moment: &Moment) -> Option<Self> {
        let mut next = self.clone();
        match moment {
            Moment::Made(id) => {
                (self.seen(id) == Seen::Absent).then(|| next.0.push((id.clone(), Seen::There)))?;
            }
            Moment::Begins(id) => {
                let place = next.0.iter_mut().find(|(known, _)| known == id)?;
                (place.1 == Seen::There).then(|| place.1 = Seen::Leaving)?;
            }
            Moment::Gone(id) => {
                (self.seen(id) == Seen::Leaving)
                    .then(|| next.0.retain(|(known, _)| known != id))?;
            }
            Moment::Saw(id, seen) => (self.seen(id) == *seen).then_some(())?,
            Moment::Listed(ids) => {
                let there = self.0.iter().filter(|(_, seen)| *seen == Seen::There);
                there.map(|(id, _)| id).eq(ids).then_some(())?;
            }
        }
        Some(next)
    }
}

impl Moment {
    /// What of it is about one file.
    fn about(&self, id: &str) -> Option<Self> {
        match self {
            Self::Made(of) | Self::Begins(of) | Self::Gone(of) | Self::Saw(of, _) => {
                (of == id).then(|| self.clone())
            }
            Self::Listed(ids) => {
                let id = ids.iter().find(|listed| *listed == id)?;
                Some(Self::Saw(id.clone(), Seen::There))
            }
        }
    }
}

/// What of the calls is about one file.
fn about(calls: &[Call], id: &str) -> Vec<Call> {
    let about = |call: &Call| Call {
        moments: call.moments.iter().filter_map(|moment| moment.about(id)).collect(),
        ..call.clone()
    };
    calls.iter().map(about).filter(|call| !call.moments.is_empty()).collect()
}

/// Whether the calls could have been made one after the other.
fn is_linearisable(calls: &[Call]) -> bool {
    let mut tried = BTreeSet::new();
    let mut open = vec![(vec![0usize; calls.len()], Model::default())];
    'states: while let Some((mut done, model)) = open.pop() {
        loop {
            let is_done = |n: &usize| done[*n] == calls[*n].moments.len();
            let undone: Vec<_> = (0..calls.len()).filter(|n| !is_done(n)).collect();
            // A call can be next only if no other that is not done had ended before it began.
            let Some(first_end) = undone.iter().map(|n| calls[*n].ended).min() else { return true };
            let mut next: Vec<_> =
                undone.into_iter().filter(|n| calls[*n].began <= first_end).collect();
            let moment = |n: usize| &calls[n].moments[done[n]];
            // What only looks, and would see this, can do so now: it keeps nothing from happening.
            let looks = |n: &&usize| matches!(moment(**n), Moment::Saw(..) | Moment::Listed(_));
            let sees = |n: &&usize| model.after(moment(**n)).is_some();
            if let Some(n) = next.iter().find(|n| looks(n) && sees(n)).copied() {
                done[n] += 1;
                continue;
            }
            if !tried.insert((done.clone(), model.clone())) {
                continue 'states;
            }
            // The one that ended first is tried first.
            next.sort_by_key(|n| std::cmp::Reverse(calls[*n].ended));
            for n in next.into_iter().filter(|n| !looks(&n)) {
                if let Some(model) = model.after(moment(n)) {
                    let mut done = done.clone();
                    done[n] += 1;
                    open.push((done, model));
                }
            }
            continue 'states;
        }
    }
    false
}

/// A cheap source of numbers that is the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Makes one random call, and says what it saw.
async fn call(files: &FileManager, numbers: &mut Numbers, known: &[String]) -> Vec<Moment> {
    let id = known[numbers.below(known.len() as u64) as usize].clone();
    match numbers.below(8) {
        0 | 1 => {
            let file = files.create_from_bytes("tea", "tea.txt").local().await.unwrap();
            vec![Moment::Made(file.id().to_owned())]
        }
        2 => match files.look_up(&id) {
            Ok(_) => vec![Moment::Saw(id, Seen::There)],
            Err(FileError::Removing { .. }) => vec![Moment::Saw(id, Seen::Leaving)],
            Err(_) => vec![Moment::Saw(id, Seen::Absent)],
        },
        3 => match files.delete(&id).await {
            Ok(()) => vec![Moment::Begins(id.clone()), Moment::Gone(id)],
            Err(FileError::Removing { .. }) => vec![Moment::Saw(id, Seen::Leaving)],
            Err(_) => vec![Moment::Saw(id, Seen::Absent)],
        },
        4 => vec![Moment::Listed(files.list().iter().map(|f| f.id().to_owned()).collect())],
        5 => {
            let deleted = files.prune().await.deleted;
            let ids = deleted.iter().map(|file| file.id().to_owned());
            ids.flat_map(|id| [Moment::Begins(id.clone()), Moment::Gone(id)]).collect()
        }
        6 => match files.retrieve_remote("file-theirs").await {
            Ok(file) => vec![Moment::Made(file.id().to_owned())],
            Err(FileError::Registered { id }) => vec![Moment::Saw(id, Seen::There)],
            Err(FileError::Removing { id }) => vec![Moment::Saw(id, Seen::Leaving)],
            Err(other) => panic!("{other}"),
        },
        _ => {
            let text = known.join(" ");
            let found = files.sniff_text(&text);
            // Each was there at one and the same moment; of those of `known` that is all of them.
            let ids: Vec<_> = found.iter().map(|file| file.id().to_owned()).collect();
            match ids.as_slice() {
                [id] => vec![Moment::Saw(id.clone(), Seen::There)],
                _ => Vec::new(),
            }
        }
    }
}

/// A manager, and the results of `n_calls` random calls on each of eight threads.
async fn history(provider: &Provider, round: usize, n_calls: usize) -> (FileManager, Vec<Call>) {
    let files = FileManager::builder().remote(provider.clone()).build().await.unwrap();
    let mut known = vec!["file-theirs".to_owned()];
    let mut calls = Vec::new();
    for n in 0..3 {
        let file = files.create_from_bytes("tea", "tea.txt").local().await.unwrap();
        known.push(file.id().to_owned());
        let moments = vec![Moment::Made(file.id().to_owned())];
        calls.push(Call { moments, began: 2 * n, ended: 2 * n + 1 });
    }
    let clock = Arc::new(AtomicU64::new(10));
    let barrier = Arc::new(Barrier::new(N_THREADS));
    let threads = (0..N_THREADS).map(|thread| {
        let (files, known) = (files.clone(), known.clone());
        let (clock, barrier) = (Arc::clone(&clock), Arc::clone(&barrier));
        tokio::spawn(async move {
            let mut numbers = Numbers((round * N_THREADS + thread) as u64);
            let mut calls = Vec::new();
            barrier.wait().await;
            for _ in 0..n_calls {
                let began = clock.fetch_add(1, Ordering::SeqCst);
                let moments = call(&files, &mut numbers, &known).await;
                let ended = clock.fetch_add(1, Ordering::SeqCst);
                calls.push(Call { moments, began, ended });
            }
            calls
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        calls.extend(thread.await.unwrap());
    }
    calls.retain(|call| !call.moments.is_empty());
    (files, calls)
}

fn provider() -> Provider {
    let provider = Provider::new();
    provider.put("file-theirs", "theirs.txt", "theirs");
    provider
}

/// All files at once, lists and their order included. The search is costly, so the threads make few calls.
///
/// [files 11]
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn concurrent_operations_are_linearisable() {
    let provider = provider();
    for round in 0..rounds(1_000, 40) {
        let (files, calls) = history(&provider, round, 2).await;
        assert!(is_linearisable(&calls), "round {round}: {calls:#?}");
        files.close().await.unwrap();
    }
}

/// Each file alone, over many calls: what holds for each of several things that do not depend on each
/// other holds for all together.
///
/// [files 11]
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn concurrent_operations_on_a_file_are_linearisable() {
    let provider = provider();
    for round in 0..rounds(1_000, 40) {
        let (files, calls) = history(&provider, round, 12).await;
        let made = calls.iter().flat_map(|call| &call.moments).filter_map(|moment| match moment {
            Moment::Made(id) => Some(id.clone()),
            _ => None,
        });
        for id in made.collect::<BTreeSet<_>>() {
            let calls = about(&calls, &id);
            assert!(is_linearisable(&calls), "round {round}: {calls:#?}");
        }
        files.close().await.unwrap();
    }
}

/// The search itself: it finds what cannot have been.
#[test]
fn a_history_that_cannot_have_been_is_found() {
    let id = || "file-a".to_owned();
    let call = |moments: &[Moment], began, ended| Call { moments: moments.to_vec(), began, ended };
    let removed = [Moment::Begins(id()), Moment::Gone(id())];
    let right = [
        call(&[Moment::Made(id())], 0, 1),
        call(&removed, 2, 5),
        call(&[Moment::Saw(id(), Seen::Leaving)], 3, 4),
        call(&[Moment::Listed(Vec::new())], 6, 7),
    ];
    assert!(is_linearisable(&right));
    let seen_late = call(&[Moment::Saw(id(), Seen::There)], 6, 7);
    assert!(!is_linearisable(&[right[0].clone(), right[1].clone(), seen_late]));
    let listed_early = call(&[Moment::Listed(vec![id()])], 0, 1);
    assert!(!is_linearisable(&[listed_early, call(&[Moment::Made(id())], 2, 3)]));
    let twice = call(&removed, 2, 5);
    assert!(!is_linearisable(&[right[0].clone(), twice.clone(), twice]));
}
