//! That every peer runs every worker once, after those it depends on, in each workload that it does.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::peers;
use crate::shape::{Carries, Shape, Work};
use crate::subject::Peer;
use crate::workload::{Phase, Workload, computing_fan, fan_spread};

static NOTES: Mutex<Notes> = Mutex::new(Vec::new());
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A worker ran, and read so many numbers.
pub(super) fn note(worker: usize, read: Option<usize>) {
    NOTES.lock().unwrap_or_else(PoisonError::into_inner).push((worker, read));
}

type Notes = Vec<(usize, Option<usize>)>;

/// Has all that can do `workload` do it, twice, and what was noted each time checked. Gives the
/// names of those that cannot.
async fn each(workload: Workload, check: impl Fn(&str, Notes)) -> Vec<&'static str> {
    let mut unable = Vec::new();
    for peer in peers() {
        match rounds(&*peer, &workload).await {
            Some(rounds) => rounds.into_iter().for_each(|notes| check(peer.name(), notes)),
            None if peer.name() == "swiftide-tasks" && !cfg!(peer_swiftide_tasks) => {}
            None => unable.push(peer.name()),
        }
    }
    unable
}

async fn rounds(peer: &dyn Peer, workload: &Workload) -> Option<Vec<Notes>> {
    let mut prepare = peer.prepare(workload).ok()?;
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let round = prepare();
        NOTES.lock().unwrap().clear();
        let name = peer.name();
        tokio::time::timeout(Duration::from_secs(60), tokio::spawn(round))
            .await
            .unwrap_or_else(|_| panic!("{name} hangs in {workload:?}"))
            .unwrap();
        rounds.push(std::mem::take(&mut *NOTES.lock().unwrap()));
    }
    Some(rounds)
}

/// Every worker of `shape` ran once, after those it depends on, and read what they gave if it `reads`.
fn in_order(peer: &str, shape: &Shape, notes: &Notes, reads: bool) {
    let name = shape.name;
    let mut ran: Vec<_> = notes.iter().map(|note| note.0).collect();
    ran.sort_unstable();
    assert!(ran.into_iter().eq(0..shape.n_workers()), "{peer} in {name}: {notes:?}");
    let mut when = vec![0; shape.n_workers()];
    notes.iter().enumerate().for_each(|(at, note)| when[note.0] = at);
    for (worker, dependencies) in shape.dependencies.iter().enumerate() {
        let before = |other: &usize| when[*other] < when[worker];
        assert!(dependencies.iter().all(before), "{peer} in {name}, worker {worker}: {notes:?}");
        let read = reads.then_some(dependencies.len());
        assert_eq!(notes[when[worker]].1, read, "{peer} in {name}, worker {worker}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shapes() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let sleeping = |worker: usize| Work::Sleep(Duration::from_millis(worker as u64 % 4));
    let shapes = [
        Shape::chain(1),
        Shape::chain(50),
        Shape::fan(1),
        Shape::fan(10),
        Shape::fan(200),
        fan_spread(40),
        computing_fan(4),
        Shape::tree(31),
        Shape::layers(5, 4),
        Shape::layers(4, 14),
        Shape::layers(5, 4).reading(),
        Shape::layers(4, 14).reading(),
        Shape::fan(100).reading(),
        Shape::branches(5, 4).doing("uneven", sleeping),
    ];
    for shape in shapes {
        let reads = shape.carries == Carries::Numbers;
        let check = |peer: &str, notes| in_order(peer, &shape, &notes, reads);
        assert!(each(Workload::Static(shape.clone()), check).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (length, width, bytes) = (30, 30, 1_000);
    let chain = |peer: &str, notes| in_order(peer, &Shape::chain(length), &notes, false);
    let fan = |peer: &str, notes| in_order(peer, &Shape::fan(width), &notes, false);
    assert!(each(Workload::PayloadChain { length, bytes }, chain).await.is_empty());
    assert!(each(Workload::PayloadFan { width, bytes }, fan).await.is_empty());
    let unable = each(Workload::PayloadMoved { length, bytes }, chain).await;
    assert!(!unable.contains(&"async_dag"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jumps() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let check = |peer: &str, notes: Notes| {
        let in_turn = (0..25).map(|jump| (jump % 2, None));
        assert!(notes.iter().copied().eq(in_turn), "{peer}: {notes:?}");
    };
    let unable = each(Workload::Loop { jumps: 25 }, check).await;
    assert_eq!(unable, ["async_dag", "dagx", "dagrs"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_one_runs() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let check = |peer: &str, notes| assert_eq!(notes, [(0, None)], "{peer}");
    let unable = each(Workload::Start { workers: 20 }, check).await;
    assert_eq!(unable, ["async_dag", "dagx", "dagrs"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn building() {
    let _alone = ONE_AT_A_TIME.lock().await;
    for (phase, ran, able) in [
        (Phase::All, 1, vec!["async_dag", "dagx", "juncture-core", "adk-graph"]),
        (Phase::Declare, 0, vec!["async_dag", "dagx", "juncture-core", "dagrs", "adk-graph"]),
        (Phase::Validate, 0, vec!["juncture-core", "adk-graph"]),
        (Phase::Start, 1, vec!["async_dag", "dagx", "juncture-core", "adk-graph"]),
    ] {
        let check = |peer: &str, notes: Notes| {
            assert_eq!(notes, [(0, None)][..ran], "{peer} {phase:?}");
        };
        let unable = each(Workload::Build { shape: Shape::random(50, 2), phase }, check).await;
        assert!(able.iter().all(|peer| !unable.contains(peer)), "{phase:?}: not {unable:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_a_time() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let check = |peer: &str, notes: Notes| {
        let times = |worker| notes.iter().filter(|note| note.0 == worker).count();
        assert!((0..6).all(|worker| times(worker) == 20), "{peer}: {notes:?}");
    };
    assert!(each(Workload::Many { runs: 20, workers: 6 }, check).await.is_empty());
}
