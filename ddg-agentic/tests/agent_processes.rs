//! One conversation after another in two processes on one store: both answer, say more and continue
//! at once, and one of them is killed at a moment that differs from round to round. An approved
//! payment is in its conversation once, and is never made by both at once.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use ddg_agentic::AgentError;
use ddg_agentic::memory::{
    ConversationId, ConversationStore, PostgresConversations, SqliteConversations,
};
use ddg_agentic::prelude::*;
use ddg_core::checkpoint::{PostgresStore, SqliteStore};
use futures::future::BoxFuture;
use serde_json::json;

#[path = "../../ddg-core/tests/stores/setup/postgres.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod postgres;

/// The conversations, and the till, that a process works on.
const PLACE: &str = "DDG_AGENT_PROCESS";

/// The file in which each payment is noted.
struct Till(std::path::PathBuf);

impl Till {
    /// Appends a line, whole: an append of a few bytes is one write.
    fn note(&self, line: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.0).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Pays, and says when it begins and ends.
#[tool]
async fn pay(talk: String, till: State<Till>) -> String {
    let me = std::process::id();
    till.note(&format!("{talk}|begin|{me}"));
    say("marker paying");
    // The other process may act in between, if nothing keeps it from that.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    say("marker paid");
    till.note(&format!("{talk}|end|{me}"));
    "paid".to_owned()
}

/// A line for the process that has started this one.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@{line}").and_then(|()| out.flush()).unwrap();
}

/// A model that calls the tool after a message of a person, and ends after its result.
#[derive(Debug)]
struct Pays;

impl ChatModel for Pays {
    fn name(&self) -> &str {
        "pays"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        say("marker asked");
        let paid = matches!(request.messages.last(), Some(Message::Tool(_)));
        let talk = request.messages[0].text();
        Box::pin(async move {
            Ok(match paid {
                true => ChatReply::text("Done."),
                false => ChatReply::calls([ToolCall::new("a", "pay", json!({ "talk": talk }))]),
            })
        })
    }
}

/// The agent on the stores of `place`: `sqlite:FILE` or the URL of a server, and whether runs are
/// stored.
async fn agent(place: &str, till: &Path, is_stored: bool) -> Agent {
    let options = ToolOptions::new().approval();
    let tools = Toolbox::builder().with_options(pay::tool(), options).state(Till(till.to_owned()));
    let agent = Agent::new(ReActAutoma::new(Pays).tools(tools.build().unwrap())).unwrap();
    match place.strip_prefix("sqlite:") {
        Some(file) => {
            let agent = agent.conversations(SqliteConversations::open(file).await.unwrap());
            match is_stored {
                true => agent.stored_in(&SqliteStore::open(file).await.unwrap()),
                false => agent,
            }
        }
        None => {
            let agent = agent.conversations(PostgresConversations::connect(place).await.unwrap());
            match is_stored {
                true => agent.stored_in(&PostgresStore::connect(place).await.unwrap()),
                false => agent,
            }
        }
    }
}

async fn conversations(place: &str) -> Arc<dyn ConversationStore> {
    match place.strip_prefix("sqlite:") {
        Some(file) => Arc::new(SqliteConversations::open(file).await.unwrap()),
        None => Arc::new(PostgresConversations::connect(place).await.unwrap()),
    }
}

/// What became of an errand, in a word.
fn word(said: &Result<Said, AgentError>) -> String {
    match said {
        Ok(Said::Ended(_)) => "ended".to_owned(),
        Ok(Said::Paused { outcome, .. }) => format!("paused {}", outcome.questions()[0].id),
        Ok(_) => "kept".to_owned(),
        Err(AgentError::NotPaused { .. }) => "nothing".to_owned(),
        Err(AgentError::NotAsked { .. }) => "not asked".to_owned(),
        Err(AgentError::Busy { .. } | AgentError::Waiting { .. }) => "busy".to_owned(),
        Err(AgentError::Interrupted { .. }) => "interrupted".to_owned(),
        Err(error) => format!("error {error}"),
    }
}

