//! Workers and their scripts, as far as the rules need them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value as Json, json};

use super::Graph;

/// A graph, what it is run with, and what its workers do.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) graph: Graph,
    pub(crate) input: Called,
    /// Whether it runs within another one, whose inputs by name are those of [`input`](Self::input): what is
    /// given by position is then stronger.
    pub(crate) nested: bool,
    pub(crate) max_steps: u64,
    /// The seed that decides which kickoffs settle together, at a rolling pace.
    pub(crate) rolling: Option<u64>,
    /// Whether each kickoff tells how often its worker began in the steps before.
    pub(crate) counts: bool,
    /// What a worker does in a step: one turn of these, chosen by its arguments.
    pub(crate) script: BTreeMap<(u64, String), Vec<Turn>>,
}

/// One worker, wherever it is placed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Worker {
    pub(crate) key: String,
    pub(crate) dependencies: Vec<String>,
    pub(crate) start: bool,
    pub(crate) output: bool,
    /// Whether it waits for the end of loops.
    pub(crate) after_loops: bool,
    /// Whether it follows nobody, unlike a worker that runs only when it is ferried to.
    pub(crate) after_nobody: bool,
    pub(crate) mapping: Mapping,
    pub(crate) in_order: bool,
    pub(crate) takes: Takes,
    pub(crate) kind: Kind,
    /// Whether it takes no context, if it is a function: then it asks for nothing.
    pub(crate) plain: bool,
    /// What its parameter `p0` is filled with: the last output of a worker, else -1.
    pub(crate) from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mapping {
    AsIs,
    Merge,
    Unpack,
    Suppressed,
}

/// Which arguments it has parameters for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Takes {
    Anything,
    /// A number of values, called `p0`, `p1`, …
    Values(usize),
    /// A number of numbers, called `p0`, `p1`, …
    Numbers(usize),
}

/// How it is written, which changes nothing but for the one that gives nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Own,
    Async,
    Inline,
    Blocking,
    /// Its output is `()`: it only orders.
    Silent,
}

/// What a worker does when it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    pub(crate) asks: Vec<Ask>,
    pub(crate) gives: Gives,
    pub(crate) fails: bool,
    /// How many questions it asks, one after the other.
    pub(crate) n_questions: usize,
    /// How many attempts fail before one does not.
    pub(crate) n_failed_attempts: u32,
    pub(crate) stops: bool,
}

/// The shape of what a worker gives; the numbers in it are computed from its arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Gives {
    #[default]
    Number,
    List(usize),
    Map(usize),
}

/// Something that a worker asks for.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// The first argument by position has the [`digest`] of the worker's own arguments added.
    Ferry {
        to: String,
        args: Called,
    },
    Add(Worker),
    Remove(String),
    AddDependency(String, String),
    RemoveDependency(String, String),
}

/// What a worker is called with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Called {
    pub(crate) by_position: Vec<Json>,
    pub(crate) by_name: Vec<(String, Json)>,
}

/// A number in which every argument, its place and its name show.
pub(crate) fn digest(key: &str, called: &Called) -> i64 {
    let text = format!("{key}{called}");
    text.bytes().fold(7, |digest, byte| (digest * 31 + i64::from(byte)) % 99_991)
}

impl Program {
    /// What the run itself is given by name.
    pub(crate) fn own_names(&self) -> &[(String, Json)] {
        if self.nested { &[] } else { &self.input.by_name }
    }

    /// The same program with a change of all workers, those that are added as well.
    pub(crate) fn with_workers(&self, change: impl Fn(&mut Worker)) -> Self {
        let mut program = self.clone();
        program.graph.workers.iter_mut().for_each(|placed| change(&mut placed.worker));
        let turns = program.script.values_mut().flatten();
        for ask in turns.flat_map(|turn| &mut turn.asks) {
            if let Ask::Add(worker) = ask {
                change(worker);
            }
        }
        program
    }

    /// What the worker `key` does in `step` when it is called like this.
    pub(crate) fn turn(&self, step: u64, key: &str, called: &Called) -> Turn {
        match self.script.get(&(step, key.to_owned())) {
            None => Turn::default(),
            Some(turns) => turns[digest(key, called).unsigned_abs() as usize % turns.len()].clone(),
        }
    }
}

