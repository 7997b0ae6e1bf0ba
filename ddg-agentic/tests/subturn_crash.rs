//! A process with active child agents is killed repeatedly. No child is lost, none is consumed
//! twice, and a child that had ended is not run again.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{ChildStatus, Disposition, SubTurn, SubTurnError, SubTurns, Turn};
use ddg_core::checkpoint::{CheckpointPolicy, RunFilter, RunStatus, SqliteStore, StoredRuns};
use futures::future::BoxFuture;
use serde_json::json;
use tokio::sync::Semaphore;

/// The parts of the task: three are spawned, the last is called.
const PARTS: [&str; 4] = ["a", "b", "c", "d"];

/// Spawns three parts and calls the fourth.
#[tool]
async fn share(turn: Turn) -> Result<String, SubTurnError> {
    for part in &PARTS[..3] {
        turn.spawn(SubTurn::new(*part)).await?;
    }
    Ok(turn.call(SubTurn::new(PARTS[3])).await?.text)
}

/// Does nothing.
#[tool]
async fn nothing() {}

/// A model that prints each request and answers when it receives a line.
struct Gated(Arc<Semaphore>);

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gated")
    }
}

impl ChatModel for Gated {
    fn name(&self) -> &str {
        "gated"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        Box::pin(async move {
            let first = request.messages[0].text();
            println!("asked {first}");
            self.0.acquire().await.unwrap().forget();
            let n = request.messages.iter().filter(|it| matches!(it, Message::Assistant(_)));
            let call = |tool: &str| ChatReply::calls([ToolCall::new("call_1", tool, json!({}))]);
            Ok(match (first.as_str(), n.count()) {
                ("Root", 0) => call("share"),
                ("Root", _) => ChatReply::text("done"),
                (_, 0) => call("nothing"),
                (part, _) => ChatReply::text(format!("result of {part}")),
            })
        })
    }
}

/// The process that is killed. The other test starts it and names its database and run; without
/// them this test does nothing. Each line of its input lets a model answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Some(db), Ok(run)) =
        (std::env::var_os("DDG_SUBTURN_DB"), std::env::var("DDG_SUBTURN_RUN"))
    else {
        return;
    };
    let gate = Arc::new(Semaphore::new(0));
    let model = Gated(Arc::clone(&gate));
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines() {
            gate.add_permits(1);
        }
    });
    let tools = Toolbox::builder().with(share::tool()).with(nothing::tool()).build().unwrap();
    let agent = ReActAutoma::new(model).tools(tools);
    let agent = agent.subturns(SubTurns::new().wait_for_results()).build().unwrap();
    let store = SqliteStore::open(Path::new(&db)).await.unwrap();
    let policy = match run.ends_with("worker") {
        true => CheckpointPolicy::EveryWorker,
        false => CheckpointPolicy::EveryStep,
    };
    let run = agent.run(args!("Root")).stored_in(&store, &run).checkpoints(policy);
    let outcome = run.await.unwrap();
    println!("result {}", serde_json::to_string(&outcome).unwrap());
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(db: &Path, run: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("DDG_SUBTURN_DB", db)
            .env("DDG_SUBTURN_RUN", run)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// The next line of the child's output, without those of the harness; `None` if it has ended.
    fn says(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            // The harness writes the name of the test before the test's first line.
            for word in ["asked ", "result "] {
                if let Some(at) = line.find(word) {
                    return Some(line[at..].trim_end().to_owned());
                }
            }
            line.clear();
        }
        None
    }

    fn lets_one_on(&mut self) {
        // The process may have ended, if all its requests were answered.
        _ = self.input.write_all(b"\n").and_then(|()| self.input.flush());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The parts that are done according to the store.
async fn done(runs: &StoredRuns, run: &str) -> BTreeSet<String> {
    let finished = RunFilter::default().status(RunStatus::Finished);
    let finished = runs.list(&finished).await.unwrap();
    let numbers = finished.iter().filter_map(|record| {
        let rest = record.run.as_str().strip_prefix(run)?.strip_prefix("/subturn-")?;
        rest.parse::<usize>().ok()
    });
    numbers.map(|number| PARTS[number - 1].to_owned()).collect()
}

/// [subturn 16] A process is killed after any number of answers, and started again, many times.
#[tokio::test]
async fn children_survive_their_process() {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1");
    let n_kills = if is_night { 60 } else { 8 };
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("runs.db");
    let runs = StoredRuns::new(&SqliteStore::open(&db).await.unwrap());
    let (mut killed, mut n_run) = (0, 0);
    while killed < n_kills {
        n_run += 1;
        let run = format!("run-{n_run}-{}", if n_run % 2 == 0 { "step" } else { "worker" });
        let mut asked: BTreeMap<String, u32> = BTreeMap::new();
        let mut life = 0;
        let outcome = loop {
            life += 1;
            let before = done(&runs, &run).await;
            let mut process = Process::start(&db, &run);
            // The number of answers differs from life to life, so that every number comes up.
            let n_answers = (life * 7 + n_run * 3) % 12;
            let is_last = life > 6 || killed >= n_kills;
            let mut n = 0;
            let result = loop {
                let Some(said) = process.says() else { panic!("{run}: it ended without a result") };
                if let Some(result) = said.strip_prefix("result ") {
                    break Some(result.to_owned());
                }
                let part = said.strip_prefix("asked ").unwrap().to_owned();
                assert!(!before.contains(&part), "{run}, life {life}: `{part}` was done before");
                *asked.entry(part).or_default() += 1;
                if n == n_answers && !is_last {
                    break None;
                }
                n += 1;
                process.lets_one_on();
            };
            process.kill();
            match result {
                Some(result) => break serde_json::from_str::<AgentOutcome>(&result).unwrap(),
                None => killed += 1,
            }
        };
        assert_eq!(outcome.text(), "done");
        let ids: Vec<_> = outcome.children().iter().map(|child| child.id.as_str()).collect();
        assert_eq!(
            ids,
            ["subturn-1", "subturn-2", "subturn-3", "subturn-4"],
            "{run}: none is lost"
        );
        for (child, part) in outcome.children().iter().zip(PARTS) {
            assert_eq!(child.status, ChildStatus::Finished, "{run}: {child:?}");
            let spawned = part != PARTS[3];
            assert_eq!(
                child.disposition,
                spawned.then_some(Disposition::Consumed),
                "{run}: {child:?}"
            );
            let messages = outcome.conversation.messages.iter();
            let told = messages.filter(|it| it.text().ends_with(&format!("result of {part}")));
            assert_eq!(told.count(), 1, "{run}: `{part}` counts once: {:?}", outcome.conversation);
        }
        assert_eq!(asked.len(), 5, "{asked:?}");
    }
}