/// The process that may be killed. The other tests start it; without them it does nothing. Each line
/// of its input is an errand: a number, what to do, a conversation, and an argument.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let [place, till, stored] = place.split('|').collect::<Vec<_>>()[..] else { panic!("{place}") };
    let agent = agent(place, Path::new(till), stored == "stored").await;
    let (errands, mut todo) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            errands.send(line.unwrap()).unwrap();
        }
    });
    say("marker ready");
    while let Some(line) = todo.recv().await {
        let agent = agent.clone();
        tokio::spawn(async move {
            let [n, what, talk, with] = line.split('|').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let said = match what {
                "say" => word(&agent.say(talk, with).await),
                "answer" => word(&agent.answer(talk, with, Verdict::Allow).await),
                "recover" => word(&agent.recover(talk).await),
                "give up" => format!("{:?}", agent.give_up(talk).await.is_ok()),
                other => panic!("{other}"),
            };
            say(&format!("did {n} {said}"));
        });
    }
}

/// A started process: its lines come through a channel, with its place in front.
struct Process {
    child: Child,
    input: ChildStdin,
}

impl Process {
    fn start(at: usize, place: &str, lines: &Sender<(usize, u32, String)>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process", "--nocapture", "--test-threads=1"])
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (lines, id) = (lines.clone(), child.id());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(line) = line.strip_prefix('@') {
                    _ = lines.send((at, id, line.to_owned()));
                }
            }
            _ = lines.send((at, id, "gone".to_owned()));
        });
        Self { child, input }
    }

    fn errand(&mut self, line: &str) {
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).unwrap();
    }
}

/// Two processes, and what they say.
struct Two {
    place: String,
    processes: Vec<Process>,
    sender: Sender<(usize, u32, String)>,
    lines: Receiver<(usize, u32, String)>,
    n_errands: usize,
}

impl Two {
    fn start(place: &str) -> Self {
        let (sender, lines) = channel();
        let processes = (0..2).map(|at| Process::start(at, place, &sender)).collect();
        let two = Self { place: place.to_owned(), processes, sender, lines, n_errands: 0 };
        for _ in 0..2 {
            assert_eq!(two.next().1, "marker ready");
        }
        two
    }

    /// The next line of a process that has not been replaced, and which.
    fn next(&self) -> (usize, String) {
        loop {
            let (at, id, line) = self.lines.recv().unwrap();
            if self.processes.get(at).is_none_or(|process| process.child.id() == id) {
                return (at, line);
            }
        }
    }

    /// Gives an errand, and returns its number.
    fn errand(&mut self, at: usize, what: &str, talk: &str, with: &str) -> usize {
        self.n_errands += 1;
        let n = self.n_errands;
        self.processes[at].errand(&format!("{n}|{what}|{talk}|{with}"));
        n
    }

    /// What becomes of an errand, when all others have ended.
    fn alone(&mut self, at: usize, what: &str, talk: &str, with: &str) -> String {
        let n = self.errand(at, what, talk, with);
        loop {
            let (_, line) = self.next();
            assert_ne!(line, "gone");
            if let Some(said) = line.strip_prefix(&format!("did {n} ")) {
                return said.to_owned();
            }
        }
    }

    /// Kills a process, and starts another in its place, whose input waits until it is ready.
    fn replace(&mut self, at: usize) {
        self.processes[at].child.kill().unwrap();
        self.processes[at].child.wait().unwrap();
        self.processes[at] = Process::start(at, &self.place, &self.sender);
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        for process in &mut self.processes {
            _ = process.child.kill();
            _ = process.child.wait();
        }
    }
}

/// What a round has seen.
#[derive(Default)]
struct Seen {
    n_ended: usize,
    n_kills: usize,
    said: Vec<String>,
}

/// Both answer, say more and continue at once; one is killed at its `kill_at`-th marker, if it comes to
/// that. Ends when nothing is under way.
fn race(two: &mut Two, talk: &str, question: &str, round: usize) -> Seen {
    let (victim, kill_at) = (round % 2, round / 2 % 6);
    let (mut seen, mut n_markers) = (Seen::default(), 0);
    let mut open: Vec<(usize, usize)> = Vec::new();
    for nth in 0..8 {
        let at = (nth + round / 12) % 2;
        let n = match nth {
            0..4 => two.errand(at, "answer", talk, question),
            4 | 5 => two.errand(at, "say", talk, "Pay more."),
            _ => two.errand(at, "recover", talk, ""),
        };
        open.push((at, n));
    }
    while !open.is_empty() {
        let (at, line) = two.next();
        assert_ne!(line, "gone", "a process has ended by itself");
        if let Some(did) = line.strip_prefix("did ") {
            let (n, said) = did.split_once(' ').unwrap();
            open.retain(|(_, open)| open.to_string() != n);
            assert!(!said.starts_with("error"), "round {round}: {said}");
            seen.n_ended += usize::from(said == "ended");
            seen.said.push(said.to_owned());
        } else if at == victim {
            n_markers += 1;
            if n_markers == kill_at {
                seen.n_kills += 1;
                open.retain(|(of, _)| *of != victim);
                two.replace(victim);
            }
        }
    }
    seen
}