impl Turn {
    /// What the worker gives in this turn.
    pub(crate) fn output(&self, key: &str, called: &Called) -> Json {
        let digest = digest(key, called);
        match self.gives {
            Gives::Number => json!(digest),
            Gives::List(len) => (0..len).map(|place| digest + place as i64).collect(),
            Gives::Map(len) => {
                let entry = |place| (format!("p{place}"), json!(digest + place as i64));
                (0..len).map(entry).collect::<serde_json::Map<_, _>>().into()
            }
        }
    }
}

impl Called {
    /// The arguments of a ferry by a worker that was itself called with `own`.
    pub(crate) fn of_ferry(&self, key: &str, own: &Self) -> Self {
        let mut args = self.clone();
        if let Some(first) = args.by_position.first_mut() {
            *first = json!(first.as_i64().unwrap() + digest(key, own));
        }
        args
    }
}

impl Takes {
    /// How many parameters it has; `None` if it takes whatever there is.
    pub(crate) fn parameters(self) -> Option<usize> {
        match self {
            Self::Anything => None,
            Self::Values(n) | Self::Numbers(n) => Some(n),
        }
    }
}

impl Worker {
    /// Whether it waits for nothing, so that it runs as soon as it is there.
    pub(crate) fn waits_for_nobody(&self) -> bool {
        self.after_nobody && self.dependencies.is_empty()
    }

    /// Whether it is a function without a context.
    pub(crate) fn is_plain(&self) -> bool {
        let is_func = matches!(self.kind, Kind::Async | Kind::Inline | Kind::Blocking);
        self.plain && is_func && matches!(self.takes, Takes::Values(0..=3))
    }

    /// How many of its parameters can be filled by position; `None` if it takes whatever there is.
    pub(crate) fn positions(&self) -> Option<usize> {
        Some(self.takes.parameters()? - usize::from(self.from.is_some()))
    }
}

/// `items` with commas between them.
pub(crate) fn joined<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run with {}, at most {} steps", self.input, self.max_steps)?;
        self.rolling.iter().try_for_each(|seed| write!(f, ", rolling as {seed} says"))?;
        writeln!(f)?;
        for placed in &self.graph.workers {
            writeln!(f, "  {}", placed.worker)?;
        }
        for ((step, key), turns) in &self.script {
            for turn in turns {
                writeln!(f, "step {step}, {key}: {turn}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if !self.dependencies.is_empty() {
            write!(f, " after {}", joined(&self.dependencies))?;
        }
        for (word, holds) in [
            (" start", self.start),
            (" output", self.output),
            (" in_order", self.in_order),
            (" after_loops", self.after_loops),
            (" after_nobody", self.after_nobody),
        ] {
            f.write_str(if holds { word } else { "" })?;
        }
        if self.mapping != Mapping::AsIs {
            write!(f, " {:?}", self.mapping)?;
        }
        write!(f, " takes {:?} {:?}", self.takes, self.kind)?;
        f.write_str(if self.is_plain() { " plain" } else { "" })?;
        self.from.iter().try_for_each(|from| write!(f, " p0 from {from}"))
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ask in &self.asks {
            match ask {
                Ask::Ferry { to, args } => write!(f, "ferry to {to} {args}; ")?,
                Ask::Add(worker) => write!(f, "add {worker}; ")?,
                Ask::Remove(key) => write!(f, "remove {key}; ")?,
                Ask::AddDependency(worker, on) => write!(f, "let {worker} depend on {on}; ")?,
                Ask::RemoveDependency(worker, on) => write!(f, "free {worker} from {on}; ")?,
            }
        }
        match self.n_questions {
            0 => {}
            n => write!(f, "ask {n} times; ")?,
        }
        match self.n_failed_attempts {
            0 => {}
            n => write!(f, "fail in {n} attempts; ")?,
        }
        f.write_str(if self.stops { "stop; " } else { "" })?;
        match self.fails {
            true => write!(f, "fail"),
            false => write!(f, "give {:?}", self.gives),
        }
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by_position = self.by_position.iter().map(Json::to_string);
        let by_name = self.by_name.iter().map(|(name, value)| format!("{name} = {value}"));
        write!(f, "({})", joined(by_position.chain(by_name)))
    }
}
