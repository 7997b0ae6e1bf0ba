//! The measuring: the engines take turns, so that what else the machine does hits all alike.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::counting::{Allocated, counted};
use crate::subject::{Kind, Prepare, Round, Subject};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Turns of each engine, at least.
    pub turns: usize,
    /// Time of all turns of an engine, at least.
    pub at_least: Duration,
    /// After this time, preparing included, an engine takes no further turn, however few it had.
    pub at_most: Duration,
}

impl Effort {
    /// For figures to be published.
    pub const FULL: Self = Self {
        turns: 21,
        at_least: Duration::from_millis(60),
        at_most: Duration::from_millis(2_500),
    };
    /// For a look.
    pub const QUICK: Self =
        Self { turns: 5, at_least: Duration::from_millis(20), at_most: Duration::from_millis(200) };
}

/// What an engine has shown.
pub struct Measured {
    /// Its name.
    pub engine: &'static str,
    /// What sort of engine.
    pub kind: Kind,
    /// Its figures, or why there are none.
    pub cost: Result<Cost, String>,
    /// What measuring it took.
    pub took: Duration,
}

/// The cost of one round.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The median of the turns.
    pub ns: f64,
    /// In one round.
    pub allocated: Allocated,
}

/// Short rounds are timed together until a turn takes about this long.
const TURN: Duration = Duration::from_millis(1);

/// A round that takes longer than this is given up.
const TOO_LONG: Duration = Duration::from_secs(60);

struct Taker {
    engine: &'static str,
    kind: Kind,
    /// `None` if it takes no turns.
    prepare: Option<Prepare>,
    /// Why not.
    out: String,
    rounds_per_turn: usize,
    ns_per_round: Vec<f64>,
    /// Time of its turns.
    timed: Duration,
    /// All that it has taken, preparing included.
    spent: Duration,
    allocated: Allocated,
}

/// Measures all engines on the runtime `on`.
pub fn measure(on: &Handle, subjects: Vec<Subject>, effort: Effort) -> Vec<Measured> {
    let mut takers: Vec<_> = subjects.into_iter().map(Taker::new).collect();
    takers.iter_mut().for_each(|taker| taker.warm_up(on, effort));
    while takers.iter().any(|taker| taker.has_turns_left(effort)) {
        takers
            .iter_mut()
            .filter(|taker| taker.has_turns_left(effort))
            .for_each(|taker| taker.take_turn(on));
    }
    takers.into_iter().map(Taker::measured).collect()
}

impl Taker {
    fn new(subject: Subject) -> Self {
        let (prepare, out) = match subject.prepare {
            Ok(prepare) => (Some(prepare), String::new()),
            Err(reason) => (None, reason),
        };
        Self {
            engine: subject.engine,
            kind: subject.kind,
            prepare,
            out,
            rounds_per_turn: 1,
            ns_per_round: Vec::new(),
            timed: Duration::ZERO,
            spent: Duration::ZERO,
            allocated: Allocated::default(),
        }
    }

    /// A first round, one to see how long it takes, and one to count in. Where the first takes as
    /// long as all turns may, it is the only one.
    fn warm_up(&mut self, on: &Handle, effort: Effort) {
        let Some(first) = self.turn(on, 1, Counting::On) else { return };
        self.allocated = first.allocated;
        if first.time > effort.at_most {
            self.ns_per_round.push(first.time.as_nanos() as f64);
            return;
        }
        if let Some(turn) = self.turn(on, 1, Counting::Off) {
            let per_turn = TURN.as_nanos() / turn.time.as_nanos().max(1);
            self.rounds_per_turn = per_turn.clamp(1, 10_000) as usize;
        }
        if let Some(turn) = self.turn(on, 1, Counting::On) {
            self.allocated = turn.allocated;
        }
        self.spent = Duration::ZERO;
    }

    fn has_turns_left(&self, effort: Effort) -> bool {
        let turns = self.ns_per_round.len();
        let wanted = turns < effort.turns || self.timed < effort.at_least;
        self.prepare.is_some() && (turns == 0 || (wanted && self.spent < effort.at_most))
    }

    fn take_turn(&mut self, on: &Handle) {
        if let Some(turn) = self.turn(on, self.rounds_per_turn, Counting::Off) {
            self.ns_per_round.push(turn.time.as_nanos() as f64 / self.rounds_per_turn as f64);
            self.timed += turn.time;
        }
    }

    /// Takes rounds in a task of the runtime, where users are. An engine that panics or hangs
    /// takes no more.
    fn turn(&mut self, on: &Handle, rounds: usize, counting: Counting) -> Option<Turn> {
        let prepare = self.prepare.take()?;
        let began = Instant::now();
        let task = async move { timeout(TOO_LONG, turn(prepare, rounds, counting)).await };
        let ended = on.block_on(on.spawn(task));
        self.spent += began.elapsed();
        match ended {
            Ok(Ok((prepare, turn))) => {
                self.prepare = Some(prepare);
                return Some(turn);
            }
            Ok(Err(_)) => self.out = format!("a round did not end within {TOO_LONG:?}"),
            Err(error) => self.out = format!("a round failed: {error}"),
        }
        None
    }

    fn measured(mut self) -> Measured {
        self.ns_per_round.sort_by(f64::total_cmp);
        let cost = match self.prepare {
            Some(_) => {
                let median = self.ns_per_round[self.ns_per_round.len() / 2];
                Ok(Cost { ns: median, allocated: self.allocated })
            }
            None => Err(self.out),
        };
        Measured { engine: self.engine, kind: self.kind, cost, took: self.spent }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Counting {
    On,
    Off,
}

struct Turn {
    time: Duration,
    allocated: Allocated,
}

async fn turn(mut prepare: Prepare, rounds: usize, counting: Counting) -> (Prepare, Turn) {
    match counting {
        Counting::On => {
            let round = prepare();
            let began = Instant::now();
            let allocated = counted(round).await;
            (prepare, Turn { time: began.elapsed(), allocated })
        }
        Counting::Off => {
            let time = timed(&mut prepare, rounds).await;
            (prepare, Turn { time, allocated: Allocated::default() })
        }
    }
}

/// The time of so many rounds, without preparing them.
pub async fn timed(prepare: &mut Prepare, rounds: usize) -> Duration {
    const AT_ONCE: usize = 100;
    let mut time = Duration::ZERO;
    for begin in (0..rounds).step_by(AT_ONCE) {
        let some: Vec<Round> = (begin..rounds.min(begin + AT_ONCE)).map(|_| prepare()).collect();
        let began = Instant::now();
        for round in some {
            round.await;
        }
        time += began.elapsed();
    }
    time
}