/// The payments of a conversation: none begins while another is under way in a process that lives.
/// Returns how many have begun.
fn payments(till: &Path, talk: &str, n_kills: usize) -> usize {
    let text = std::fs::read_to_string(till).unwrap_or_default();
    let (mut under_way, mut n_begun, mut n_broken) = (None, 0, 0);
    for line in text.lines().filter(|line| line.starts_with(&format!("{talk}|"))) {
        let [_, what, process] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        match what {
            "begin" => {
                n_begun += 1;
                n_broken += usize::from(under_way.is_some());
                under_way = Some(process.to_owned());
            }
            _ => assert_eq!(under_way.take().as_deref(), Some(process), "two act at once: {text}"),
        }
    }
    n_broken += usize::from(under_way.is_some());
    assert!(n_broken <= n_kills, "{n_broken} payments broke off, and {n_kills} were killed");
    n_begun
}

async fn races(place: &str, is_stored: bool, n_rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let till = folder.path().join("till");
    let kept = if is_stored { "stored" } else { "kept" };
    let mut two = Two::start(&format!("{place}|{}|{kept}", till.display()));
    let store = conversations(place).await;
    let (mut n_kills, mut n_repeated) = (0, 0);
    for round in 0..n_rounds {
        let talk = format!("talk-{kept}-{round}");
        let paused = two.alone(round % 2, "say", &talk, &talk);
        let question = paused.strip_prefix("paused ").expect(&paused).to_owned();
        let mut seen = race(&mut two, &talk, &question, round);
        n_kills += seen.n_kills;

        // One process continues the interrupted run. An answer that was not written before its
        // process was killed is given again.
        loop {
            let said = two.alone(round % 2, "recover", &talk, "");
            match said.split_once(' ').map_or(said.as_str(), |(word, _)| word) {
                "nothing" => break,
                "ended" => seen.n_ended += 1,
                "paused" if said.ends_with(&question) => {
                    let said = two.alone(round % 2, "answer", &talk, &question);
                    seen.n_ended += usize::from(said == "ended");
                }
                // It is what was said more, which nobody approves.
                "paused" => {
                    two.alone(round % 2, "give up", &talk, "");
                }
                _ => panic!("round {round}: {said}"),
            }
        }
        let id = ConversationId::new(&talk).unwrap();
        let found = store.load(&id).await.unwrap();
        assert!(found.run.is_none(), "round {round}");
        let messages = &found.conversation.messages;
        let paid =
            messages.iter().filter(|it| matches!(it, Message::Tool(it) if it.content == "paid"));
        assert_eq!(
            (paid.count(), messages.len()),
            (1, 4),
            "round {round}: {messages:?}, {:?}",
            seen.said
        );
        let n_paid = payments(&till, &talk, seen.n_kills);
        assert!((1..=1 + seen.n_kills).contains(&n_paid), "round {round}: paid {n_paid} times");
        n_repeated += n_paid - 1;
        assert!(seen.n_ended <= 1, "round {round}: its caller is told once, {:?}", seen.said);
        assert_eq!(two.alone(0, "answer", &talk, &question), "not asked");
    }
    println!("{n_rounds} rounds, {n_kills} kills, {n_repeated} payments repeated after one");
}

/// Rounds of each of the four tests.
fn n_rounds() -> usize {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1");
    if is_night { 1_000 } else { 8 }
}

async fn on_sqlite(is_stored: bool) {
    let folder = tempfile::tempdir().unwrap();
    let place = format!("sqlite:{}", folder.path().join("talk.db").display());
    races(&place, is_stored, n_rounds()).await;
}

async fn on_postgres(is_stored: bool) {
    let Some(database) = postgres::Database::new().await else { return };
    races(database.url(), is_stored, n_rounds()).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_sqlite() {
    on_sqlite(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_sqlite_with_stored_runs() {
    on_sqlite(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_postgres() {
    on_postgres(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_postgres_with_stored_runs() {
    on_postgres(true).await;
}
